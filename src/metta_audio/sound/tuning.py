"""Notes and the intervals between them: equal, just and Pythagorean."""

from __future__ import annotations

import re
from collections.abc import Mapping

from metta_audio.errors import did_you_mean

A4 = 440.0
"""Hz of the A above middle C (ISO 16)."""

TUNINGS: Mapping[str, tuple[float, ...]] = {
    "equal": tuple(2 ** (step / 12) for step in range(12)),
    # Five-limit: thirds of 5/4 and 6/5 stand without beating, which is what makes a held chord calm.
    "just": (1, 16 / 15, 9 / 8, 6 / 5, 5 / 4, 4 / 3, 45 / 32, 3 / 2, 8 / 5, 5 / 3, 9 / 5, 15 / 8),
    # Stacked fifths of 3/2: open and a little bright.
    "pythagorean": (
        1, 256 / 243, 9 / 8, 32 / 27, 81 / 64, 4 / 3, 729 / 512, 3 / 2, 128 / 81, 27 / 16, 16 / 9, 243 / 128,
    ),
}  # fmt: skip
"""Ratios of the twelve steps above the root, by the name of the tuning."""

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHIFTS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_NOTE = re.compile(r"([A-Ga-g])([#♯b♭]?)(-?\d)")


def note_hertz(text: str, a4: float = A4) -> float:
    """Frequency of a note by its name and octave, in equal temperament with its A at ``a4`` Hz.

    Raises ``ValueError`` with a message fit for an author.

    >>> note_hertz("A2")
    110.0
    >>> round(note_hertz("C#3"), 2)
    138.59
    """
    found = _NOTE.fullmatch(text.strip())
    if not found:
        raise ValueError(f'"{text}" is not a note: write for example A2, C#3 or Bb2')
    letter, sign, octave = found.groups()
    from_a4 = _STEPS[letter.upper()] + _SHIFTS[sign] - 9 + 12 * (int(octave) - 4)
    return float(a4 * 2 ** (from_a4 / 12))


def interval(semitones: int, tuning: str) -> float:
    """Ratio of the note ``semitones`` above the root (below it, where negative).

    Raises ``ValueError`` for a tuning that is none.

    >>> interval(7, "just"), interval(19, "pythagorean")
    (1.5, 3.0)
    """
    if tuning not in TUNINGS:
        raise ValueError(f'"{tuning}" is not a tuning; {did_you_mean(tuning, TUNINGS)}')
    octave, step = divmod(semitones, 12)
    return float(TUNINGS[tuning][step] * 2.0**octave)
