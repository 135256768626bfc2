"""The bed gives way to the voice. The plan is known, so it does so before the first word, not after it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.levels import DUCK, DUCK_ATTACK, DUCK_BRIDGE, DUCK_RELEASE
from metta_audio.units import RATE, Decibels, Hertz, Samples, Seconds, gain, to_samples

Stretch = tuple[Samples, Samples]
"""First sample, and first sample after."""


@dataclass(frozen=True)
class Ducking:
    """Gain of the bed under ``speech``: stretches of samples, in any order, that may overlap.

    While someone speaks, and in gaps of up to ``bridge``, the gain is ``depth`` (decibels, at most 0). It falls within
    ``attack`` before the speech and comes back within ``release`` after it, along raised cosines in decibels.
    """

    speech: tuple[Stretch, ...] = ()
    depth: Decibels = DUCK
    attack: Seconds = DUCK_ATTACK
    release: Seconds = DUCK_RELEASE
    bridge: Seconds = DUCK_BRIDGE
    rate: Hertz = RATE
    _down: tuple[Stretch, ...] = field(init=False, repr=False)
    _ends: tuple[Samples, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        down = merged(self.speech, to_samples(self.bridge, self.rate))
        object.__setattr__(self, "_down", down)
        object.__setattr__(self, "_ends", tuple(end for _, end in down))

    def gain(self, start: int, frames: int) -> NDArray[np.float32]:
        """Amplitude factors of shape ``(frames,)`` from sample ``start`` on, in ``gain(depth)..1``.

        Random access: depends on the speech within attack, release or bridge of a sample, and on nothing else.
        """
        fall = _fall(to_samples(self.attack, self.rate), self.depth)
        rise = _fall(to_samples(self.release, self.rate), self.depth)[::-1]
        level = np.ones(frames, np.float32)
        for index in range(bisect_right(self._ends, start - len(rise)), len(self._down)):
            first, after = self._down[index]
            if first - len(fall) >= start + frames:
                break
            # Where two ramps meet, the deeper one counts: no jump, and never above what either asks.
            _lower(level, first - len(fall) - start, fall)
            level[max(first - start, 0) : max(after - start, 0)] = gain(self.depth)
            _lower(level, after - start, rise)
        return level


def merged(stretches: Iterable[Stretch], bridge: int = 0) -> tuple[Stretch, ...]:
    """Join, in order, the stretches that overlap or lie no more than ``bridge`` samples apart; drop empty ones."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if end <= start:
            continue
        if joined and start - joined[-1][1] <= bridge:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


@lru_cache(maxsize=8)
def _fall(frames: int, depth: Decibels) -> NDArray[np.float32]:
    """Gain on its way down, as amplitude: the last of ``frames`` samples is all the way down."""
    shape = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, frames + 1) / max(frames, 1))
    ramp: NDArray[np.float32] = (10 ** (depth * shape / 20)).astype(np.float32)
    ramp.flags.writeable = False
    return ramp


def _lower(level: NDArray[np.float32], at: int, ramp: NDArray[np.float32]) -> None:
    """Bring ``level`` down to ``ramp``, which begins at index ``at`` and may stick out on either side."""
    begin, end = max(at, 0), min(at + len(ramp), len(level))
    if begin < end:
        np.minimum(level[begin:end], ramp[begin - at : end - at], out=level[begin:end])
