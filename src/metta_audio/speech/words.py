"""What counts as a word: the unit of caption times and of every rate in words a minute."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

from metta_audio.speech.voice import Word
from metta_audio.units import Samples, Seconds, WordsPerMinute

_TOKEN = re.compile(r"\S+")


def word_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """``(start, end)`` of each word: what stands between white space, its punctuation included.

    A dash or an emoji by itself is no word: a word has a letter or a digit.

    >>> word_ranges("Rest now — yes.")
    ((0, 4), (5, 8), (11, 15))
    """
    tokens = ((token.start(), token.end()) for token in _TOKEN.finditer(text))
    return tuple((start, end) for start, end in tokens if any(map(str.isalnum, text[start:end])))


def word_numbers(text: str) -> dict[int, int]:
    """The number of the word, counted from 0, that each character of ``text`` is of; white space is of none.

    >>> word_numbers("I am")
    {0: 0, 2: 1, 3: 1}
    """
    return {at: number for number, (start, end) in enumerate(word_ranges(text)) for at in range(start, end)}


def speaking_time(words: int, rate: WordsPerMinute) -> Seconds:
    """How long ``words`` take at ``rate`` words a minute."""
    return Seconds(words * 60 / rate)


def words_at(text: str, known: Mapping[int, int], frames: int) -> tuple[Word, ...]:
    """Give the words of ``text`` with their onsets in samples.

    ``known`` holds onsets by the word's number, as far as an engine told them; the others are set between their
    neighbours by counting characters. The text begins at sample 0 and ends at ``frames``. Onsets never fall.
    """
    ranges = word_ranges(text)
    anchors = [(0, 0), *((ranges[number][0], onset) for number, onset in sorted(known.items())), (len(text), frames)]
    words: list[Word] = []
    for number, (start, end) in enumerate(ranges):
        onset = known.get(number)
        if onset is None:
            left = max(anchor for anchor in anchors if anchor[0] <= start)
            right = min(anchor for anchor in anchors if anchor[0] > start)
            share = Fraction(start - left[0], right[0] - left[0])
            onset = left[1] + math.floor(share * (right[1] - left[1]))
        earliest = words[-1].onset if words else 0
        words.append(Word(start, end, Samples(min(max(onset, earliest), frames))))
    return tuple(words)
