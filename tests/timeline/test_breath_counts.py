"""When each breath turns, what is counted in it, and what fits around it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import Place
from metta_audio.script.model import Breath
from metta_audio.timeline.breath import Phase, counts, length, phases, preparation, tail_room
from metta_audio.units import RATE, Samples, Seconds, to_samples


def breath(*lengths: float, cycles: int = 1, sip: float = 0.0) -> Breath:
    inward, hold, outward, rest = (Seconds(each) for each in lengths)
    return Breath((inward, hold, outward, rest), cycles, Place("test.md", 1), sip=Seconds(sip))


def spoken(cue: Breath) -> list[tuple[str, int, float]]:
    return [(count.phase, count.number, count.start / RATE) for count in counts(cue)]


def test_a_sip_is_the_end_of_the_breath_in():
    found = phases(breath(2.5, 0, 4, 0, cycles=2, sip=0.5))
    assert [phase.name for phase in found] == ["in", "sip", "out"] * 2
    assert [phase.end / RATE for phase in found] == [2, 2.5, 6.5, 8.5, 9, 13]
    assert length(breath(2.5, 0, 4, 0, cycles=2, sip=0.5)) == length(breath(2.5, 0, 4, 0, cycles=2)) == 13 * RATE


def test_without_a_sip_nothing_changes():
    assert phases(breath(4, 1, 6, 1)) == (
        Phase("in", 0, Samples(0), to_samples(4)),
        Phase("hold", 0, to_samples(4), to_samples(5)),
        Phase("out", 0, to_samples(5), to_samples(11)),
        Phase("rest", 0, to_samples(11), to_samples(12)),
    )


def test_every_second_that_leaves_room_is_counted():
    assert spoken(breath(4, 2, 3, 0)) == [
        ("in", 1, 0), ("in", 2, 1), ("in", 3, 2), ("in", 4, 3), ("hold", 1, 4), ("hold", 2, 5),
        ("out", 1, 6), ("out", 2, 7), ("out", 3, 8),
    ]  # fmt: skip
    # The sixth second of 5.5 is only half there.
    assert [number for name, number, _ in spoken(breath(5.5, 0, 5.5, 0)) if name == "out"] == [1, 2, 3, 4, 5]
    assert [number for name, number, _ in spoken(breath(5.8, 0, 5.5, 0)) if name == "in"] == [1, 2, 3, 4, 5, 6]
    # The first is always said, however short the phase.
    assert spoken(breath(2.5, 0, 0.3, 0, sip=0.5)) == [("in", 1, 0), ("in", 2, 1), ("sip", 1, 2), ("out", 1, 2.5)]


durations = st.integers(1, 12_000).map(lambda ms: ms / 1000)


@given(durations, durations, durations, durations, st.integers(1, 9), st.sampled_from([RATE, 8000]))
def test_counts_lie_on_whole_seconds_of_their_phase(a: float, b: float, c: float, d: float, cycles: int, rate: int):
    cue = breath(a, b, c, d, cycles=cycles)
    found, course = counts(cue, rate), phases(cue, rate)
    assert [count.start for count in found] == sorted({count.start for count in found})
    assert [count.phase for count in found if count.number == 1] == [phase.name for phase in course]
    for phase in course:
        inside = [count for count in found if phase.start <= count.start < phase.end]
        assert [count.start for count in inside] == [phase.start + rate * index for index in range(len(inside))]
        assert [count.number for count in inside] == list(range(1, len(inside) + 1))
        assert all(phase.end - count.start >= to_samples(0.8, rate) for count in inside[1:])
        assert phase.end - (inside[-1].start + rate) < to_samples(0.8, rate)  # none is missing


def test_what_fits_into_the_pause_around_a_breath():
    lengths = (0, 0.7, 1.0, 1.4, 1.5, 2.0, 3.5, 6.0, 60.0)
    assert [preparation(to_samples(gap)) / RATE for gap in lengths] == [0, 0, 0, 0, 1.0, 1.5, 3.0, 3.0, 3.0]
    assert [round(tail_room(to_samples(gap)) / RATE, 4) for gap in lengths] == [0, 0, 0.7, 1.1, 1.2, 1.5, 1.5, 1.5, 1.5]
