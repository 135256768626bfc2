"""The bells, beds and sounds of one session, opened from their shelves and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from metta_audio.errors import Place, SoundError
from metta_audio.rendering.options import DEFAULT_BED, DEFAULT_BELL, NONE, Options
from metta_audio.rendering.sources import Sources
from metta_audio.script.model import BedChange, Bell, Session, SoundCue
from metta_audio.shelves import Shelves, is_path
from metta_audio.sound.audio_segment import from_segment
from metta_audio.sound.bed import Bed, load_bed, open_bed
from metta_audio.sound.bell import BellModel, gap, load_bell, ring
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


class Palette:
    """What sounds besides the voice.

    Everything a session asks for is looked up at once: what is missing is missed before anything is spoken. Raises
    SoundError, with the cue's place, for what is on no shelf.
    """

    def __init__(self, session: Session, options: Options, shelves: Shelves) -> None:
        self._session, self._options, self._shelves = session, options, Sources(shelves)
        self._bells: dict[str, BellModel] = {}
        self._beds: dict[str, Bed] = {}
        self._lengths: dict[str, Samples] = {}
        self.bell_name = options.bell or session.header.bell or DEFAULT_BELL
        self.bed_name = _bed_name(session, options)
        for section in session.sections:
            for item in section.items:
                if isinstance(item, Bell | SoundCue):
                    self.extent(item)
                elif isinstance(item, BedChange) and item.name:
                    self.bed(item)
        self._bell(self.bell_name, None)
        self.first_bed()

    @property
    def sources(self) -> Mapping[str, str]:
        """Everything that was opened, as kind and name → sha256."""
        return self._shelves.read

    @property
    def bed_offset(self) -> Decibels:
        """What is added to a bed's own level, in dB."""
        return Decibels(self._options.bed_level - BED_BELOW_SPEECH)

    def first_bed(self) -> Bed | None:
        """The bed that the recording begins with; None for none."""
        given = self._options.bed
        if given is None or isinstance(given, str | Path):
            return self._bed(self.bed_name, None)
        if "given" not in self._beds:
            wave = given if isinstance(given, Wave) else from_segment(given)
            self._shelves.note("recording", self.bed_name, wave)
            self._beds["given"] = open_recording(wave)
        return self._beds["given"]

    def bed(self, cue: BedChange) -> Bed | None:
        """The bed that a cue changes to; None for none. With ``--bed none`` there is never one."""
        return None if self._options.bed == NONE else self._bed(cue.name, cue.place)

    def bell(self, cue: Bell) -> BellModel | None:
        """The bell of a cue; None where bells are switched off."""
        if self._options.bell == NONE:
            return None
        return self._bell(cue.name, cue.place) if cue.name else self._bell(self.bell_name, None)

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
        """The file of a sound cue: stereo at 44.1 kHz, lowered where it would be louder than the voice."""
        path = self._shelves.sound(cue.name, cue.place)
        wave = _placed(lambda: read_sound(path, longest=LONGEST_SOUND), cue.place)
        self._shelves.note("sound", cue.name, path)
        too_loud = loudest(wave.samples, wave.rate) - SPEECH
        return Wave(wave.samples * np.float32(gain(-too_loud)), wave.rate) if too_loud > 0 else wave

    def _bell(self, name: str, place: Place | None) -> BellModel | None:
        if name == NONE:
            return None
        if name not in self._bells:
            file, text = _placed(lambda: self._shelves.bell(name), place)
            self._bells[name] = load_bell(text, name=name, file=file)
        return self._bells[name]

    def _bed(self, name: str, place: Place | None) -> Bed | None:
        if name in (NONE, "off"):
            return None
        if name not in self._beds:
            # Only a listener may name a file; a script has its shelves.
            if self._options.bed is not None and place is None and is_path(name):
                self._beds[name] = open_recording(Path(name))
                self._shelves.note("recording", Path(name).name, Path(name))
            else:
                file, text = _placed(lambda: self._shelves.bed(name), place)
                self._beds[name] = open_bed(load_bed(text, name=name, file=file), self._session.seed)
        return self._beds[name]


def _bed_name(session: Session, options: Options) -> str:
    if options.bed is None:
        return session.header.bed or DEFAULT_BED
    return str(options.bed) if isinstance(options.bed, str | Path) else "sound"


T = TypeVar("T")


def _placed(look: Callable[[], T], place: Place | None) -> T:
    """What ``look`` finds; an error without a place gets that of the cue."""
    try:
        return look()
    except SoundError as error:
        raise SoundError(error.what, place=error.place or place, hint=error.hint) from error
