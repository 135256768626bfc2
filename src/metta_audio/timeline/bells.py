"""Bells that no script asks for: at both ends of a session, and every so often in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metta_audio.script.model import BedChange, Bell, Pause, Section, Session
from metta_audio.timeline.model import Event, Timeline
from metta_audio.timeline.place import AFTER_RING, Extent
from metta_audio.units import RATE, Samples, Seconds, to_samples

BEFORE = Seconds(0.8)
"""Quiet before an interval bell: struck right after a word, it would cut it off."""

APART = Seconds(20.0)
"""From one bell to the next, at least: an interval bell that falls in with another of the script is not needed."""

NEAR = 0.25
"""Part of the interval by which a bell may be early or late. Further off it would belong to another interval."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A timeline with its interval bells; ``missed`` are the times, in samples, at which there was no room for one."""

    timeline: Timeline
    missed: tuple[Samples, ...]


def without_opening_bell(session: Session) -> Session:
    """The session without the bell that its first section begins with, if it does."""
    first = session.sections[0]
    return replace(session, sections=(_without_bell(first, first.items), *session.sections[1:]))


def without_closing_bell(session: Session) -> Session:
    """The session without the bell that its last section ends with, if it does."""
    last = session.sections[-1]
    return replace(session, sections=(*session.sections[:-1], _without_bell(last, last.items[::-1])))


def _without_bell(section: Section, items: Sequence[object]) -> Section:
    """Without the first of ``items`` that sounds, if that is a bell; not where the section is heard again."""
    found = next((item for item in items if not isinstance(item, Pause | BedChange)), None)
    if not isinstance(found, Bell) or section.repeat_max > 1:
        return section
    return replace(section, items=tuple(item for item in section.items if item is not found))


def ring_every(timeline: Timeline, every: Samples, bell: Bell, extent: Extent) -> Rung:
    """Ring ``bell`` every ``every`` samples, each time in the pause or silence nearest to it that has room.

    There is room where nothing is said for ``BEFORE`` before it and until it has fallen (``extent.length``) after it,
    and where no other bell is near. Nothing moves: the bell takes its time out of the pause.
    """
    events = list(timeline.events)
    missed = []
    for due in range(every, timeline.length - every // 2, every):
        place = _nearest(events, due, every, extent, timeline.length)
        if place is None:
            missed.append(Samples(due))
        else:
            index, start = place
            events[index : index + 1] = _split(events[index], start, bell, extent)
    return Rung(replace(timeline, events=tuple(events)), tuple(missed))


def _nearest(events: Sequence[Event], due: int, every: int, extent: Extent, end: int) -> tuple[int, Samples] | None:
    """Index of the pause nearest to ``due`` in which the bell has room, and where in it."""
    best: tuple[int, int, Samples] | None = None
    rung = [event.start for event in events if event.kind == "bell"]
    for index, event in enumerate(events):
        # Not in the lead-in or lead-out: both belong to the bed.
        if event.kind not in ("pause", "silence") or event.item is None:
            continue
        first = event.start + to_samples(BEFORE, RATE)
        last = min(event.end - extent.length, end - extent.ring - to_samples(AFTER_RING, RATE))
        if first > last:
            continue
        start = min(max(due, first), last)
        away = abs(start - due)
        if away > every * NEAR or any(abs(start - other) < to_samples(APART, RATE) for other in rung):
            continue
        if best is None or away < best[0]:
            best = (away, index, Samples(start))
    return best[1:] if best else None


def _split(pause: Event, start: Samples, bell: Bell, extent: Extent) -> list[Event]:
    """The pause before the bell, the bell, and what is left of the pause."""

    def part(begin: int, end: int) -> Event:
        length = Samples(end - begin)
        return replace(pause, start=Samples(begin), length=length, low=length, high=length)

    after = start + extent.length
    ringing = Event(
        "bell", start, extent.length, extent.length, extent.length, pause.section, item=bell, ring=extent.ring
    )
    rest = [part(after, pause.end)] if after < pause.end else []
    return [part(pause.start, start), ringing, *rest]
