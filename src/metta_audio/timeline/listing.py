"""The timeline as rows: for a table, for JSON, for a plot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from metta_audio.script.model import BedChange, Bell, Breath, Session, SoundCue
from metta_audio.timeline.breath import phases
from metta_audio.timeline.model import Event, Timeline
from metta_audio.units import to_seconds

SCHEMA = "metta_audio.timeline/1"


@dataclass(frozen=True, slots=True)
class Row:
    """One event. ``text`` is what is said, or what the cue is; times are in seconds."""

    start: float
    seconds: float
    low: float
    high: float
    kind: str
    role: str
    section: str
    text: str
    event: Event


def rows(timeline: Timeline, session: Session) -> Iterator[Row]:
    """Every event in order."""
    for event in timeline.events:
        yield Row(
            start=to_seconds(event.start),
            seconds=to_seconds(event.length),
            low=to_seconds(event.low),
            high=to_seconds(event.high),
            kind=event.kind,
            role=event.role,
            section=session.sections[event.section].title,
            text=event.text or _describe(event),
            event=event,
        )


def to_json(timeline: Timeline, session: Session, *, estimated: bool) -> dict[str, Any]:
    """The whole timeline under its schema name. Samples are exact; seconds are for people."""
    return {
        "schema": SCHEMA,
        "practice": session.name,
        "title": session.header.title,
        "estimated": estimated,
        "rate": timeline.rate,
        "samples": timeline.length,
        "seconds": to_seconds(timeline.length),
        "sections": [
            {
                "title": chapter.title,
                "start": to_seconds(chapter.start),
                "seconds": to_seconds(chapter.length),
                "repeats": chapter.repeats,
            }
            for chapter in timeline.chapters
        ],
        "events": [_event(row) for row in rows(timeline, session)],
    }


def _event(row: Row) -> dict[str, Any]:
    event = row.event
    record: dict[str, Any] = {
        "start": row.start,
        "seconds": row.seconds,
        "start_samples": event.start,
        "samples": event.length,
        "kind": row.kind,
        "role": row.role,
        "section": row.section,
        "text": row.text,
        "bounds": [row.low, row.high],
        "place": str(event.place) if event.place else None,
    }
    if isinstance(event.item, Breath):
        record["cautions"] = list(event.item.cautions)
        record["phases"] = [
            {
                "name": phase.name,
                "start": to_seconds(event.start + phase.start),
                "seconds": to_seconds(phase.end - phase.start),
                "start_samples": event.start + phase.start,
            }
            for phase in phases(event.item)
        ]
    return record


def _describe(event: Event) -> str:
    item = event.item
    if isinstance(item, Bell):
        return f"{item.name or 'bell'} x{item.strikes}" if event.kind == "bell" else "no bell"
    if isinstance(item, Breath):
        inward, hold, outward, rest = item.phases
        lengths = (inward, hold, outward, rest) if rest else (inward, hold, outward) if hold else (inward, outward)
        written = "-".join(f"{seconds:g}" for seconds in lengths)
        named = f"{item.pattern} ({written})" if item.pattern else written
        return f"{named} x{item.cycles} {item.sound}".rstrip()
    if isinstance(item, BedChange):
        return item.name or f"{item.level:+g} dB"
    if isinstance(item, SoundCue):
        return item.name
    if item is None:
        return "lead-in" if event.start == 0 else "lead-out"
    return ""
