"""Plan → score: every event of the timeline becomes something that sounds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace

from metta_audio.errors import VoiceError
from metta_audio.rendering.counting import breath_sound, spoken_counts
from metta_audio.rendering.flow import Plan
from metta_audio.script.model import BedChange, Bell, Breath, Line, Role, SoundCue
from metta_audio.sound.bed import Bed
from metta_audio.sound.bed_track import BedTrack
from metta_audio.sound.bell import BellModel, ring, spacing
from metta_audio.sound.breath import BedSwell, open_breath
from metta_audio.sound.duck import Stretch
from metta_audio.sound.forecast import brought_to
from metta_audio.sound.mix import Placed, Score, Source, WaveSource
from metta_audio.sound.room import placed, tail
from metta_audio.speech.clip import LEAD
from metta_audio.timeline.breath import preparation, tail_room
from metta_audio.timeline.model import Event
from metta_audio.units import Decibels, Samples, to_samples

BedStart = tuple[Samples, Bed | None, Decibels]
"""From this sample on this bed, so many dB above its own level."""


def to_score(plan: Plan, *, with_bed: bool = True) -> Score:
    """Everything that sounds, placed. Nothing is decided here: each start and length is the timeline's.

    ``with_bed=False`` leaves the bed out and nothing else: its gain is that of the recording with a bed.
    """
    whole = brought_to(_laid(plan, bed_starts(plan)), plan.mastering.target)
    return whole if with_bed else replace(_laid(plan, ()), gain=whole.gain)


def _laid(plan: Plan, beds: tuple[BedStart, ...]) -> Score:
    led = swelling(plan, beds)
    return Score(
        length=plan.timeline.length,
        voice=tuple(_speech(plan, start, line) for start, line in said(plan)),
        cues=tuple(cue for number in range(len(plan.timeline.events)) for cue in _cues(plan, number, beds)),
        bed=BedTrack(beds, plan.timeline.length) if any(bed is not None for _, bed, _ in beds) else None,
        ducking=plan.mastering.ducked(speech(plan), breaths(plan)),
        swell=BedSwell(led) if led else None,
        gain=plan.mastering.gain,
    )


def said(plan: Plan) -> list[tuple[Samples, Line]]:
    """Every line that is spoken, and when, in order: the script's, and the numbers of counted breaths."""
    lines: list[tuple[Samples, Line]] = []
    for event in plan.timeline.events:
        if isinstance(event.item, Line):
            lines.append((event.start, event.item))
        elif isinstance(event.item, Breath) and breath_sound(event.item, plan.session, plan.options) == "count":
            # A clip begins a little before its first sound, which is what belongs on the second.
            at = event.start - to_samples(LEAD)
            counts = spoken_counts(event.item, plan.session.header.language)
            lines += [(Samples(max(0, at + count.start)), line) for count, line in counts]
    return lines


def speech(plan: Plan) -> tuple[Stretch, ...]:
    """From where to where each of ``said`` sounds, in samples."""
    return tuple((start, Samples(start + plan.spoken[line].length)) for start, line in said(plan))


def breaths(plan: Plan) -> tuple[Stretch, ...]:
    """From where to where breaths are led, in samples."""
    return tuple((event.start, event.end) for event in plan.timeline.events if event.kind == "breath")


def swelling(plan: Plan, beds: tuple[BedStart, ...]) -> tuple[tuple[Samples, Breath], ...]:
    """The breaths that the bed itself leads, each with its start."""
    return tuple(
        (event.start, event.item)
        for event in plan.timeline.events
        if isinstance(event.item, Breath) and _leads(plan, event, event.item, beds) == "bed"
    )


def bed_starts(plan: Plan) -> tuple[BedStart, ...]:
    """Which bed sounds from when on, at what level, in order."""
    palette = plan.palette
    chosen = palette.first_bed
    starts = [(Samples(0), chosen.bed, Decibels(palette.bed_offset + chosen.offset))]
    for event in plan.timeline.events:
        if isinstance(event.item, BedChange):
            if event.item.name:
                chosen = palette.bed(event.item)
            starts.append((event.start, chosen.bed, Decibels(palette.bed_offset + chosen.offset + event.item.level)))
    return tuple(starts)


def _speech(plan: Plan, start: Samples, line: Line) -> Placed:
    spoken, store = plan.spoken[line], plan.store
    role = plan.session.header.roles.get(line.role) or Role(line.role)
    room = 0.0 if plan.options.plain else role.room

    def open_clip() -> Source:
        clip = store.get(spoken.key) if store else None
        if clip is None:
            raise VoiceError("a spoken clip has gone from the cache", place=line.place, hint="render again")
        return WaveSource(placed(clip.wave, pan=role.pan, level=role.level, room=room))

    return Placed(start, Samples(spoken.length + tail(room)), open_clip)


def _cues(plan: Plan, number: int, beds: tuple[BedStart, ...]) -> Iterator[Placed]:
    event = plan.timeline.events[number]
    item = event.item
    if isinstance(item, Breath):
        yield from _breath(plan, number, item, _leads(plan, event, item, beds))
    elif isinstance(item, SoundCue):
        yield Placed(event.start, event.length, lambda: WaveSource(plan.palette.sound(item)))
    elif isinstance(item, Bell):
        model = plan.palette.bell(item)
        if model is not None:
            # Seeded by where it sounds: no two strikes are the same, and each is the same every time.
            for strike in range(item.strikes):
                start = Samples(event.start + strike * spacing(model))
                yield Placed(start, ring(model, 1), _strike(model, plan.session.seed + event.start, strike))


def _breath(plan: Plan, number: int, breath: Breath, sound: str) -> Iterator[Placed]:
    """The sound that leads a breath: it prepares in the pause before, and dies away in the one after."""
    if sound not in ("tone", "noise", "tick"):
        return
    events = plan.timeline.events
    event = events[number]
    lead = preparation(_gap(events[number - 1])) if number else Samples(0)
    after = tail_room(_gap(events[number + 1])) if number + 1 < len(events) else Samples(0)
    yield Placed(
        Samples(event.start - lead),
        Samples(lead + event.length + after),
        lambda: open_breath(breath, sound, lead=lead, tail=after),
    )


def _gap(event: Event) -> Samples:
    return event.length if event.kind in ("pause", "silence") else Samples(0)


def _leads(plan: Plan, event: Event, breath: Breath, beds: tuple[BedStart, ...]) -> str:
    """What leads this breath. Where the bed is to lead and there is none, noise does."""
    sound = breath_sound(breath, plan.session, plan.options)
    if sound != "bed":
        return sound
    before = bisect_right([start for start, _, _ in beds], event.start) - 1
    return "bed" if before >= 0 and beds[before][1] is not None else "noise"


def _strike(model: BellModel, seed: int, number: int) -> Callable[[], Source]:
    # Made when the mix reaches it: a bell every few minutes for an hour would fill the memory.
    return lambda: WaveSource(model.strike(seed, number))
