"""Inline tokens to what a section holds: lines of one sentence each, with their spans, and cues between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import cast

import sentencex
from markdown_it.token import Token

from metta_audio.errors import Place, ScriptError
from metta_audio.script.marks import NOTHING, VALUE_MARK, Marks, Value
from metta_audio.script.model import GUIDE, Item, Line, Span, SpanKind

_UNBROKEN = frozenset({"ipa", "sub"})

_RUN_LIMIT = 20_000
"""Characters between two cues: more than 20 minutes of speech without one pause is a file gone wrong."""

SENTENCE_CHARACTERS, SENTENCE_WORDS = 1_000, 100
"""Longest sentence. At 110 words a minute a hundred words are nearly a minute without a pause, which nobody can follow;
and each sentence becomes one sound, held in memory whole. Some writing has no spaces: hence the characters."""

_STAND_IN = "Value"
"""A listener's text is one capitalised word to the sentence splitter: no name changes the structure."""


@dataclass(eq=False, slots=True)
class _Style:
    kind: SpanKind
    value: str


@dataclass(slots=True)
class _Letter:
    """One character of a run: where it stood, what is laid over it, which private value it is part of."""

    char: str
    position: int
    styles: tuple[_Style, ...]
    private: Value | None = None


@dataclass(slots=True)
class Speaker:
    """Turns the tokens of one passage into items. ``at`` gives the place of a position in the passage."""

    at: Callable[[int], Place]
    marks: Marks
    language: str
    role: str = GUIDE
    _run: list[_Letter] = field(default_factory=list)
    _open: list[tuple[_Style, ...]] = field(default_factory=list)

    def items(self, tokens: list[Token]) -> Iterator[Item]:
        """Lines and cues of the passage, in order. Text without a letter or digit is not spoken."""
        position = 0
        unheard: int | None = None  # where a role stands that has said nothing yet
        for token in tokens:
            position = token.meta.get("pos", position)
            if token.type == "role":
                self._check_heard(unheard)
                unheard = position
            elif token.type == "cue" or token.content.strip(" " + NOTHING):
                unheard = None
            match token.type:
                case "text" | "softbreak":
                    self._add(token.content, position)
                case "em_open" | "strong_open":
                    self._open.append((_Style("emphasis", ""),))
                case "modifier_open":
                    self._open.append(tuple(_Style(kind, value) for kind, value in token.meta["styles"]))
                case "em_close" | "strong_close" | "modifier_close":
                    self._open.pop()
                case "role":
                    yield from self._lines()
                    self.role = token.content
                case "cue":
                    yield from self._lines()
                    yield cast("Item", token.meta["item"])
        self._check_heard(unheard)
        yield from self._lines()

    def _check_heard(self, unheard: int | None) -> None:
        if unheard is not None:
            hint = "write the words behind it, in the same paragraph"
            raise ScriptError("this role says nothing", place=self.at(unheard), hint=hint)

    def text(self, tokens: list[Token]) -> str:
        """All of the passage as plain text: for a title."""
        for token in tokens:
            if token.type in {"text", "softbreak"}:
                self._add(token.content, token.meta.get("pos", 0))
        text = "".join(letter.char for letter in self._run).strip()
        self._run = []
        return text

    def _add(self, content: str, position: int) -> None:
        end = 0
        for mark in VALUE_MARK.finditer(content):
            self._letters(content[end : mark.start()], position + end)
            (value,) = self.marks.values_in(mark.group())
            self._letters(value.text, position + mark.start(), value)
            end = mark.end()
        self._letters(content[end:], position + end)

    def _letters(self, text: str, position: int, value: Value | None = None) -> None:
        styles = tuple(style for group in self._open for style in group)
        private = value if value is not None and value.private and text.strip() else None
        if len(self._run) + len(text) > _RUN_LIMIT:
            what = f"more than {_RUN_LIMIT:,} characters stand here without a cue"
            raise ScriptError(
                what, place=self.at(position), hint="leave a line empty between paragraphs, or add a [pause]"
            )
        for index, char in enumerate(text):
            if char == NOTHING or "\ufdd0" <= char <= "\ufdef":
                continue
            at = position if value is not None else position + index
            if not char.isspace():
                self._run.append(_Letter(char, at, styles, private))
            elif self._run and self._run[-1].char != " ":
                self._run.append(_Letter(" ", at, styles, private))

    def _lines(self) -> Iterator[Line]:
        run, self._run = self._run, []
        bounds = [0, *(end for end in _sentence_ends(run, self.language) if not _joined(run, end)), len(run)]
        for start, stop in pairwise(bounds):
            sentence = run[start:stop]
            while sentence and sentence[-1].char == " ":
                sentence.pop()
            while sentence and sentence[0].char == " ":
                del sentence[0]
            text = "".join(letter.char for letter in sentence)
            if any(char.isalnum() for char in text):
                line = Line(self.role, text, self.at(sentence[0].position), _spans(sentence), _private(sentence))
                _check_length(line)
                yield line


def _check_length(line: Line) -> None:
    """Refuse a sentence that is too long to be heard. Its words may be a listener's: they are not repeated."""
    spoken = [line.text, *(span.value for span in line.spans if span.kind in _UNBROKEN)]
    characters, words = sum(map(len, spoken)), sum(len(text.split()) for text in spoken)
    if characters <= SENTENCE_CHARACTERS and words <= SENTENCE_WORDS:
        return
    limit = f"{SENTENCE_WORDS} words" if words > SENTENCE_WORDS else f"{SENTENCE_CHARACTERS:,} characters"
    what = f"this sentence has more than {limit}: nobody can follow it"
    raise ScriptError(what, place=line.place, hint="end it sooner, with a full stop")


def _joined(run: list[_Letter], end: int) -> bool:
    """Tell whether a pronunciation or a substitute lies across this sentence end: it must not be torn."""
    before = {id(style) for style in run[end - 1].styles if style.kind in _UNBROKEN}
    return any(id(style) in before for style in run[end].styles)


def _sentence_ends(run: list[_Letter], language: str) -> Iterator[int]:
    """Indices into ``run`` at which a new sentence starts."""
    shown: list[str] = []
    index_of: list[int] = []
    for index, letter in enumerate(run):
        if letter.private is None:
            piece = letter.char
        elif index and run[index - 1].private is letter.private:
            continue
        else:
            piece = _STAND_IN
        shown.append(piece)
        index_of.extend([index] * len(piece))
    text = "".join(shown)
    sentences = sentencex.segment(language.partition("-")[0], text) if text else []
    if "".join(sentences) != text:  # the splitter must never cost a word
        return
    end = 0
    for sentence in sentences[:-1]:
        end += len(sentence)
        if 0 < end < len(index_of) and index_of[end] > 0:
            yield index_of[end]


def _private(sentence: list[_Letter]) -> tuple[tuple[int, int], ...]:
    """The parts of one sentence that come from a listener's free text."""
    found, start = [], 0
    for private, letters in groupby(sentence, key=lambda letter: letter.private is not None):
        end = start + len(list(letters))
        if private:
            found.append((start, end))
        start = end
    return tuple(found)


def _spans(sentence: list[_Letter]) -> tuple[Span, ...]:
    """Markup over one sentence, outermost first where two begin together."""
    found: dict[int, tuple[_Style, int, int]] = {}
    for index, letter in enumerate(sentence):
        for style in letter.styles:
            start = found[id(style)][1] if id(style) in found else index
            found[id(style)] = (style, start, index + 1)
    spans = []
    for style, start, end in found.values():
        while end > start and sentence[end - 1].char == " ":
            end -= 1  # noqa: PLW2901 - a span ends with its last word
        first = start
        while first < end and sentence[first].char == " ":
            first += 1
        if first < end:
            spans.append(Span(first, end, style.kind, style.value))
    return tuple(sorted(spans, key=lambda span: (span.start, -span.end)))
