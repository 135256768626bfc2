"""Fill the template of a script: parameters in, marked text out, every fault at the author's own line."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jinja2 import BaseLoader, Template, TemplateError, TemplateSyntaxError, UndefinedError

from metta_audio.errors import MettaError, Place, ScriptError, ShelfError, did_you_mean
from metta_audio.script.budget import LIST_LIMIT, Overspent, bounded
from metta_audio.script.library import Library
from metta_audio.script.marks import RESERVED, Marked, Marks, lift_places, speakable
from metta_audio.script.model import ParamValue, Script
from metta_audio.script.sandbox import Sandbox
from metta_audio.script.tracing import Source, trace
from metta_audio.script.values import Private, kind

_PART_NAME = re.compile(r"_parts/[\w-]+\.md")
_MARKUP = re.compile(r"[\[\]{}<>*_`\\#|]")
"""What a phrase of a pack cannot hold: a value is never markup, so these signs would be read out."""

_OPENERS = re.compile(r"(for|if|macro)\b|set\b(?![^%]*=)")
_ASSIGNED = re.compile(r"\{%[-+]?\s*(?:for|set|macro)\s+(\w+)")
_ENDS = re.compile(r"end(for|if|macro|set)\b")


class _Sources(BaseLoader):
    """The script itself and the parts it includes; Jinja can reach nothing else."""

    def __init__(self, script: Script, library: Library) -> None:
        self.script, self.library = script, library
        self.read: dict[str, Source] = {}

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002 - Jinja's
        if template == self.script.name:
            source = Source(self.script.file, self.script.body, self.script.body_line)
        elif not _PART_NAME.fullmatch(template):
            hint = 'parts lie in the folder _parts/ of a scripts shelf: {% include "_parts/NAME.md" %}'
            raise _BadPart(f'"{template}" is not a part', hint)
        else:
            file, text = self.library.part(template)
            # A part ends its last line, whether or not its file does: the next line must not be glued to it.
            source = Source(file, re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")).removesuffix("\n") + "\n", 1)
            if bad := RESERVED.search(source.text):
                raise ScriptError(
                    f"U+{ord(bad.group()):04X} is no character of any writing", place=source.at(bad.start())
                )
        self.read[template] = source
        return source.text, template, lambda: True


class _BadPart(Exception):  # noqa: N818 - becomes a ScriptError with a place
    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def render(script: Script, library: Library, params: Mapping[str, ParamValue], minutes: float, seed: int) -> Marked:
    """Fill the body of ``script``. The same arguments give the same text.

    Raises ``ScriptError``, or what ``library`` raises for an unknown pack or part.
    """
    sources = _Sources(script, library)
    marks = Marks()
    sandbox = Sandbox(sources, marks, lambda env, name: trace(env, sources.read[name], marks))
    names = _names(script, library, params, minutes, seed)
    pieces: list[str] = []
    try:
        template = sandbox.get_template(script.name)
        for piece in template.root_render_func(template.new_context(names)):
            sandbox.budget.print(len(piece))
            pieces.append(piece)
    except ScriptError:
        raise
    except MettaError as fault:
        # The library knows what is wrong, but not where it was asked for.
        raise type(fault)(fault.what, place=fault.place or _blame(fault, sources, script), hint=fault.hint) from fault
    except TemplateSyntaxError as fault:
        raise _syntax(fault, sources, script) from None
    except RecursionError as fault:
        raise ScriptError(
            "this script is nested too deeply, or calls itself", place=_blame(fault, sources, script)
        ) from None
    except Exception as fault:  # noqa: BLE001 - whatever an author's expression raises is the author's to mend
        raise _failed(fault, sources, script, sorted(names)) from None
    return lift_places("".join(pieces), marks, Place(script.file, script.body_line))


def _names(
    script: Script, library: Library, params: Mapping[str, ParamValue], minutes: float, seed: int
) -> dict[str, Any]:
    """Everything a template can name."""
    # Seeding by text is defined by Python to be the same everywhere; only random() itself is promised never to change.
    draw = random.Random(f"{seed}:{script.name}").random  # noqa: S311 - variety, not secrecy

    def choose(items: Sequence[Any]) -> Any:
        choices = _choices(items)
        if not choices:
            raise TypeError("choose() has nothing to choose from")
        return choices[int(draw() * len(choices))]

    def shuffled(items: Sequence[Any]) -> list[Any]:
        return [item for _, _, item in sorted((draw(), index, item) for index, item in enumerate(_choices(items)))]

    packs: dict[str, list[str]] = {}  # each is read once, however often a loop asks for it

    def pack(name: str) -> list[str]:
        if not isinstance(name, str):
            raise TypeError("pack() wants the name of a pack in quotes")
        if name not in packs:
            packs[name] = _phrases(library, name)
        return list(packs[name])

    # A space typed before or after a name is no part of it; "Ana ," would be heard and seen.
    values = {
        name: Private(speakable(str(value)).strip()) if script.header.params[name].type == "text" else value
        for name, value in params.items()
    }
    lists = {name: list(value) for name, value in params.items() if isinstance(value, tuple)}
    return {
        **values,
        **lists,
        "minutes": minutes,
        "title": script.header.title,
        "pack": pack,
        "choose": choose,
        "shuffled": shuffled,
    }


def _phrases(library: Library, name: str) -> list[str]:
    shown = "…" if isinstance(name, Private) else name
    try:
        phrases = [str(phrase) for phrase in library.pack(str(name))[:LIST_LIMIT]]
    except ShelfError:
        if not isinstance(name, Private):
            raise
        hint = "let the listener choose by a parameter of type choice"
        raise ShelfError(f'no pack is called "{shown}"', hint=hint) from None
    for phrase in phrases:
        if _MARKUP.search(phrase):
            what = f'a phrase of the pack "{shown}" holds markup, which would be spoken: "{phrase[:60]}"'
            raise ShelfError(what, hint="a pack holds only words: write the cue in the script")
    return phrases


def _choices(items: Any) -> list[Any]:
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise TypeError(f"{kind(items)} is not a list")
    return list(bounded(list(items)))


def _blame(fault: BaseException, sources: _Sources, script: Script) -> Place:
    """Innermost template line that was running; its column is that of the line's first tag."""
    source, line = sources.read.get(script.name), 1
    step = fault.__traceback__
    while step is not None:
        template = step.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template) and template.filename in sources.read:
            source, line = sources.read[template.filename], template.get_corresponding_lineno(step.tb_lineno)
        step = step.tb_next
    if source is None:
        return Place(script.file, script.body_line)
    return _column(source, line, r"\{[{%]")


def _column(source: Source, line: int, pattern: str) -> Place:
    lines = source.text.split("\n")
    line = min(max(line, 1), len(lines))
    found = re.search(pattern, lines[line - 1])
    return source.place(line, found.start() + 1 if found else 1)


def _failed(fault: Exception, sources: _Sources, script: Script, names: list[str]) -> ScriptError:
    """Say in an author's words what an expression did wrong while it ran."""
    place, what, hint = _blame(fault, sources, script), str(fault), ""
    source = next((source for source in sources.read.values() if source.file == place.file), None)
    if isinstance(fault, UndefinedError):
        if missing := re.fullmatch(r'"(.+)" is not defined', what):
            assigned = _ASSIGNED.findall(source.text) if source else []
            hint = did_you_mean(missing.group(1), [*names, *assigned, "range", "namespace"])
            if source is not None:
                exact = rf"(?<![\w.\"']){re.escape(missing.group(1))}(?!\w)"
                found = _column(source, place.line - source.first_line + 1, exact)
                place = found if found.column > 1 else place
    elif isinstance(fault, _BadPart):
        hint = fault.hint
    elif isinstance(fault, Overspent):
        hint = "a practice never needs that much; look for a loop inside a loop, or a text that repeats itself"
    elif isinstance(fault, ZeroDivisionError):
        what, hint = "division by zero", "divide only inside an {% if %} that leaves out zero"
    elif isinstance(fault, SyntaxError | MemoryError):
        what = "this script is nested too deeply"
    elif isinstance(fault, ValueError) and "integer string" in what:
        what = "this number is too long"
    elif not isinstance(fault, TemplateError | TypeError):
        # Python's own words may quote a listener's.
        what = f"this cannot be worked out ({type(fault).__name__})"
    return ScriptError(what, place=place, hint=hint)


def _syntax(fault: TemplateSyntaxError, sources: _Sources, script: Script) -> ScriptError:
    source = sources.read.get(fault.name or fault.filename or script.name) or sources.read[script.name]
    message = (fault.message or "this is not valid").strip().rstrip(".")
    hint = ""
    if "end of template" in message or "Encountered unknown tag 'end" in message:
        unclosed = _unclosed(source)
        if unclosed is not None:
            tag, offset = unclosed
            hint = f"write {{% end{tag} %}} where it ends"
            return ScriptError(f"{{% {tag} %}} is never closed", place=source.at(offset), hint=hint)
    if found := re.match(r"Encountered unknown tag '(\w+)'", message):
        tag = found.group(1)
        what = (
            f"{{% {tag} %}} closes nothing"
            if tag.startswith("end") or tag in {"else", "elif"}
            else f"there is no tag {{% {tag} %}}"
        )
        known_tags = ["for", "if", "set", "macro", "include", "raw", "with"]
        hint = _opening_hint(tag) if "closes" in what else did_you_mean(tag, known_tags)
        return ScriptError(what, place=_column(source, fault.lineno, rf"\{{%[-+]?\s*{tag}"), hint=hint)
    if found := re.match(r"No (filter|test) named '(\w+)'", message):
        sort, name = found.groups()
        known = Sandbox(sources, Marks(), lambda *_: "")
        hint = did_you_mean(name, known.filters if sort == "filter" else known.tests)
        return ScriptError(f"there is no {sort} {name}", place=_column(source, fault.lineno, rf"\b{name}\b"), hint=hint)
    for end, closing in (("end of print statement", "}}"), ("end of statement block", "%}")):
        if end in message:
            message, hint = message.replace(f"'{end}'", closing).replace(end, closing), f"close it with {closing}"
    return ScriptError(f"this cannot be read: {message}", place=_column(source, fault.lineno, r"\{[{%#]"), hint=hint)


def _opening_hint(tag: str) -> str:
    opener = tag.removeprefix("end") if tag.startswith("end") else "if"
    return f"write {{% {opener} … %}} above it, or leave it out"


def _unclosed(source: Source) -> tuple[str, int] | None:
    """Innermost tag that is open at the end, or where another tag is closed over its head; and its offset."""
    open_tags: list[tuple[str, int]] = []
    for offset, inside in _tags(source.text):
        if ended := _ENDS.match(inside):
            if open_tags and open_tags[-1][0] != ended.group(1):
                break
            del open_tags[-1:]
        elif opened := _OPENERS.match(inside):
            open_tags.append((opened.group(1) or "set", offset))
    return open_tags[-1] if open_tags else None


def _tags(text: str) -> Iterator[tuple[int, str]]:
    for match in re.finditer(r"\{#.*?#\}|\{%[-+]?\s*(.*?)[-+]?%\}", text, re.DOTALL):
        if match.group(1) is not None:
            yield match.start(), match.group(1)
