"""What the timeline says of a session, on timelines that can be counted by hand."""

from __future__ import annotations

import pytest

from metta_audio.errors import Place
from metta_audio.rendering.figures import SessionFigures, count_words, session_figures
from metta_audio.script.model import Line
from metta_audio.timeline.model import Event, EventKind, Timeline
from metta_audio.units import Hertz, Samples

NOWHERE = Place("s.md", 1)


def timeline(*parts: tuple[EventKind, float, str], rate: int = 100) -> Timeline:
    """Events of so many seconds, one after the other; a line has a text."""
    events, at = [], 0
    for kind, seconds, text in parts:
        length = Samples(round(seconds * rate))
        item = Line("guide", text, NOWHERE) if kind == "line" else None
        events.append(Event(kind, Samples(at), length, length, length, 0, item))
        at += length
    return Timeline(Hertz(rate), Samples(at), tuple(events), ())


def test_a_session_counted_by_hand() -> None:
    found = session_figures(
        timeline(
            ("pause", 5, ""), ("line", 6, "You are sitting here."), ("pause", 4, ""), ("bell", 3, ""),
            ("line", 4, "Breathing in, breathing out"), ("breath", 20, ""), ("silence", 10, ""),
            ("line", 2, "That is all."), ("pause", 6, ""),
        )
    )  # fmt: skip
    assert found == SessionFigures(
        lines=3, words=11, silence_share=0.8, breath_share=round(20 / 60, 4), articulation=55.0, net=11.0,
        longest_silence=30.0, longest_silence_at=22.0,
    )  # fmt: skip


def test_nobody_speaks() -> None:
    found = session_figures(timeline(("pause", 5, ""), ("bell", 5, "")))
    assert (found.lines, found.silence_share, found.articulation, found.net) == (0, 1.0, 0.0, 0.0)
    assert (found.longest_silence, found.longest_silence_at) == (10.0, 0.0)
    assert session_figures(timeline()).longest_silence == 0


def test_somebody_always_speaks() -> None:
    found = session_figures(timeline(("line", 3, "One two."), ("line", 3, "Three.")))
    assert (found.silence_share, found.longest_silence, found.articulation, found.net) == (0.0, 0.0, 30.0, 30.0)


def test_the_first_of_two_equal_silences_counts() -> None:
    found = session_figures(timeline(("pause", 3, ""), ("line", 1, "One."), ("pause", 3, "")))
    assert (found.longest_silence, found.longest_silence_at) == (3.0, 0.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("One.", 1), ("in — and out", 3), ("it's half-open", 2), ("4 7 8", 3), ("…", 0), ("Grüß dich", 2)],
)
def test_words_are_what_a_person_counts(text: str, words: int) -> None:
    assert count_words(text) == words
