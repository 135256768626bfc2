"""Bells that the listener asks for: at both ends, and every so often."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import Place
from metta_audio.script.model import Bell, Header, Item, Line, Minutes, Pause, Section, Session, SoundCue
from metta_audio.timeline.bells import APART, BEFORE, NEAR, ring_every, without_closing_bell, without_opening_bell
from metta_audio.timeline.model import Timeline
from metta_audio.timeline.place import AFTER_RING, Extent, place
from metta_audio.units import Samples, Seconds, to_samples

AT = Place("mine.md", 7, 3)
ASKED = Bell("", 1, Place("", 1))
BELL = Extent(to_samples(4), to_samples(12))
LINE = Line("guide", "May all be well.", AT)


def pause(low: float, high: float, kind: str = "pause") -> Pause:
    return Pause(Seconds(low), Seconds((low + high) / 2), Seconds(high), kind, AT)  # type: ignore[arg-type]


def session(*sections: Section) -> Session:
    return Session("mine", Header("T", "", Minutes(10, 3, 60), {}, {}), sections, 10, {}, 0, "0" * 64)


def section(*items: Item, **given: object) -> Section:
    return Section("One", items, AT, **given)  # type: ignore[arg-type]


def measure(item: Line | Bell | SoundCue) -> Extent:
    return BELL if isinstance(item, Bell) else Extent(to_samples(2), to_samples(2))


def seconds(timeline: Timeline, kind: str) -> list[float]:
    return [event.start / timeline.rate for event in timeline.events if event.kind == kind]


def contiguous(timeline: Timeline) -> bool:
    return (
        timeline.events[0].start == 0
        and timeline.events[-1].end == timeline.length
        and all(one.end == other.start for one, other in pairwise(timeline.events))
        and all(event.length > 0 for event in timeline.events)
    )


SILENT = session(section(LINE, pause(1, 3000, "silence"), LINE))


def test_in_a_long_silence_the_bell_is_on_time() -> None:
    timeline = place(SILENT, measure, to_samples(1800))
    rung = ring_every(timeline, to_samples(300), ASKED, BELL)
    assert seconds(rung.timeline, "bell") == [300, 600, 900, 1200, 1500]
    assert rung.missed == ()
    assert contiguous(rung.timeline)
    assert [event for event in rung.timeline.events if event.kind == "line"] == [
        event for event in timeline.events if event.kind == "line"
    ]


def test_between_lines_it_takes_the_nearest_pause_that_has_room() -> None:
    talk = session(section(*[LINE, pause(6, 6)] * 60))
    timeline = place(talk, measure, to_samples(500))
    rung = ring_every(timeline, to_samples(120), ASKED, BELL)
    assert len(seconds(rung.timeline, "bell")) == 3
    for due, at in zip((120, 240, 360), seconds(rung.timeline, "bell"), strict=True):
        assert abs(at - due) <= 8
    lines = [event for event in rung.timeline.events if event.kind == "line"]
    for event in rung.timeline.events:
        if event.kind == "bell":
            assert all(line.end + to_samples(BEFORE) <= event.start or line.start >= event.end for line in lines)


def test_without_room_it_says_when() -> None:
    crowded = session(section(*[LINE, pause(3, 3)] * 80))
    rung = ring_every(place(crowded, measure, to_samples(414)), to_samples(120), ASKED, BELL)
    assert seconds(rung.timeline, "bell") == []
    assert rung.missed == tuple(to_samples(due) for due in (120, 240))  # 360 would be at the end


def test_it_keeps_away_from_other_bells() -> None:
    timeline = place(
        session(section(LINE, pause(290, 290, "silence"), Bell("", 1, AT), pause(100, 900, "silence"), LINE)),
        measure,
        to_samples(700),
    )
    rung = ring_every(timeline, to_samples(300), ASKED, BELL)
    bells = [event for event in rung.timeline.events if event.kind == "bell"]
    assert all(two.start - one.start >= to_samples(APART) for one, two in pairwise(bells))


@given(
    st.lists(st.tuples(st.floats(0.5, 40), st.booleans()), min_size=1, max_size=30),
    st.integers(30, 400),
    st.integers(0, 300),
)
def test_whatever_the_pauses_nothing_else_moves(gaps: list[tuple[float, bool]], every: int, more: int) -> None:
    items: list[Item] = [LINE]
    for low, bell in gaps:
        items += [pause(low, low + 60), *([Bell("", 1, AT)] if bell else []), LINE]
    rigid = sum(2 + low + 4 * bell for low, bell in gaps) + 40
    timeline = place(session(section(*items)), measure, to_samples(rigid + more * len(gaps) / 10))
    rung = ring_every(timeline, to_samples(every), ASKED, BELL)
    assert contiguous(rung.timeline)
    assert rung.timeline.length == timeline.length

    def others(given: Timeline) -> list[tuple[str, int, int]]:
        return [(e.kind, e.start, e.length) for e in given.events if e.item is not ASKED and e.kind in ("line", "bell")]

    assert others(rung.timeline) == others(timeline)
    for event in rung.timeline.events:
        if event.item is ASKED:
            due = round(event.start / to_samples(every)) * to_samples(every)
            assert abs(event.start - due) <= NEAR * to_samples(every)
            assert event.start + event.ring + to_samples(AFTER_RING) <= timeline.length


def test_bells_of_the_listener_stand_at_both_ends_and_the_last_rings_out() -> None:
    timeline = place(SILENT, measure, to_samples(120), opening=ASKED, closing=ASKED)
    kinds = [event.kind for event in timeline.events]
    assert kinds == ["pause", "bell", "line", "silence", "line", "bell", "pause"]
    last = next(event for event in reversed(timeline.events) if event.kind == "bell")
    assert last.start + last.ring + to_samples(AFTER_RING) <= timeline.length
    assert contiguous(timeline)


def test_the_scripts_own_bells_at_the_ends_can_be_taken_away() -> None:
    own = session(
        section(Bell("", 1, AT), LINE, Bell("", 2, AT), LINE), section(LINE, pause(1, 2), Bell("", 3, AT), pause(4, 6))
    )
    opened = without_opening_bell(own)
    assert [item for item in opened.sections[0].items if isinstance(item, Bell)] == [Bell("", 2, AT)]
    assert opened.sections[1] == own.sections[1]
    closed = without_closing_bell(own)
    assert not [item for item in closed.sections[1].items if isinstance(item, Bell)]
    assert closed.sections[0] == own.sections[0]
    for keeps in (session(section(LINE, Bell("", 1, AT), LINE)), session(section(Bell("", 1, AT), repeat_max=2))):
        assert without_opening_bell(keeps) == keeps
        assert without_closing_bell(keeps) == keeps


def test_a_bell_that_is_switched_off_is_a_pause() -> None:
    timeline = place(SILENT, lambda item: Extent(Samples(100), Samples(0)), to_samples(120), opening=ASKED)
    assert [event.kind for event in timeline.events][:2] == ["pause", "pause"]
