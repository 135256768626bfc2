"""Notes have their frequencies, and tunings their intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.sound.tuning import TUNINGS, interval, note_hertz


@pytest.mark.parametrize(
    ("note", "hertz"),
    [
        ("A4", 440.0),
        ("a2", 110.0),
        ("C4", 261.626),
        ("C#3", 138.591),
        ("Db3", 138.591),
        ("B♭2", 116.541),
        ("B3", 246.942),
    ],
)
def test_notes(note: str, hertz: float) -> None:
    assert note_hertz(note) == pytest.approx(hertz, abs=0.001)
    assert note_hertz(note, 432.0) == pytest.approx(hertz * 432 / 440, abs=0.001)


@pytest.mark.parametrize("word", ["", "H2", "A", "2A", "A22", "A2 D3", "C##3", "440"])
def test_what_is_no_note(word: str) -> None:
    with pytest.raises(ValueError, match="not a note"):
        note_hertz(word)


@pytest.mark.parametrize("tuning", TUNINGS)
@given(semitones=st.integers(-48, 60))
def test_intervals(tuning: str, semitones: int) -> None:
    ratio = interval(semitones, tuning)
    assert interval(semitones + 12, tuning) == pytest.approx(2 * ratio)
    assert interval(semitones + 1, tuning) > ratio
    assert ratio == pytest.approx(2 ** (semitones / 12), rel=0.013)  # a quarter of a semitone


def test_what_makes_them_different() -> None:
    assert interval(4, "just") == 5 / 4
    assert interval(7, "pythagorean") == 3 / 2
    assert interval(4, "pythagorean") == interval(7, "pythagorean") ** 4 / 4
    with pytest.raises(ValueError, match='did you mean "equal"'):
        interval(4, "equl")
