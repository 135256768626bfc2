"""Session + measured lengths + target → Timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from metta_audio.errors import PacingError
from metta_audio.script.model import BedChange, Bell, Breath, Item, Line, Pause, Section, Session, SoundCue
from metta_audio.timeline.advice import explain
from metta_audio.timeline.breath import length as breath_length
from metta_audio.timeline.model import Chapter, Event, EventKind, Timeline
from metta_audio.timeline.pace import DoesNotFit, Gap, Pacing, Part, pace
from metta_audio.units import RATE, Samples, Seconds, to_samples

LEAD_IN = (Seconds(4.0), Seconds(5.0), Seconds(8.0))
"""Shortest, preferred and longest bed before the first word or bell. Four seconds is how long the bed fades in."""

LEAD_OUT = (Seconds(8.0), Seconds(10.0), Seconds(16.0))
"""Shortest, preferred and longest sound after the last word. Eight seconds is how long the bed fades out."""

AFTER_RING = Seconds(0.5)
"""The last bell is silent this long before the end: a file that stops with the tail sounds cut off."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a sounding item keeps its place (``length``), and how long it sounds (``ring``), in samples."""

    length: Samples
    ring: Samples


Measure = Callable[[Line | Bell | SoundCue], Extent]


def place(
    session: Session, measure: Measure, target: Samples, *, opening: Bell | None = None, closing: Bell | None = None
) -> Timeline:
    """Lay the session out in exactly ``target`` samples, after an ``opening`` and before a ``closing`` bell, if any.

    ``measure`` gives the length of every line, bell and sound; the same item always gets the same answer.
    Raises PacingError, with the possible lengths and what to change, when the target cannot be met.
    """
    edges = _edges(session, measure, opening, closing)
    parts = [edges[0].part, *(_part(section, measure) for section in session.sections), edges[1].part]
    try:
        pacing = pace(parts, target)
    except DoesNotFit:
        raise explain(parts, target) from None
    return _lay(session, measure, pacing, edges)


@dataclass(frozen=True, slots=True)
class _Edge:
    """What comes before the first section, or after the last: a gap of ``part``, and a bell where there is one."""

    part: Part
    bell: Bell | None
    extent: Extent
    first: bool


def _edges(session: Session, measure: Measure, opening: Bell | None, closing: Bell | None) -> tuple[_Edge, _Edge]:
    first, last = (measure(bell) if bell else Extent(Samples(0), Samples(0)) for bell in (opening, closing))
    ring_out = _ring_out(session.sections, measure)
    if last.ring:
        ring_out = Samples(max(ring_out - last.length, last.ring - last.length + to_samples(AFTER_RING)))
    return (
        _Edge(_edge(LEAD_IN, Samples(0), first), opening, first, first=True),
        _Edge(_edge(LEAD_OUT, ring_out, last), closing, last, first=False),
    )


def _edge(bounds: Sequence[Seconds], at_least: Samples, bell: Extent) -> Part:
    low, preferred, high = (Samples(max(to_samples(bound), at_least)) for bound in bounds)
    return Part("", bell.length, (Gap(low, preferred, high),))


def _part(section: Section, measure: Measure) -> Part:
    rigid = sum(_extent(item, measure).length for item in section.items if not isinstance(item, Pause))
    gaps = tuple(_gap(item) for item in section.items if isinstance(item, Pause))
    return Part(
        title=section.title,
        rigid=Samples(rigid),
        gaps=gaps,
        share=section.share,
        repeat_min=section.repeat_min,
        repeat_max=section.repeat_max,
        optional=section.optional,
        place=section.place,
    )


def _gap(pause: Pause) -> Gap:
    return Gap(
        to_samples(pause.low),
        to_samples(pause.preferred),
        to_samples(pause.high),
        weight=pause.weight,
        unguided=pause.kind == "silence",
        # Only what the author wrote can be pointed at; implied gaps are not theirs to shorten.
        place=pause.place if pause.kind in ("pause", "silence") else None,
    )


def _extent(item: Item, measure: Measure) -> Extent:
    if isinstance(item, Breath):
        length = breath_length(item)
        return Extent(length, length)
    if isinstance(item, BedChange | Pause):
        return Extent(Samples(0), Samples(0))
    return measure(item)


def _ring_out(sections: Sequence[Section], measure: Measure) -> Samples:
    """How long the last bell may still sound after the last item, whichever optional sections drop."""
    longest = 0
    for section in reversed(sections):
        after = 0
        for item in reversed(section.items):
            extent = _extent(item, measure)
            after += to_samples(item.low) if isinstance(item, Pause) else extent.length
            if extent.ring > extent.length:
                longest = max(longest, extent.ring - after)
        if not section.optional:
            break
    return Samples(longest + to_samples(AFTER_RING) if longest > 0 else 0)


def _lay(session: Session, measure: Measure, pacing: Pacing, edges: tuple[_Edge, _Edge]) -> Timeline:
    """Put events one after another: lead-in, sections, lead-out."""
    cursor = 0
    events: list[Event] = []
    starts: list[tuple[int, int]] = []
    for index, (repeats, row) in enumerate(zip(pacing.repeats, pacing.gaps, strict=True)):
        lengths = iter(row)
        section = index - 1
        edge = {0: edges[0], len(pacing.repeats) - 1: edges[1]}.get(index)
        if repeats and not edge:
            starts.append((section, cursor))
        for _ in range(repeats):
            placed = _edge_events(edge, lengths) if edge else _events(session.sections[section], lengths, measure)
            for kind, length, low, high, item, ring in placed:
                at = min(max(section, 0), len(session.sections) - 1)
                events.append(
                    Event(kind, Samples(cursor), length, low, high, section=at, item=item, ring=Samples(ring))
                )
                cursor += length
    if not starts:
        raise PacingError("every section is optional, and none fits", hint="let one section always sound")
    return Timeline(RATE, Samples(cursor), tuple(events), _chapters(session, starts, pacing, cursor))


_Placed = tuple[EventKind, Samples, Samples, Samples, Item | None, Samples]


def _edge_events(edge: _Edge, lengths: Iterator[Samples]) -> Iterable[_Placed]:
    """A bell stands between the gap and the sections: last at the beginning, first at the end."""
    gap, extent = edge.part.gaps[0], edge.extent
    events: list[_Placed] = [("pause", next(lengths), gap.low, gap.high, None, Samples(0))]
    if edge.bell is not None:
        kind: EventKind = "bell" if extent.ring else "pause"
        events.append((kind, extent.length, extent.length, extent.length, edge.bell, extent.ring))
    yield from events if edge.first else reversed(events)


def _events(section: Section, lengths: Iterator[Samples], measure: Measure) -> Iterable[_Placed]:
    for item in section.items:
        if isinstance(item, Pause):
            kind: EventKind = "silence" if item.kind == "silence" else "pause"
            yield kind, next(lengths), to_samples(item.low), to_samples(item.high), item, Samples(0)
        else:
            extent = _extent(item, measure)
            # A bell that does not ring, because bells are switched off, leaves its silence.
            kind = "pause" if isinstance(item, Bell) and not extent.ring else _KINDS[type(item)]
            yield kind, extent.length, extent.length, extent.length, item, extent.ring


_KINDS: dict[type[Item], EventKind] = {
    Line: "line",
    Bell: "bell",
    Breath: "breath",
    BedChange: "bed",
    SoundCue: "sound",
}


def _chapters(session: Session, starts: Sequence[tuple[int, int]], pacing: Pacing, length: int) -> tuple[Chapter, ...]:
    """One chapter for each section that sounds. The first begins at 0 and the last ends with the recording."""
    begins = [0, *(start for _, start in starts[1:])]
    ends = chain(begins[1:], [length])
    return tuple(
        Chapter(session.sections[section].title, Samples(begin), Samples(end - begin), pacing.repeats[section + 1])
        for (section, _), begin, end in zip(starts, begins, ends, strict=True)
    )
