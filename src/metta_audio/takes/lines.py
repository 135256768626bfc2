"""The lines of a session that a person reads: once each, numbered, with how long each should take."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from metta_audio.script.model import Line, Session, Span
from metta_audio.speech.words import word_ranges

COUNTS = "Counted breaths"
"""Section of the words that a counter speaks: they stand in no section of the script."""

_LETTERS = 4.5
"""Letters of an average word: English practices have 4.2, German ones 5."""

_PER_WORD = 0.3
"""Share of an average word's time that every word takes, however short: "I am a" lasts longer than its letters."""

_PER_LINE = 0.5
"""Words that a line lasts beyond its letters: its last word is drawn out."""

_DIGIT = 4.0
"""Letters of a digit, once it is spoken."""

_SYLLABLE = 3.0
"""Letters of a sign that stands for a syllable, as in Chinese, Japanese and Korean."""

_PACE = {"slow": 1.25, "fast": 0.85}
"""What a person makes of [slow] and [fast]."""

_SHORTEST, _LONGEST = 0.6, 1.7
"""Of what its words take at a person's own pace. Lines differ by a quarter; with a half missing, or a second reading,
they differ by a half or by two."""

_FEW = 3.0
"""Words of average length under which a line is drawn out or clipped at will."""

_FEW_SHORTEST, _FEW_LONGEST = 0.4, 2.5
"""The same for such lines."""

_ALIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"})
"""Typographic signs and plain ones sound the same."""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line to read.

    ``number`` counts from 1; ``roles`` are all who say it; ``words`` is how long it takes, in words of average length.
    """

    number: int
    roles: tuple[str, ...]
    text: str
    section: str
    words: float
    spans: tuple[Span, ...] = ()

    @property
    def key(self) -> str:
        """Under which its take is kept."""
        return key(self.text)


def key(text: str) -> str:
    """Sha256, in hex, of ``text`` without case, surplus white space and the punctuation around it.

    A take so serves every script in which the line stands, whoever says it there.

    >>> key("May I be safe.") == key("  may I  be safe")
    True
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_ALIKE).casefold().split())
    sounding = [at for at, letter in enumerate(plain) if letter.isalnum()]
    bare = plain[sounding[0] : sounding[-1] + 1] if sounding else plain
    return hashlib.sha256(bare.encode()).hexdigest()


def expected_words(text: str, spans: Iterable[Span] = ()) -> float:
    """How long ``text`` takes to say, in words of average length.

    >>> round(expected_words("May I be safe, and well."), 2)
    5.2
    """
    paces = [1.0] * len(text)
    for span in spans:
        if span.kind in _PACE:
            paces[span.start : span.end] = [_PACE[span.kind]] * (span.end - span.start)
    letters = sum(pace * _letters(letter) for letter, pace in zip(text, paces, strict=True))
    return _PER_LINE + _PER_WORD * len(word_ranges(text)) + (1 - _PER_WORD) * letters / _LETTERS


def usual_lengths(words: float) -> tuple[float, float]:
    """The shortest and the longest that ``words`` may last, as shares of what they take at a person's own pace."""
    return (_FEW_SHORTEST, _FEW_LONGEST) if words < _FEW else (_SHORTEST, _LONGEST)


def _letters(sign: str) -> float:
    """How many letters a sign lasts once it is spoken."""
    if not sign.isalnum():
        return 0.0
    if sign.isdigit():
        return _DIGIT
    return _SYLLABLE if unicodedata.east_asian_width(sign) in "WF" else 1.0


def sheet_lines(session: Session, counted: Iterable[Line] = ()) -> tuple[SheetLine, ...]:
    """Every distinct line of ``session`` in the order in which it is first said, then what is ``counted`` aloud.

    The same session gives the same numbers. A line that several roles say is read once: they share the voice.
    """
    spoken = [(section.title, item) for section in session.sections for item in section.items if isinstance(item, Line)]
    found: dict[str, SheetLine] = {}
    for title, line in [*spoken, *((COUNTS, line) for line in counted)]:
        name = key(line.text)
        known = found.get(name)
        if known is None:
            words = expected_words(line.text, line.spans)
            found[name] = SheetLine(len(found) + 1, (line.role,), line.text, title, words, line.spans)
        elif line.role not in known.roles:
            found[name] = replace(known, roles=(*known.roles, line.role))
    return tuple(found.values())
