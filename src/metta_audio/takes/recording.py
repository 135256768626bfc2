"""A person's recording, of any format and length: one channel of it, waiting on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from metta_audio.errors import SoundError
from metta_audio.sound.decode import name_of, stated_seconds, waves
from metta_audio.sound.downmix import to_stereo
from metta_audio.sound.examination import Sides
from metta_audio.sound.scratch import Scratch
from metta_audio.sound.wave import Block, Wave
from metta_audio.takes.envelope import LEAST_DISTANCE, LEAST_VOICE, Levels, envelope, levels
from metta_audio.units import LONGEST, Hertz, Seconds

LOWEST_RATE = Hertz(16_000)
"""Below, s and f are gone: a telephone has 8,000."""

HIGHEST_RATE = Hertz(192_000)
"""Above, there is no recorder, and FLAC has no place for it."""

_BLOCK = 1 << 18
"""Frames worked on at a time: a megabyte of one channel."""


class Recording:
    """One channel of a recording at its own ``rate``, not levelled; memory stays the same for an hour as for a minute.

    ``rms`` is its envelope, a value a millisecond; ``notes`` are sentences for people. Of two channels the sound one
    is taken, or both together. Close it, or use it in a ``with``. Raises SoundError for what cannot be read, is too
    short, too long, of too low a rate, silent, or so noisy that words cannot be told from pauses.
    """

    def __init__(self, source: Path | Wave) -> None:
        self.name = name_of(source)
        self.notes: tuple[str, ...] = ()
        self._store, self.rate, self._weights = self._decoded(source)
        try:
            self.frames = self._store.frames
            if not self.frames:
                raise SoundError(f"{self.name} holds no sound", hint="record it again")
            self.rms: NDArray[np.float32] = envelope(self._blocks(), self.rate)
            self.levels: Levels = levels(self.rms)
            self._must_have_speech()
        except BaseException:
            self.close()
            raise

    def wave(self, start: int, end: int) -> Wave:
        """Samples ``[start, end)``: mono, float32, at the recording's own level."""
        start, end = max(0, start), min(end, self.frames)
        block = self._store.read(start, max(0, end - start))
        return Wave.mono(block @ self._weights, self.rate)

    @property
    def seconds(self) -> Seconds:
        """Its length."""
        return Seconds(self.frames / self.rate)

    def close(self) -> None:
        """Give the room on the disk back."""
        self._store.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _blocks(self) -> Iterator[NDArray[np.float32]]:
        for start in range(0, self.frames, _BLOCK):
            yield self.wave(start, start + _BLOCK).samples[:, 0]

    def _decoded(self, source: Path | Wave) -> tuple[Scratch, Hertz, NDArray[np.float32]]:
        """The whole sound in one or two channels, its rate, and the share of each channel in the one that is used."""
        store: Scratch | None = None
        rate, sides = Hertz(0), Sides()
        try:
            for wave in waves(source, LONGEST):
                if store is None:
                    self._must_be_fit(wave, stated_seconds(source))
                    rate, store = wave.rate, Scratch(min(2, wave.channels))
                block = np.nan_to_num(wave.samples, posinf=1.0, neginf=-1.0)
                block = block if wave.channels == 1 else to_stereo(block)
                if wave.channels > 1:
                    sides.add(block)
                store.append(block)
                self._must_be_short(store.frames / rate)
        except BaseException:
            if store is not None:
                store.close()
            raise
        store = store or Scratch(1)
        return store, rate, self._mono(sides) if store.channels == 2 else np.ones(1, np.float32)

    def _must_be_short(self, seconds: float) -> None:
        if seconds > LONGEST:
            raise SoundError(f"{self.name} is longer than {LONGEST / 3600:g} hours", hint="cut it into parts")

    def _must_be_fit(self, wave: Wave, seconds: Seconds) -> None:
        self._must_be_short(seconds)
        if wave.rate < LOWEST_RATE:
            what = f"{self.name} has {wave.rate:,} samples a second, too few for a recording of a voice"
            raise SoundError(what, hint=f"record at 44,100 or 48,000; {LOWEST_RATE:,} are the least")
        if wave.rate > HIGHEST_RATE:
            what = f"{self.name} has {wave.rate:,} samples a second"
            raise SoundError(what, hint=f"record at 44,100 or 48,000; {HIGHEST_RATE:,} are the most")

    def _mono(self, sides: Sides) -> Block:
        verdict = sides.verdict(mono=False)
        weights = verdict.mono or ((0.5, -0.5) if verdict.turned else (0.5, 0.5))
        if 0.0 in weights:
            self.notes += (f"only the {'left' if weights[0] else 'right'} channel has sound: it alone is used",)
        elif min(weights) < 0:
            self.notes += ("one channel was the wrong way round, and is turned",)
        return np.array(weights, np.float32)

    def _must_have_speech(self) -> None:
        if self.levels.voice < LEAST_VOICE:
            hint = "check which microphone was recorded, and its level"
            raise SoundError(f"{self.name} is silent: nothing in it is above {LEAST_VOICE:g} dBFS", hint=hint)

    def must_have_pauses(self) -> None:
        """Raise SoundError where words cannot be told from the room."""
        distance = self.levels.voice - self.levels.room
        if distance < LEAST_DISTANCE:
            what = f"{self.name} has no pauses: the voice is only {distance:.0f} dB above the quietest moments"
            raise SoundError(what, hint="record in a quieter room, and stay silent for two seconds after each line")
