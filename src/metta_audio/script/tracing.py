"""Prepare a template's source: a place mark before every stretch of text, and no trace of lines that only hold tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment

from metta_audio.errors import Place, ScriptError
from metta_audio.script.marks import Marks

_TAGS_LIMIT = 5_000
"""Expressions and tags in one file: one for each line of the longest practice. Compiling more takes seconds."""

_ENDS = {"variable_begin": "variable_end", "block_begin": "block_end", "comment_begin": "comment_end"}
_REST_OF_LINE = re.compile(r"[ \t]*(\n|\Z)")
_CLOSING = re.compile(r"[-+]?[%#]\}$")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the author: its text as a template, and the line of the file on which that text begins."""

    file: str
    text: str
    first_line: int

    def place(self, line: int, column: int = 1) -> Place:
        """Place of a line of the text, counted from 1."""
        return Place(self.file, self.first_line + line - 1, column)

    def at(self, offset: int) -> Place:
        """Place of a character of the text."""
        return self.place(self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset))


@dataclass(slots=True)
class _Element:
    """A stretch of the source: data, a print or a tag. ``keep`` is what is written for it."""

    kind: str
    begin: int
    end: int
    keep: str

    def drop_first(self, count: int) -> None:
        self.begin, self.keep = self.begin + count, self.keep[count:]


def trace(environment: Environment, source: Source, marks: Marks) -> str:
    """Return ``source`` with place marks in it, each line still on its line.

    Raises Jinja's ``TemplateSyntaxError``, and ``ScriptError`` for too many tags.
    """
    elements = list(_elements(environment, source))
    _swallow_tag_lines(source.text, elements)
    parts: list[str] = []
    position, line, start = 0, 1, 0
    for element in elements:
        if newlines := source.text.count("\n", position, element.begin):
            line, start = line + newlines, source.text.rfind("\n", 0, element.begin) + 1
        position = element.begin
        column = element.begin - start + 1
        if element.kind == "print":
            # In front of any space that its "{{-" strips, or the mark would keep it from being stripped.
            if parts and parts[-1].isspace() and element.keep.startswith("{{-"):
                parts.insert(-1, marks.place(source.place(line, column)))
            else:
                parts.append(marks.place(source.place(line, column)))
        if element.kind != "data":
            parts.append(element.keep)
            continue
        for index, piece in enumerate(re.findall(r"[^\n]*\n|[^\n]+", element.keep)):
            parts += [marks.place(source.place(line + index, 1 if index else column)), piece]
    return "".join(parts)


def _elements(environment: Environment, source: Source) -> Iterator[_Element]:
    """Cut the source into data, prints, tags, and the space that a minus sign in a tag strips."""
    text, position, tags = source.text, 0, 0
    opened: tuple[str, int] | None = None
    for _, name, value in environment.lexer.tokeniter(text, None):
        begin = text.find(value, position)
        if begin < 0:  # not reached: the lexer gives back slices of its input, space cut off at most
            continue
        if opened is None:
            if begin > position:
                yield _Element("space", position, begin, text[position:begin])
            if name in _ENDS:
                opened = (_ENDS[name], begin)
                tags += 1
            elif name in {"raw_begin", "raw_end"}:
                yield from _tag("tag", text, begin, begin + len(value))
            else:
                yield _Element("data", begin, begin + len(value), value)
        elif name == opened[0]:
            yield from _tag("print" if name == "variable_end" else "tag", text, opened[1], begin + len(value))
            opened = None
        if tags > _TAGS_LIMIT:
            raise ScriptError(f"this file has more than {_TAGS_LIMIT:,} expressions and tags", place=source.at(begin))
        position = begin + len(value)
    if opened is not None:  # never closed: Jinja will say so
        position = opened[1]
    if position < len(text):
        yield _Element("space", position, len(text), text[position:])


def _tag(kind: str, text: str, begin: int, end: int) -> Iterator[_Element]:
    """Yield a tag, and apart from it the space that its ``-%}`` strips."""
    closed = begin + len(text[begin:end].rstrip())
    yield _Element(kind, begin, closed, text[begin:closed])
    if closed < end:
        yield _Element("space", closed, end, text[closed:end])


def _swallow_tag_lines(text: str, elements: list[_Element]) -> None:
    """Let a line that holds only tags leave nothing behind, not even its line end.

    Jinja's own ``trim_blocks`` also eats the line end after a tag that follows words, and glues them to the next line.
    The line end moves into the tag, so that the lines keep their numbers.
    """
    index = 0
    while index < len(elements):
        last = _group_end(elements, index)
        if last is None:
            index += 1
            continue
        first, final = elements[index], elements[last]
        begin = text.rfind("\n", 0, first.begin) + 1
        rest = _REST_OF_LINE.match(text, final.end)
        if (
            not text[begin : first.begin].strip()
            and rest is not None
            and not final.keep.endswith(("+%}", "-%}", "-#}"))
        ):
            for element in elements[index:last]:
                element.keep = element.keep if element.kind == "tag" else ""
            if index and elements[index - 1].kind == "data":
                elements[index - 1].keep = elements[index - 1].keep.rstrip(" \t")
            if last + 1 < len(elements) and elements[last + 1].kind == "data":
                elements[last + 1].drop_first(rest.end() - final.end)
                closing = _CLOSING.search(final.keep)
                cut = closing.start() if closing else len(final.keep)
                final.keep = final.keep[:cut] + rest.group(1) + final.keep[cut:]
        index = last + 1


def _group_end(elements: list[_Element], index: int) -> int | None:
    """Index of the last of the tags that follow each other on one line from ``index`` on; None where no tag begins."""
    if elements[index].kind != "tag":
        return None
    last = index
    for follower in range(index + 1, len(elements)):
        element = elements[follower]
        if element.kind == "tag":
            last = follower
        elif element.kind == "print" or element.keep.strip() or "\n" in element.keep:
            break
    return last
