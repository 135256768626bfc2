"""Inside a paragraph: markdown-it's inline parser with our own rules for cues, roles and speech modifiers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from metta_audio.errors import Place, ScriptError, did_you_mean
from metta_audio.script.cues import cue_names, read_cue
from metta_audio.script.library import Library
from metta_audio.script.marks import NOTHING, Marks
from metta_audio.script.model import Role

MODIFIERS = ("ipa", "sub", "slow", "fast", "soft", "loud")
_WITH_VALUE = frozenset({"ipa", "sub"})
_EXCLUSIVE = ({"ipa", "sub"}, {"slow", "fast"}, {"soft", "loud"})

_NESTING_LIMIT = 5
"""Modifiers around modifiers. Two make sense (slow and soft can also be written together); five are a mistake."""

_WORD = r"[^\W\d_][\w'’-]*"
_SPEAKER = re.compile(
    rf"{NOTHING}*(\*\*|\*|__|_)?({_WORD}(?: {_WORD}){{0,2}})((?:\*\*|\*|__|_)?[ \t]*):(\*\*|\*|__|_)?"
)
_TEXT = re.compile(r"[^\n\\\[\]()<`*_]+")
_BRACKET = re.compile(r"\[[^\[\]]*\]")
_QUOTED_BRACKET = re.compile(r'\[((?:[^\[\]"]|"[^"\n]*")*)\]')
_MODIFIER = re.compile(r'\s*([^\W\d_]+)\s*(?::\s*("[^"]*"))?\s*(?:;|$)')
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[!?]")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@dataclass(slots=True)
class Passage:
    """One run of inline text and what its rules need to know. ``at`` gives the place of a position in the text."""

    text: str
    at: Callable[[int], Place]
    marks: Marks
    roles: Mapping[str, str] | None
    library: Library | None = None
    line_start: int = 0
    _pairs: dict[int, int] | None = None
    depth: int = field(default=0)

    def closing(self, start: int) -> int | None:
        """Position of the ``)`` that closes the ``(`` at ``start``."""
        if self._pairs is None:
            self._pairs = {}
            opened: list[int] = []
            for match in re.finditer(r"\\.|[()]", self.text, re.DOTALL):
                if match.group() == "(":
                    opened.append(match.start())
                elif match.group() == ")" and opened:
                    self._pairs[opened.pop()] = match.start()
        return self._pairs.get(start)


def role_labels(roles: Mapping[str, Role]) -> Mapping[str, str]:
    """Everything an author may write before the colon, in small letters, and the role it names."""
    labels = {role.title.lower(): name for name, role in roles.items() if role.title}
    return MappingProxyType(labels | {name: name for name in roles})


def inline_parser() -> MarkdownIt:
    """Make a parser whose inline rules are those of this language only."""
    parser = MarkdownIt("zero")
    rules = parser.inline.ruler
    own: list[tuple[str, Callable[[StateInline, bool], bool]]] = [
        ("metta_line", _line_start),
        ("metta_text", _text),
        ("metta_newline", _newline),
        ("metta_escape", _escape),
        ("metta_cue", _cue),
        ("metta_modifier", _modifier),
        ("metta_foreign", _foreign),
    ]
    for name, rule in own:
        rules.before("text", name, rule)
    rules.push("metta_literal", _literal)
    rules.enableOnly([name for name, _ in own] + ["emphasis", "metta_literal"])
    parser.inline.ruler2.enableOnly(["balance_pairs", "emphasis"])
    return parser


def read_inline(parser: MarkdownIt, passage: Passage) -> list[Token]:
    """Parse one passage to text, softbreak, cue and role tokens and em, strong and modifier pairs."""
    tokens: list[Token] = []
    parser.inline.parse(passage.text, parser, {"passage": passage}, tokens)
    return tokens


def _passage(state: StateInline) -> Passage:
    passage: Passage = state.env["passage"]
    return passage


def _push(state: StateInline, kind: str, content: str, nesting: int = 0, **meta: object) -> None:
    token = state.push(kind, "", nesting)  # type: ignore[arg-type]
    token.content = content
    token.meta = {"pos": state.pos, **meta}


def _text(state: StateInline, silent: bool) -> bool:  # noqa: ARG001 - markdown-it's signature, here and below
    match = _TEXT.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    _push(state, "text", match.group())
    state.pos = match.end()
    return True


def _literal(state: StateInline, silent: bool) -> bool:  # noqa: ARG001
    """Whatever no rule wanted is spoken as it stands."""
    _push(state, "text", state.src[state.pos])
    state.pos += 1
    return True


def _newline(state: StateInline, silent: bool) -> bool:  # noqa: ARG001
    match = re.compile(r"\\?\n[ \t]*").match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    _push(state, "softbreak", " ")
    state.pos = _passage(state).line_start = match.end()
    return True


def _escape(state: StateInline, silent: bool) -> bool:  # noqa: ARG001
    if state.src[state.pos] != "\\":
        return False
    after = state.src[state.pos + 1 : state.pos + 2]
    escaped = after in _PUNCTUATION and state.pos + 1 < state.posMax
    _push(state, "text", after if escaped else "\\")
    state.pos += 2 if escaped else 1
    return True


def _cue(state: StateInline, silent: bool) -> bool:  # noqa: ARG001
    passage, start = _passage(state), state.pos
    if state.src[start] == "]":
        raise ScriptError("this ] closes nothing", place=passage.at(start), hint="to speak it write \\]")
    if state.src[start] != "[":
        return False
    match = _BRACKET.match(state.src, start, state.posMax)
    if match is None:
        hint = "close the cue with ]; to speak the bracket write \\["
        raise ScriptError("this [ is never closed", place=passage.at(start), hint=hint)
    inside = match.group()[1:-1]
    if state.src[match.end() : match.end() + 1] == "(" and not inside.lower().startswith(cue_names()):
        hint = "write only the words; to speak the brackets write \\[ and \\]"
        raise ScriptError("a link cannot be heard", place=passage.at(start), hint=hint)
    # Names of beds, bells and sounds are shown in plans, manifests and errors.
    if any(value.private and value.text.strip() for value in passage.marks.values_in(inside)):
        hint = "give the parameter the type choice or number"
        raise ScriptError("a cue may not hold a listener's own words", place=passage.at(start), hint=hint)
    cue = read_cue(
        passage.marks.resolve(inside),
        passage.at(start),
        shown=passage.marks.resolve(inside, hide_private=True),
        library=passage.library,
    )
    _push(state, "cue", "", item=cue)
    state.pos = match.end()
    if passage.line_start == start:  # "[bell] Self: …" still has its role at the start of the line
        while state.pos < state.posMax and state.src[state.pos] in " \t":
            state.pos += 1
        passage.line_start = state.pos
    return True


def _line_start(state: StateInline, silent: bool) -> bool:  # noqa: ARG001
    """``Role:`` at the start of a line."""
    passage = _passage(state)
    if passage.roles is None or state.pos != passage.line_start:
        return False
    if state.src[state.pos] == "#":
        hint = "a section is # and a space and its title; to speak the sign write \\#"
        raise ScriptError("this line starts with #", place=passage.at(state.pos), hint=hint)
    match = _SPEAKER.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    before, words, space, behind = match.groups()
    role = passage.roles.get(words.lower())
    apart = state.src[match.end() : match.end() + 1] in {"", " ", "\t", "\n", "[", "(", NOTHING, "\ufdd1"}
    if role is not None and not (before or behind or space.strip()):
        _push(state, "role", role)
        state.pos = passage.line_start = match.end()
        return True
    if apart and not (space and role is None):  # prose may have a space before its colon
        _undeclared(words, passage, state.pos, emphasised=bool(before or behind or space.strip()))
    return False


def _undeclared(words: str, passage: Passage, position: int, *, emphasised: bool) -> None:
    """Refuse what looks like a speaker that is not declared; prose with a colon passes."""
    roles = passage.roles or {}
    literal = f"to speak it write {words}\\:"
    if words.lower() in roles:
        if emphasised:
            raise ScriptError(
                f"a role takes no asterisks: {words}", place=passage.at(position), hint=f"write {words}: …"
            )
        return
    near = difflib.get_close_matches(words.lower(), roles, n=1, cutoff=0.75)
    alone = " " not in words
    if near:
        hint = f'did you mean "{near[0].capitalize()}:"? {literal}'
    elif alone and words[0].isupper():
        hint = f"declare it under roles: in the front matter; {literal}"
    else:
        return
    raise ScriptError(f'no role "{words}" is declared', place=passage.at(position), hint=hint)


def _modifier(state: StateInline, silent: bool) -> bool:  # noqa: ARG001
    """``(text)[slow; sub:"…"]``."""
    passage, start, limit = _passage(state), state.pos, state.posMax
    close = passage.closing(start) if state.src[start] == "(" else None
    if close is None or close + 1 >= limit or state.src[close + 1] != "[":
        return False
    bracket = _QUOTED_BRACKET.match(state.src, close + 1, limit)
    if bracket is None:
        hint = 'write for example (text)[slow] or (word)[sub:"…"]'
        raise ScriptError("this [ is never closed", place=passage.at(close + 1), hint=hint)
    first = re.match(r"\s*([^\W\d_]*)", bracket.group(1))
    if first is not None and first.group(1).lower() in cue_names():
        return False  # "(softly)[pause 3s]": words in brackets, then a cue
    styles = _styles(bracket.group(1), passage, close + 1)
    if close == start + 1:
        raise ScriptError("there is no text in these brackets", place=passage.at(start), hint="write (text)[slow]")
    if passage.depth >= _NESTING_LIMIT:
        raise ScriptError(
            "modifiers are nested too deeply", place=passage.at(start), hint="join them: (text)[slow; soft]"
        )
    _push(state, "modifier_open", "", 1, styles=styles)
    passage.depth += 1
    state.pos, state.posMax = start + 1, close
    state.md.inline.tokenize(state)
    passage.depth -= 1
    state.pos, state.posMax = bracket.end(), limit
    _push(state, "modifier_close", "", -1)
    return True


def _styles(text: str, passage: Passage, position: int) -> tuple[tuple[str, str], ...]:
    """Read what stands in the brackets after a text: names, each with its value or none."""
    place, end = passage.at(position), 0
    styles: dict[str, str] = {}
    while end < len(text) or not styles:
        match = _MODIFIER.match(text, end)
        if match is None:
            shown = passage.marks.resolve(text, hide_private=True).strip()
            hint = did_you_mean(shown, [*MODIFIERS, *cue_names()])
            raise ScriptError(f"[{shown[:60]}] is no speech modifier", place=place, hint=hint)
        name, quoted, end = match.group(1).lower(), match.group(2), match.end()
        if name not in MODIFIERS:
            hint = did_you_mean(name, [*MODIFIERS, *cue_names()])
            raise ScriptError(f'there is no speech modifier "{name}"', place=place, hint=hint)
        value = passage.marks.resolve(quoted[1:-1]).strip() if quoted else ""
        if (name in _WITH_VALUE) != bool(value):
            hint = f'write [{name}:"…"]' if name in _WITH_VALUE else f"write [{name}]"
            what = f"{name} takes no value" if value else f"{name} needs a value"
            raise ScriptError(what, place=place, hint=hint)
        styles[name] = value
    for pair in _EXCLUSIVE:
        if pair <= set(styles):
            raise ScriptError(f"{' and '.join(sorted(pair))} exclude each other", place=place, hint="keep one")
    return tuple(styles.items())


def _foreign(state: StateInline, silent: bool) -> bool:  # noqa: ARG001
    """Markdown and HTML that has no meaning here is refused: it would be read out, sign by sign."""
    passage, char = _passage(state), state.src[state.pos]
    if char == "`":
        hint = "leave the ` out, or write \\` to speak it"
        raise ScriptError("code has no meaning here", place=passage.at(state.pos), hint=hint)
    if char == "<" and (tag := _TAG.match(state.src, state.pos, state.posMax)):
        what = f"{tag.group()[:40]} is HTML, which has no meaning here"
        raise ScriptError(what, place=passage.at(state.pos), hint="leave it out; a literal < is \\<")
    return False
