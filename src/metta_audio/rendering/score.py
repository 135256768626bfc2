"""Plan → score: every event of the timeline becomes something that sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from metta_audio.errors import VoiceError
from metta_audio.rendering.flow import Plan
from metta_audio.script.model import BedChange, Bell, Breath, Line, SoundCue
from metta_audio.sound.bed import Bed
from metta_audio.sound.bed_track import BedTrack
from metta_audio.sound.bell import BellModel, ring, spacing
from metta_audio.sound.breath import Swell
from metta_audio.sound.duck import Ducking
from metta_audio.sound.mix import Placed, Score, Source, WaveSource
from metta_audio.timeline.model import Event
from metta_audio.units import Decibels, Samples


def to_score(plan: Plan) -> Score:
    """Everything that sounds, placed. Nothing is decided here: each start and length is the timeline's."""
    events = plan.timeline.events
    voice = tuple(_speech(plan, event, event.item) for event in events if isinstance(event.item, Line))
    return Score(
        length=plan.timeline.length,
        voice=voice,
        cues=tuple(cue for event in events for cue in _cues(plan, event)),
        bed=_bed(plan),
        ducking=Ducking(tuple((placed.start, Samples(placed.start + placed.length)) for placed in voice)),
    )


def _speech(plan: Plan, event: Event, line: Line) -> Placed:
    store, key = plan.store, plan.spoken[line].key
    role = plan.session.header.roles.get(line.role)

    def open_clip() -> Source:
        clip = store.get(key) if store else None
        if clip is None:
            raise VoiceError("a spoken clip has gone from the cache", place=line.place, hint="render again")
        return WaveSource(clip.wave, pan=role.pan if role else 0.0)

    return Placed(event.start, event.length, open_clip)


def _cues(plan: Plan, event: Event) -> Iterator[Placed]:
    item = event.item
    if isinstance(item, Breath):
        yield Placed(event.start, event.length, lambda: Swell(item))
    elif isinstance(item, SoundCue):
        yield Placed(event.start, event.length, lambda: WaveSource(plan.palette.sound(item)))
    elif isinstance(item, Bell):
        model = plan.palette.bell(item)
        if model is not None:
            # Seeded by where it sounds: no two strikes are the same, and each is the same every time.
            for number in range(item.strikes):
                start = Samples(event.start + number * spacing(model))
                yield Placed(start, ring(model, 1), _strike(model, plan.session.seed + event.start, number))


def _strike(model: BellModel, seed: int, number: int) -> Callable[[], Source]:
    # Made when the mix reaches it: a bell every few minutes for an hour would fill the memory.
    return lambda: WaveSource(model.strike(seed, number))


def _bed(plan: Plan) -> Source | None:
    """The bed of the whole recording, with its changes; None where it never sounds."""
    palette = plan.palette
    changes: list[tuple[Samples, Bed | None, Decibels]] = [(Samples(0), palette.first_bed(), palette.bed_offset)]
    for event in plan.timeline.events:
        if isinstance(event.item, BedChange):
            bed, level = changes[-1][1], Decibels(palette.bed_offset + event.item.level)
            if event.item.name:
                bed = palette.bed(event.item)
            changes.append((event.start, bed, level))
    if all(bed is None for _, bed, _ in changes):
        return None
    return BedTrack(changes, plan.timeline.length)
