"""Soft ticks: a glide up for in, level for hold, down for out, a low one for rest, and the seconds between."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from metta_audio.script.model import Breath
from metta_audio.sound.contour import LEAST_LEAD
from metta_audio.sound.levels import BREATH
from metta_audio.sound.loudness import loudest
from metta_audio.sound.stream import CHUNK, Stream
from metta_audio.sound.wave import Block
from metta_audio.timeline.breath import PhaseName, counts, phases
from metta_audio.units import RATE, gain, to_samples

_GLIDES: dict[PhaseName, tuple[float, float]] = {
    "in": (392.0, 587.3),
    "sip": (587.3, 698.5),
    "hold": (587.3, 587.3),
    "out": (587.3, 392.0),
    "rest": (293.7, 293.7),
}
"""Hz where the tick of a phase begins and ends: a fifth up and back, the sip on top of it, the rest an octave under the
hold. All lie where a telephone's loudspeaker has sound and nothing is sharp."""

_SECOND = (392.0, 392.0)
"""Hz of the seconds in between."""

_SECOND_LEVEL = -8.0
"""dB of a second against a turn: there for who looks for it, nothing to follow."""

_LEAD_LEVEL = -6.0
"""dB of the preparation, which asks for nothing yet."""

_LONG, _SHORT = 0.4, 0.12
"""Seconds of a turn, long enough to hear where it glides, and of a second."""

_ATTACK = 0.006
"""Seconds to full strength, a wave or two: exactly there, and no click."""

_FALL = 5.0
"""Times the logarithm of e by which a tick falls before its end: 43 dB, like a struck block of wood."""

_HARMONICS = ((1, 0.0), (2, -14.0), (3, -24.0))
"""Multiples and their dB: a little of the octave keeps it from being a test tone."""


@dataclass(frozen=True, slots=True)
class _Tick:
    start: int
    frames: int
    glide: tuple[float, float]
    level: float


class Ticks(Stream):
    """Ticks of ``breath``, stereo, its first breath in beginning at sample ``lead``; silent in between.

    Each begins on the very sample of its phase or second. The loudest 400 ms are at ``BREATH``. A lead of a second or
    more begins with a soft glide down, to breathe out with.
    """

    def __init__(self, breath: Breath, lead: int = 0) -> None:
        super().__init__(self._sound)
        self._ticks = _ticks(breath, lead)
        self._starts = [tick.start for tick in self._ticks]

    def _sound(self, index: int) -> Block:
        start, end = index * CHUNK, (index + 1) * CHUNK
        block = np.zeros((CHUNK, 2), np.float32)
        for tick in self._ticks[bisect_left(self._starts, start - to_samples(_LONG)) : bisect_left(self._starts, end)]:
            first, after = max(start, tick.start), min(end, tick.start + tick.frames)
            if first < after:
                block[first - start : after - start] += _sample(tick.frames, tick.glide, tick.level)[
                    first - tick.start : after - tick.start
                ]
        return block


def _ticks(breath: Breath, lead: int) -> list[_Tick]:
    long, short = to_samples(_LONG), to_samples(_SHORT)
    found = [
        _Tick(lead + phase.start, min(long, phase.end - phase.start), _GLIDES[phase.name], 0.0)
        for phase in phases(breath)
    ]
    found += [_Tick(lead + count.start, short, _SECOND, _SECOND_LEVEL) for count in counts(breath) if count.number > 1]
    if lead >= LEAST_LEAD:
        found.append(_Tick(0, long, _GLIDES["out"], _LEAD_LEVEL))
    return sorted(found, key=lambda tick: tick.start)


@lru_cache(maxsize=64)
def _sample(frames: int, glide: tuple[float, float], level: float) -> Block:
    """One tick: stereo, both sides the same."""
    block: Block = _wave(frames, glide) * np.float32(gain(level) * _unit())
    block.setflags(write=False)
    return block


@lru_cache(maxsize=1)
def _unit() -> float:
    """What brings the loudest tick, the level one, to ``BREATH``."""
    return gain(BREATH - loudest(_wave(to_samples(_LONG), _GLIDES["sip"]), RATE))


def _wave(frames: int, glide: tuple[float, float]) -> Block:
    x = np.arange(frames) / max(frames, 1)
    begin, end = glide
    turns = frames / RATE * (begin * x + (end - begin) * x * x / 2)
    rise = np.sin(np.pi / 2 * np.clip(np.arange(frames) / to_samples(_ATTACK), 0, 1)) ** 2
    # The exponential is let down to 0 at the very end, so that it ends rather than stops.
    fall = np.exp(-_FALL * x) * (1 - x)
    tone = sum(gain(level) * np.sin(2 * math.pi * number * turns) for number, level in _HARMONICS)
    return np.repeat((rise * fall * tone).astype(np.float32)[:, None], 2, axis=1)
