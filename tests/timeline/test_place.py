"""From a session and measured lengths to a timeline."""

from __future__ import annotations

import pytest

from metta_audio.errors import PacingError, Place
from metta_audio.script.model import (
    BedChange,
    Bell,
    Breath,
    Header,
    Item,
    Line,
    Minutes,
    Pause,
    Section,
    Session,
    SoundCue,
)
from metta_audio.timeline.chapters import to_json_chapters
from metta_audio.timeline.listing import rows, to_json
from metta_audio.timeline.place import LEAD_OUT, Extent, place
from metta_audio.units import RATE, Decibels, Samples, Seconds, to_samples

AT = Place("mine.md", 7, 3)


def pause(low: float, preferred: float, high: float, kind: str = "pause") -> Pause:
    return Pause(Seconds(low), Seconds(preferred), Seconds(high), kind, AT)  # type: ignore[arg-type]


def session(*sections: Section) -> Session:
    header = Header("T", "", Minutes(10, 3, 60), {}, {})
    return Session("mine", header, sections, 10, {}, 0, "0" * 64)


def section(title: str, *items: Item, **given: object) -> Section:
    return Section(title, items, AT, **given)  # type: ignore[arg-type]


def measure(item: Line | Bell | SoundCue) -> Extent:
    if isinstance(item, Bell):
        return Extent(to_samples(4 * item.strikes), to_samples(4 * item.strikes + 8))
    return Extent(to_samples(2), to_samples(2))


LINE = Line("guide", "May all be well.", AT)
BREATH = Breath((Seconds(4), Seconds(4), Seconds(6), Seconds(0)), 10, AT)


def test_events_are_contiguous_and_end_at_the_target() -> None:
    plan = place(
        session(
            section("One", Bell("", 1, AT), LINE, pause(1, 5, 60), BREATH, pause(1, 2, 90, "silence")),
            section("Two", BedChange("rain", Decibels(0), AT), LINE, pause(1, 2, 9), repeat_max=4),
            section("Three", LINE, Bell("", 1, AT)),
        ),
        measure,
        to_samples(300),
    )
    assert plan.length == to_samples(300)
    at = 0
    for event in plan.events:
        assert event.start == at
        assert event.low <= event.length <= event.high
        at = event.end
    assert at == plan.length


def test_breath_and_lines_keep_their_length_at_every_target() -> None:
    for seconds in (200, 260, 320):
        plan = place(session(section("One", LINE, BREATH, pause(0, 5, 200))), measure, to_samples(seconds))
        assert [event.length for event in plan.events if event.kind in ("line", "breath")] == [2 * RATE, 140 * RATE]


def test_the_last_bell_rings_out_before_the_end_even_when_what_follows_it_drops() -> None:
    one = section("One", LINE, Bell("", 2, AT))
    # Lead-in 4 s, line 2 s, bell 2 x 4 s, and its ring of another 8 s with the half second after it.
    shortest = to_samples(22.5)
    with pytest.raises(PacingError):
        place(session(one), measure, Samples(shortest - 1))
    plan = place(session(one), measure, shortest)
    bell = next(event for event in plan.events if event.kind == "bell")
    assert bell.start + bell.ring < plan.length
    optional = section("Two", pause(1, 1, 1), LINE, optional=True)
    dropped = place(session(one, optional), measure, shortest)
    bell = next(event for event in dropped.events if event.kind == "bell")
    assert len(dropped.chapters) == 1
    assert bell.start + bell.ring < dropped.length


def test_a_bell_that_is_switched_off_is_listed_as_the_pause_it_leaves() -> None:
    filled = session(section("One", LINE, Bell("", 2, AT), LINE, pause(1, 5, 60)))
    plan = place(filled, lambda item: Extent(to_samples(3), Samples(0)), to_samples(60))
    (row,) = [row for row in rows(plan, filled) if isinstance(row.event.item, Bell)]
    assert (row.kind, row.text, row.seconds, row.low, row.high) == ("pause", "no bell", 3, 3, 3)
    assert "bell" in [event.kind for event in place(filled, measure, to_samples(60)).events]


def test_a_bell_that_has_died_away_adds_nothing_to_the_end() -> None:
    early = session(section("One", Bell("", 1, AT), pause(20, 20, 20), LINE))
    plan = place(early, measure, to_samples(4 + 4 + 20 + 2 + 8))
    assert plan.events[-1].length == to_samples(LEAD_OUT[0])


def test_chapters_are_contiguous_from_zero_to_the_end_and_hold_their_repeats() -> None:
    plan = place(
        session(
            section("One", LINE, pause(1, 2, 3)),
            section("Dropped", LINE, pause(900, 900, 900), optional=True),
            section("Two", LINE, pause(1, 2, 3), repeat_min=3, repeat_max=3),
        ),
        measure,
        to_samples(30),
    )
    assert [(chapter.title, chapter.repeats) for chapter in plan.chapters] == [("One", 1), ("Two", 3)]
    assert plan.chapters[0].start == 0
    assert plan.chapters[1].start == plan.chapters[0].length
    assert plan.chapters[1].start + plan.chapters[1].length == plan.length
    document = to_json_chapters(plan.chapters)
    assert document["version"] == "1.2.0"
    assert [chapter["startTime"] for chapter in document["chapters"]] == sorted(
        chapter["startTime"] for chapter in document["chapters"]
    )
    assert document["chapters"][-1]["endTime"] == 30.0


def test_too_short_a_length_says_what_is_possible_and_what_to_change() -> None:
    long_one = session(
        section("First", LINE, pause(60, 90, 120)), section("Second", LINE, pause(30, 30, 30)), section("End", LINE)
    )
    with pytest.raises(PacingError) as failure:
        place(long_one, measure, to_samples(60))
    message = str(failure.value)
    assert "1:00 cannot be met" in message
    assert "the shortest possible is 1:48, the longest 3:00" in message
    assert 'make "Second" {optional} (mine.md:7:3): saves 0:32' in message
    assert "shorten the lower bound (mine.md:7:3): saves up to 1:00" in message
    # Who opens and who brings back is never dropped.
    assert "First" not in message
    assert "End" not in message
    assert "\n" not in message


def test_too_long_a_length_proposes_repeats_and_silence_that_do_suffice() -> None:
    brief = session(section("Only", LINE, pause(10, 20, 40, "silence")))
    with pytest.raises(PacingError) as failure:
        place(brief, measure, to_samples(600))
    message = str(failure.value)
    assert "{repeat=1..14}" in message
    repaired = session(section("Only", LINE, pause(10, 20, 40, "silence"), repeat_max=14))
    assert place(repaired, measure, to_samples(600)).length == to_samples(600)
    assert "raise the silence (mine.md:7:3) to 9:34" in message
    raised = session(section("Only", LINE, pause(10, 20, 574, "silence")))
    assert place(raised, measure, to_samples(600)).length == to_samples(600)


def test_the_timeline_as_json_names_its_schema_and_counts_every_sample() -> None:
    filled = session(section("One", LINE, BREATH, pause(1, 5, 60)))
    plan = place(filled, measure, to_samples(200))
    record = to_json(plan, filled, estimated=True)
    assert record["schema"] == "metta_audio.timeline/1"
    assert sum(event["samples"] for event in record["events"]) == record["samples"] == 200 * RATE
    breath = next(event for event in record["events"] if event["kind"] == "breath")
    assert [phase["name"] for phase in breath["phases"][:3]] == ["in", "hold", "out"]
    assert breath["phases"][3]["start_samples"] - breath["start_samples"] == 14 * RATE
    assert Samples(breath["start_samples"]) == next(e.start for e in plan.events if e.kind == "breath")
