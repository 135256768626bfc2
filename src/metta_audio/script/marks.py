"""Marks that travel invisibly through the template and the markup: where text came from, and what is only a value.

Three marks, all made of Unicode noncharacters (U+FDD0..U+FDEF), which no exchanged text may contain:

- a *place* mark says "the text from here on stood at this place of the author's file";
- a *value* mark stands for what an expression printed, so that a listener's name is never read as markup;
- a *nothing* fills the room of a removed comment, so that the columns behind it stay true.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from metta_audio.errors import Place

PLACE, VALUE, END, NOTHING = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
RESERVED = re.compile("[\ufdd0-\ufdef]")
MARK = re.compile("([\ufdd0\ufdd1])([\ufde0-\ufdef]+)\ufdd2")
VALUE_MARK = re.compile("\ufdd1([\ufde0-\ufdef]+)\ufdd2")

_DIGITS = {ord(digit): chr(0xFDE0 + int(digit, 16)) for digit in "0123456789abcdef"}
_UNDIGITS = {ord(mark): chr(digit) for digit, mark in _DIGITS.items()}
# Surrogates cannot be spoken, captioned or written to a file; reserved characters would be taken for marks.
_UNSPEAKABLE = re.compile("[\ud800-\udfff\ufdd0-\ufdef]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and exotic line ends: a space, wherever text is read. (Tab and newline stay.)"""


def speakable(text: str) -> str:
    """``text`` without what no voice, caption or file can hold."""
    return CONTROL.sub(" ", _UNSPEAKABLE.sub("", text))


def _write(kind: str, index: int) -> str:
    return f"{kind}{format(index, 'x').translate(_DIGITS)}{END}"


def read_index(digits: str) -> int:
    """Index that the digits of a mark stand for."""
    return int(digits.translate(_UNDIGITS), 16)


@dataclass(slots=True)
class Value:
    """What an expression printed. ``private``: it comes from a listener's free text."""

    text: str
    private: bool


@dataclass(slots=True)
class Marks:
    """All marks made while one script is filled."""

    places: list[Place] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def place(self, place: Place) -> str:
        """Mark that says where the text behind it stood."""
        self.places.append(place)
        return _write(PLACE, len(self.places) - 1)

    def value(self, text: str, *, private: bool) -> str:
        """Mark that stands for a printed value: one line, without what cannot be spoken."""
        self.values.append(Value(re.sub(r"\s+", " ", speakable(text)), private))
        return _write(VALUE, len(self.values) - 1)

    def resolve(self, text: str, *, hide_private: bool = False) -> str:
        """Text with its values in place; ``hide_private`` shows free text as "…", for error messages."""

        def put(match: re.Match[str]) -> str:
            value = self._lookup(match.group(1))
            return "…" if value.private and hide_private else value.text

        return RESERVED.sub("", VALUE_MARK.sub(put, text))

    def values_in(self, text: str) -> list[Value]:
        """Values that ``text`` prints, in order."""
        return [self._lookup(match.group(1)) for match in VALUE_MARK.finditer(text)]

    def _lookup(self, digits: str) -> Value:
        index = read_index(digits)
        # Slicing a macro's text can cut a mark in two; what is left then stands for nothing.
        return self.values[index] if index < len(self.values) else Value("", private=False)


@dataclass(frozen=True, slots=True)
class Marked:
    """Rendered text without its place marks, and where each stretch of it stood in the author's files."""

    text: str
    marks: Marks
    offsets: tuple[int, ...]
    places: tuple[Place, ...]

    def at(self, offset: int) -> Place:
        """Where the character at ``offset`` stood."""
        index = max(0, bisect_right(self.offsets, offset) - 1)
        start = self.places[index]
        return Place(start.file, start.line, start.column + max(0, offset - self.offsets[index]))


def lift_places(rendered: str, marks: Marks, start: Place) -> Marked:
    """Take the place marks out of ``rendered`` and remember their offsets; ``start`` is where it begins."""
    parts: list[str] = []
    offsets, places = [0], [start]
    length = position = 0
    for match in MARK.finditer(rendered):
        if match.group(1) != PLACE:
            continue
        parts.append(rendered[position : match.start()])
        length += match.start() - position
        position = match.end()
        index = read_index(match.group(2))
        if index < len(marks.places):
            offsets.append(length)
            places.append(marks.places[index])
    parts.append(rendered[position:])
    return Marked("".join(parts), marks, tuple(offsets), tuple(places))
