"""Drops: short ringing sounds that fall at random, close together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.datafile import Table
from metta_audio.sound.stream import CHUNK, Chunks, overlapping, random
from metta_audio.sound.wave import Block
from metta_audio.units import RATE

_KINDS = 192
"""Different drops; each falls with its own strength and place, so that none is recognised when it comes again."""

_ATTACK = 0.0008
"""Seconds a drop takes to sound: quick enough for water, slow enough not to click."""

_CHIRP = 0.12
"""A drop's pitch rises by about this part while it rings: the bubble under it shrinks."""


@dataclass(frozen=True, slots=True)
class Drops:
    """Falling drops, of RMS 1 in each channel over a long time.

    ``per_second`` fall on average, each ringing between ``low`` and ``high`` Hz and dying away by 60 dB within ``ring``
    seconds (some in a quarter of that). Strengths lie within ±``spread`` dB, places within ``width``
    (0 all in the middle, 1 from side to side).
    """

    per_second: float
    low: float
    high: float
    ring: float
    spread: float
    width: float

    @classmethod
    def read(cls, table: Table) -> Drops:
        """From a data file. More than 400 a second are heard as noise, which is cheaper to make."""
        low = table.number("low", 100.0, 10_000.0)
        return cls(
            per_second=table.number("per_second", 0.1, 400.0),
            low=low,
            high=table.number("high", low, 16_000.0),
            ring=table.number("ring", 0.005, 0.5),
            spread=table.number("spread", 0.0, 12.0, default=8.0),
            width=table.number("width", 0.0, 1.0, default=0.8),
        )

    def chunks(self, seed: int, stream: int) -> Chunks:
        """The falling drops; another ``seed`` or ``stream`` gives another shower."""
        drops = [self._drop(random(seed, stream, number)) for number in range(_KINDS)]
        unit = self._unit()

        def piece(index: int) -> Block:
            # Above every number the drops themselves were drawn from.
            dice = random(seed, stream, index + _KINDS + 1)
            count = int(dice.poisson(self.per_second * CHUNK / RATE))
            frames = dice.integers(0, CHUNK, count)
            kinds = dice.integers(0, _KINDS, count)
            strengths = unit * 10 ** (dice.uniform(-self.spread, self.spread, count) / 20)
            angles = math.pi / 4 * (1 + self.width * dice.uniform(-1, 1, count))
            sides = (np.stack([np.cos(angles), np.sin(angles)], axis=1) * strengths[:, None]).astype(np.float32)
            block = np.zeros((2 * CHUNK, 2), np.float32)
            for frame, kind, side in zip(frames, kinds, sides, strict=True):
                drop = drops[kind]
                block[frame : frame + len(drop)] += drop * side
            return block

        return overlapping(piece)

    def _drop(self, dice: np.random.Generator) -> NDArray[np.float32]:
        """One drop of energy 1, shape ``(frames, 1)``."""
        hertz = self.low * (self.high / self.low) ** dice.uniform()
        ring = self.ring * dice.uniform(0.25, 1.0)
        t = np.arange(math.ceil((ring + _ATTACK) * RATE)) / RATE
        shape = 10 ** (-3 * t / ring)
        shape *= np.sin(math.pi / 2 * np.clip(t / _ATTACK, 0, 1)) ** 2
        shape *= np.cos(math.pi / 2 * np.clip(t / t[-1] * 4 - 3, 0, 1))  # its last quarter: to zero
        wave = shape * np.sin(2 * math.pi * hertz * t * (1 + _CHIRP / 2 * t / ring) + dice.uniform(0, 2 * math.pi))
        wave -= shape * (wave.sum() / shape.sum())  # nothing at 0 Hz
        wave /= math.sqrt(float(np.sum(wave**2)))
        drop: NDArray[np.float32] = wave.astype(np.float32)[:, None]
        return drop

    def _unit(self) -> float:
        """What a drop of energy 1 must be multiplied by for a long-term power of 1 in each channel."""
        scale = max(self.spread, 1e-6) * math.log(10) / 10
        scatter = math.sinh(scale) / scale  # mean power of the strengths
        return math.sqrt(2 * RATE / (self.per_second * scatter))  # each channel gets half of a drop's power
