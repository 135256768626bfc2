"""Plan → score: every event of the timeline becomes something that sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from metta_audio.rendering.beds import Chosen
from metta_audio.rendering.counting import COUNTER, breath_sound, spoken_counts
from metta_audio.rendering.flow import Plan
from metta_audio.script.model import BedChange, Bell, Breath, Line, Role, SoundCue
from metta_audio.sound.bed import Bed
from metta_audio.sound.bed_track import BedTrack
from metta_audio.sound.bell import BellModel
from metta_audio.sound.bell_wait import ring, spacing
from metta_audio.sound.breath import BedSwell, open_breath
from metta_audio.sound.duck import Stretch
from metta_audio.sound.forecast import brought_to
from metta_audio.sound.levels import BED_BELOW_SPEECH
from metta_audio.sound.mix import Placed, Score, Source, WaveSource
from metta_audio.sound.room import placed, tail
from metta_audio.timeline.breath import preparation, tail_room
from metta_audio.timeline.model import Event, Timeline
from metta_audio.units import Decibels, Samples

BedStart = tuple[Samples, Bed | None, Decibels]
"""From this sample on this bed, so many dB above its own level."""

SOFTEST_LEADER = Decibels(-12.0)
"""dB against its usual level down to which a bed can lead a breath: softer, small loudspeakers lose its swing."""


def to_score(plan: Plan, *, with_bed: bool = True) -> Score:
    """Everything that sounds, placed. Nothing is decided here: each start and length is the timeline's.

    ``with_bed=False`` leaves the bed out and nothing else: its gain is that of the recording with a bed.
    """
    # A bed that was asked for louder than usual is meant to be heard: it does not fall.
    may_fall = plan.options.bed_level <= BED_BELOW_SPEECH
    whole = brought_to(_laid(plan, with_bed=True), plan.mastering.target, bed_may_fall=may_fall)
    return whole if with_bed else replace(_laid(plan, with_bed=False), gain=whole.gain)


def _laid(plan: Plan, *, with_bed: bool) -> Score:
    beds = bed_starts(plan) if with_bed else ()
    led = swelling(plan, with_bed=with_bed)
    return Score(
        length=plan.timeline.length,
        voice=tuple(_speech(plan, start, line) for start, line in said(plan)),
        cues=tuple(_cues(plan, with_bed=with_bed)),
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
        elif isinstance(event.item, Breath) and _sound(plan, event.item) == "count":
            # A clip begins a little before its first sound, which is what belongs on the second.
            counts = spoken_counts(event.item, plan.session.header.language)
            lines += [(Samples(max(0, event.start + count.start - plan.onsets[line])), line) for count, line in counts]
    return lines


def spoken(plan: Plan) -> Timeline:
    """The timeline with the numbers of counted breaths as lines of their own: what captions show."""
    counts = (
        Event("line", start, length, length, length, section=0, item=line)
        for start, line in said(plan)
        if line.role == COUNTER and line in plan.onsets
        for length in (plan.spoken[line].length,)
    )
    return replace(plan.timeline, events=tuple(sorted((*plan.timeline.events, *counts), key=lambda event: event.start)))


def speech(plan: Plan) -> tuple[Stretch, ...]:
    """From where to where each of ``said`` sounds, in samples."""
    return tuple((start, Samples(start + plan.spoken[line].length)) for start, line in said(plan))


def breaths(plan: Plan) -> tuple[Stretch, ...]:
    """From where to where breaths are led, in samples."""
    return tuple((event.start, event.end) for event in plan.timeline.events if event.kind == "breath")


def swelling(plan: Plan, *, with_bed: bool) -> tuple[tuple[Samples, Breath], ...]:
    """The breaths that the bed itself leads, each with its start."""
    return tuple(
        (event.start, event.item)
        for event in plan.timeline.events
        if isinstance(event.item, Breath) and _leads(plan, event, event.item, with_bed=with_bed) == "bed"
    )


def bed_starts(plan: Plan) -> tuple[BedStart, ...]:
    """Which bed sounds from when on, at what level, in order."""
    return tuple((start, chosen.bed, level) for start, chosen, level in _choices(plan))


def _choices(plan: Plan) -> Iterator[tuple[Samples, Chosen, Decibels]]:
    chosen, offset = plan.palette.first_bed, plan.palette.bed_offset
    yield Samples(0), chosen, Decibels(offset + chosen.offset)
    for event in plan.timeline.events:
        if isinstance(event.item, BedChange):
            if event.item.name:
                chosen = plan.palette.bed(event.item)
            yield event.start, chosen, Decibels(offset + chosen.offset + event.item.level)


def led_otherwise(plan: Plan) -> tuple[str, ...]:
    """What to say where a bed was to lead a breath and cannot."""
    asked = [e for e in plan.timeline.events if isinstance(e.item, Breath) and _sound(plan, e.item) == "bed"]
    led = {start for start, _ in swelling(plan, with_bed=True)}
    if all(event.start in led for event in asked):
        return ()
    return ("noise leads the breath: the bed is none, too soft, or comes and goes by itself",)


def _speech(plan: Plan, start: Samples, line: Line) -> Placed:
    role = plan.session.header.roles.get(line.role) or Role(line.role)
    room = 0.0 if plan.options.plain else role.room

    def open_clip() -> Source:
        return WaveSource(placed(plan.clip(line).wave, pan=role.pan, level=role.level, room=room))

    return Placed(start, Samples(plan.spoken[line].length + tail(room)), open_clip)


def _cues(plan: Plan, *, with_bed: bool) -> Iterator[Placed]:
    for number, event in enumerate(plan.timeline.events):
        if isinstance(event.item, Breath):
            yield from _breath(plan, number, event.item, _leads(plan, event, event.item, with_bed=with_bed))
        else:
            yield from _cue(plan, event)


def _cue(plan: Plan, event: Event) -> Iterator[Placed]:
    item = event.item
    if isinstance(item, SoundCue):
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


def _leads(plan: Plan, event: Event, breath: Breath, *, with_bed: bool) -> str:
    """What leads this breath. Where the bed is to lead and cannot, noise does."""
    sound = _sound(plan, breath)
    if sound != "bed":
        return sound
    choices = [each for each in _choices(plan) if with_bed and each[0] <= event.start]
    if not choices:
        return "noise"
    _, chosen, level = choices[-1]
    return "bed" if chosen.bed is not None and chosen.steady and level >= SOFTEST_LEADER else "noise"


def _sound(plan: Plan, breath: Breath) -> str:
    return breath_sound(breath, plan.session, plan.options)


def _strike(model: BellModel, seed: int, number: int) -> Callable[[], Source]:
    # Made when the mix reaches it: a bell every few minutes for an hour would fill the memory.
    return lambda: WaveSource(model.strike(seed, number))
