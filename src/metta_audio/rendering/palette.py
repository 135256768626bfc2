"""The bells, beds and sounds of one session, opened from their shelves and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from metta_audio.errors import Place, SoundError
from metta_audio.rendering.beds import SILENCE, BedRack, Chosen, chance
from metta_audio.rendering.catalogue import bells
from metta_audio.rendering.exclusions import exclusions
from metta_audio.rendering.options import DEFAULT_BED, DEFAULT_BELL, NONE, RANDOM, Options
from metta_audio.rendering.sources import Sources
from metta_audio.script.model import BedChange, Bell, Breath, Session, SoundCue
from metta_audio.settings import Settings
from metta_audio.shelves import Shelves
from metta_audio.sound.audio_segment import from_segment
from metta_audio.sound.bell import BellModel, load_bell
from metta_audio.sound.bell_wait import gap, ring
from metta_audio.sound.levels import BED_BELOW_SPEECH, SPEECH
from metta_audio.sound.loudness import loudest
from metta_audio.sound.recording import open_recording, read_sound
from metta_audio.sound.wave import Wave
from metta_audio.timeline.place import Extent
from metta_audio.units import Decibels, Samples, Seconds, gain, to_samples

WITHOUT_BELL = Seconds(3.0)
"""Silence where a bell would have been: enough to mark the turn."""

LONGEST_SOUND = Seconds(600.0)
"""A sound cue is cut after ten minutes: it is held in memory while it sounds, and a bed serves better."""


BELLS_INSTEAD = (DEFAULT_BELL, "bell", "chime")
"""What is struck where a script's own bell is excluded, the first that is not; then any other."""


class Palette:
    """What sounds besides the voice.

    Everything a session asks for is looked up at once: what is missing is missed before anything is spoken. Raises
    SoundError, with the cue's place, for what is on no shelf, and for what is both asked for and excluded.
    """

    def __init__(self, session: Session, options: Options, shelves: Shelves, settings: Settings) -> None:
        self._session, self._options, self._sources = session, options, Sources(shelves)
        self._exclusions = exclusions(options.exclude, shelves, settings)
        self._rack = BedRack(self._sources, self._exclusions, session.seed)
        self._bells: dict[tuple[str, bool], BellModel | None] = {}
        self._lengths: dict[str, Samples] = {}
        self._notes: dict[str, None] = {}
        self.first_bed = self._note(self._first_bed())
        asked = options.bell is not None
        self._main_bell = self._bell(
            options.bell or session.header.bell or DEFAULT_BELL,
            asked,
            None if asked else session.header.places.get("bell"),
        )
        for section in session.sections:
            for item in section.items:
                if isinstance(item, Bell | SoundCue):
                    self.extent(item)
                elif isinstance(item, BedChange) and item.name:
                    self._note(self.bed(item))
                elif isinstance(item, Breath):
                    self._notes.update(dict.fromkeys(item.cautions))

    @property
    def sources(self) -> Mapping[str, str]:
        """Everything that was opened, as kind and name → sha256."""
        return self._sources.read

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of what was chosen: headphones, exclusions, cautions; each once."""
        return tuple(self._notes)

    @property
    def excluded(self) -> tuple[str, ...]:
        """What must not sound."""
        return self._exclusions.words

    @property
    def bell_name(self) -> str:
        """The bell of cues that name none."""
        return self._main_bell.name if self._main_bell else NONE

    @property
    def bed_offset(self) -> Decibels:
        """What is added to every bed's own level, in dB."""
        return Decibels(self._options.bed_level - BED_BELOW_SPEECH)

    def bed(self, cue: BedChange) -> Chosen:
        """The bed that a cue changes to. With ``--bed none`` there is never one."""
        return SILENCE if self._options.bed == NONE else self._rack.choose(cue.name, asked=False, place=cue.place)

    def bell(self, cue: Bell) -> BellModel | None:
        """The bell of a cue; None where bells are switched off, or all excluded."""
        if self._options.bell == NONE:
            return None
        asked = not cue.place.file  # no script asks for it
        return self._bell(cue.name, asked, cue.place) if cue.name else self._main_bell

    def extent(self, item: Bell | SoundCue) -> Extent:
        """How long a bell or sound keeps its place, and how long it rings."""
        if isinstance(item, SoundCue):
            if item.name not in self._lengths:
                self._lengths[item.name] = Samples(self.sound(item).frames)
            return Extent(self._lengths[item.name], self._lengths[item.name])
        model = self.bell(item)
        if model is None:
            return Extent(to_samples(WITHOUT_BELL), Samples(0))
        return Extent(gap(model, item.strikes), ring(model, item.strikes))

    def sound(self, cue: SoundCue) -> Wave:
        """The file of a sound cue: stereo at 44.1 kHz, lowered where it would be louder than the voice.

        Of one that is excluded, the silence.
        """
        path = self._sources.sound(cue.name, cue.place)
        wave = _placed(lambda: read_sound(path, longest=LONGEST_SOUND), cue.place)
        self._sources.note("sound", cue.name, path)
        if self._exclusions.hit(path.stem):
            self._notes[f"{path.name} is excluded: silence in its place"] = None
            return Wave(np.zeros_like(wave.samples), wave.rate)
        too_loud = loudest(wave.samples, wave.rate) - SPEECH
        return Wave(wave.samples * np.float32(gain(-too_loud)), wave.rate) if too_loud > 0 else wave

    def _note(self, chosen: Chosen) -> Chosen:
        self._notes.update(dict.fromkeys(chosen.notes))
        return chosen

    def _first_bed(self) -> Chosen:
        """The bed that the recording begins with."""
        given = self._options.bed
        if given is None:
            header = self._session.header
            return self._rack.choose(header.bed or DEFAULT_BED, asked=False, place=header.places.get("bed"))
        if isinstance(given, str | Path):
            return self._rack.choose(str(given), asked=True)
        wave = given if isinstance(given, Wave) else from_segment(given)
        self._sources.note("recording", "sound", wave)
        recording = open_recording(wave)
        return Chosen("sound", recording, notes=recording.notes)

    def _bell(self, name: str, asked: bool, place: Place | None) -> BellModel | None:
        if name == NONE:
            return None
        if (name, asked) not in self._bells:
            self._bells[name, asked] = self._load_bell(name, asked, place)
        return self._bells[name, asked]

    def _load_bell(self, name: str, asked: bool, place: Place | None) -> BellModel | None:
        if name == RANDOM:
            names = [model.name for model in self._bells_left()]
            return self._bell(names[chance(self._session.seed, len(names))], asked, place) if names else None
        file, text = _placed(lambda: self._sources.bell(name), place)
        model = load_bell(text, name=name, file=file)
        word = self._exclusions.hit(name, model.tags)
        if not word:
            return model
        if asked:
            raise SoundError(f'the bell "{name}" is excluded', hint=f'ask for another bell, or do not exclude "{word}"')
        left = [each.name for each in self._bells_left()]
        instead = next((each for each in (*BELLS_INSTEAD, *left) if each in left), "")
        self._notes[f"{name} is excluded: {instead or 'silence'} in its place"] = None
        return self._bell(instead, asked, place) if instead else None

    def _bells_left(self) -> list[BellModel]:
        """Every bell on the shelves that is not excluded, by name."""
        return [model for model in bells(self._sources.shelves) if not self._exclusions.hit(model.name, model.tags)]


T = TypeVar("T")


def _placed(look: Callable[[], T], place: Place | None) -> T:
    """What ``look`` finds; an error without a place gets that of the cue."""
    try:
        return look()
    except SoundError as error:
        raise SoundError(
            error.what, place=error.place or (place if place and place.file else None), hint=error.hint
        ) from error
