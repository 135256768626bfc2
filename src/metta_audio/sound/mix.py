"""One pass over the whole recording, block by block: voice + cues + ducked bed, then the limiter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from metta_audio.errors import SoundError
from metta_audio.sound import levels
from metta_audio.sound.breath import BedSwell
from metta_audio.sound.duck import Ducking
from metta_audio.sound.limit import Limiter
from metta_audio.sound.monitor import Monitor
from metta_audio.sound.wave import Block, Wave
from metta_audio.units import Decibels, Samples, gain

BLOCK = 16_384
"""Frames in a block, 0.37 s: few enough calls that Python's share is small, and a block of each stem fits a cache."""


UNCHANGED = Decibels(0.0)
"""The gain of a mix at the loudness of ``levels.SPEECH``."""


class Source(Protocol):
    """Stereo sound with random access: reading in one piece or in many gives the same bits."""

    def read(self, start: int, frames: int) -> Block:
        """Float32 of shape ``(frames, 2)`` from ``start`` on, counted from the source's own first frame."""


@dataclass(frozen=True, slots=True)
class Placed:
    """``length`` frames of a source, from frame ``start`` of the recording on.

    ``open`` is called when the mix reaches it, and what it returns is let go of when the mix has passed it.
    """

    start: Samples
    length: Samples
    open: Callable[[], Source]


@dataclass(frozen=True, slots=True)
class Score:
    """Everything that sounds in a recording of ``length`` frames.

    What is placed may overlap, and is cut to the recording. The ``bed`` is read at the recording's own time, lowered by
    ``ducking``, and follows the breath by ``swell``. ``gain`` is of the whole, before the limiter,
    ``bed_gain`` of the bed alone.
    """

    length: Samples
    voice: tuple[Placed, ...] = ()
    cues: tuple[Placed, ...] = ()
    bed: Source | None = None
    ducking: Ducking = field(default_factory=Ducking)
    swell: BedSwell | None = None
    gain: Decibels = UNCHANGED
    bed_gain: Decibels = UNCHANGED

    def bed_factors(self, start: int, frames: int) -> NDArray[np.float32]:
        """By what the bed is multiplied, shape ``(frames,)``: it gives way to the voice and follows the breath."""
        factors = self.ducking.gain(start, frames)
        if self.swell is not None:
            factors = factors * self.swell.gain(start, frames)
        return factors * np.float32(gain(self.bed_gain)) if self.bed_gain else factors


class Stems(NamedTuple):
    """The parts of one block before the limiter, each float32 of shape ``(frames, 2)``; the bed is ducked."""

    voice: Block
    cues: Block
    bed: Block


class WaveSource:
    """A wave as a source, silent outside of itself; a mono one on both sides."""

    def __init__(self, wave: Wave) -> None:
        if wave.channels not in (1, 2):
            raise SoundError(
                f"a sound of {wave.channels} channels cannot be placed", hint="convert it to mono or stereo first"
            )
        self._samples = wave.samples

    def read(self, start: int, frames: int) -> Block:
        """Float32 of shape ``(frames, 2)``."""
        block = np.zeros((frames, 2), np.float32)
        first, after = max(start, 0), min(start + frames, len(self._samples))
        if first < after:
            block[first - start : after - start] = self._samples[first:after]
        return block


class Track:
    """Placed sources, played from front to back: only those that sound now are open."""

    def __init__(self, placed: tuple[Placed, ...], length: Samples) -> None:
        # By start, so that overlapping sources are added in one order however the recording is blocked.
        inside = (each for each in placed if each.length > 0 and each.start < length)
        self._coming = sorted(inside, key=lambda each: each.start, reverse=True)
        self._sounding: list[tuple[Placed, Source]] = []

    def read(self, start: int, frames: int) -> Block:
        """Sum of what sounds from ``start`` on; each call goes on where the last one ended."""
        block, end = np.zeros((frames, 2), np.float32), start + frames
        while self._coming and self._coming[-1].start < end:
            placed = self._coming.pop()
            if placed.start + placed.length > start:
                self._sounding.append((placed, placed.open()))
        for placed, source in self._sounding:
            first, after = max(start, placed.start), min(end, placed.start + placed.length)
            block[first - start : after - start] += source.read(first - placed.start, after - first)
        self._sounding = [(placed, source) for placed, source in self._sounding if placed.start + placed.length > end]
        return block


def stems(score: Score, *, block: int = BLOCK) -> Iterator[Stems]:
    """Voice, cues and ducked bed in blocks of ``block`` frames, ``score.length`` frames in all."""
    voice, cues = Track(score.voice, score.length), Track(score.cues, score.length)
    for start in range(0, score.length, block):
        frames = min(block, score.length - start)
        if score.bed is None:
            bed = np.zeros((frames, 2), np.float32)
        else:
            bed = score.bed.read(start, frames) * score.bed_factors(start, frames)[:, None]
        yield Stems(voice.read(start, frames), cues.read(start, frames), bed)


def mix(
    score: Score, *, block: int = BLOCK, ceiling: Decibels = levels.CEILING, monitor: Monitor | None = None
) -> Iterator[Block]:
    """Blocks of the finished sound, float32 of shape ``(frames, 2)``, ``score.length`` frames in all.

    The true peak stays under ``ceiling`` (dBTP). ``monitor``, where given, listens along to the stems and to
    what comes out. The same score gives the same bits for every ``block``, and memory holds no more than a few blocks
    and the sources that sound.
    """
    limiter, whole = Limiter(ceiling), np.float32(gain(score.gain))

    def heard(block: Block) -> Block:
        if monitor is not None:
            monitor.hear(block)
        return block

    for parts in stems(score, block=block):
        if monitor is not None:
            monitor.add(parts)
        # One order of adding for every sample: float sums depend on it.
        limited = limiter.process((parts.bed + parts.cues + parts.voice) * whole)
        if len(limited):
            yield heard(limited)
    rest = limiter.flush()
    if len(rest):
        yield heard(rest)
