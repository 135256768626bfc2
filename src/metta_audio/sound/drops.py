"""Drops: short sounds that fall at random, close together. Rain, bubbles, leaves, sparks."""

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
"""Different drops, each with its own place, like the leaves of one tree; each falls with another strength every time,
so that none is recognised when it comes again."""

_LONGEST = 0.7
"""Seconds from the first of a bunch until the last has died away: within the chunk that follows their own."""

_EARS = 0.0006
"""Seconds by which a sound from one side comes later to the far ear. Without it drops would be nearly the same on both
sides, however they are panned: flat, as from a point between the eyes."""

_SHORTEST = 0.25
"""Of ``ring`` that a drop rings at least. Its energy is in proportion: else the shortest would be the sharpest."""

_COLOUR = 0.6
"""Octaves around its pitch within which a drop of noise has most of its sound: a tick with a pitch, not a whistle."""


@dataclass(frozen=True, slots=True)
class Drops:
    """Falling drops, of RMS 1 in each channel over a long time.

    ``per_second`` fall on average, each sounding between ``low`` and ``high`` Hz, there after ``attack`` seconds and
    gone by 60 dB within ``ring`` seconds (some in a quarter of that). While it rings, its pitch rises by the part
    ``chirp``; ``grain`` of its power is noise instead. They fall alone, or ``bunch`` together on average within
    ``bunch_seconds``. Strengths lie within ±``spread`` dB, places within ``width`` (0 all in the middle, 1 from side to
    side).
    """

    per_second: float
    low: float
    high: float
    ring: float
    spread: float
    width: float
    attack: float = 0.0008
    chirp: float = 0.12
    grain: float = 0.0
    bunch: float = 1.0
    bunch_seconds: float = 0.1

    @classmethod
    def read(cls, table: Table) -> Drops:
        """From a data file. More than 400 a second are heard as noise, which is cheaper to make."""
        low = table.number("low", 100.0, 10_000.0)
        ring = table.number("ring", 0.002, 0.5)
        return cls(
            per_second=table.number("per_second", 0.1, 400.0),
            low=low,
            high=table.number("high", low, 16_000.0),
            ring=ring,
            spread=table.number("spread", 0.0, 12.0, default=8.0),
            width=table.number("width", 0.0, 1.0, default=0.8),
            # Quicker than 0.2 ms is a click.
            attack=table.number("attack", 0.0002, 0.05, default=0.0008),
            chirp=table.number("chirp", -0.5, 1.5, default=0.12),
            grain=table.number("grain", 0.0, 1.0, default=0.0),
            bunch=table.number("bunch", 1.0, 30.0, default=1.0),
            bunch_seconds=table.number("bunch_seconds", 0.01, _LONGEST - ring, default=0.1),
        )

    def chunks(self, seed: int, stream: int) -> Chunks:
        """The falling drops; another ``seed`` or ``stream`` gives another shower."""
        # Every place is taken by one of them, so that neither side gets more.
        places = random(seed, stream, _KINDS).permutation(np.linspace(-self.width, self.width, _KINDS))
        drops = [self._drop(random(seed, stream, number), place) for number, place in enumerate(places)]
        unit = self._unit()

        def piece(index: int) -> Block:
            # Above every number the drops themselves were drawn from.
            dice = random(seed, stream, index + _KINDS + 2)
            frames = self._falls(dice)
            count = len(frames)
            kinds = dice.integers(0, _KINDS, count)
            strengths = (unit * 10 ** (dice.uniform(-self.spread, self.spread, count) / 20)).astype(np.float32)
            sides = np.zeros((2, 2 * CHUNK), np.float32)
            for frame, kind, strength in zip(frames.tolist(), kinds.tolist(), strengths, strict=True):
                drop = drops[kind]
                sides[:, frame : frame + drop.shape[1]] += drop * strength
            return sides.T

        return overlapping(piece)

    def _falls(self, dice: np.random.Generator) -> NDArray[np.int64]:
        """Frames at which drops begin that fall in one chunk, or in a bunch that begins in it."""
        bunches = int(dice.poisson(self.per_second / self.bunch * CHUNK / RATE))
        frames = dice.integers(0, CHUNK, bunches)
        if self.bunch == 1.0:
            return frames
        frames = np.repeat(frames, 1 + dice.poisson(self.bunch - 1, bunches))
        # Squared: dense at first, then fewer, as something settles.
        after: NDArray[np.int64] = frames + (dice.uniform(size=len(frames)) ** 2 * self.bunch_seconds * RATE).astype(
            np.int64
        )
        return after

    def _drop(self, dice: np.random.Generator, place: float) -> NDArray[np.float32]:
        """One drop at ``place`` between -1 and 1, shape ``(2, frames)``; of energy 1 on average."""
        hertz = self.low * (self.high / self.low) ** dice.uniform()
        share = dice.uniform(_SHORTEST, 1.0)
        ring = self.ring * share
        t = np.arange(math.ceil((ring + self.attack) * RATE)) / RATE
        shape = 10 ** (-3 * t / ring)
        shape *= np.sin(math.pi / 2 * np.clip(t / self.attack, 0, 1)) ** 2
        shape *= np.cos(math.pi / 2 * np.clip(t / t[-1] * 4 - 3, 0, 1))  # its last quarter: to zero
        wave = np.sin(2 * math.pi * hertz * t * (1 + self.chirp / 2 * t / ring) + dice.uniform(0, 2 * math.pi))
        wave = math.sqrt(1 - self.grain) * wave + math.sqrt(self.grain) * _burst(dice, len(t), hertz)
        wave *= shape
        wave -= shape * (wave.sum() / shape.sum())  # nothing at 0 Hz
        wave *= math.sqrt(2 * share / (1 + _SHORTEST) / float(np.sum(wave**2)))
        angle = math.pi / 4 * (1 + place)
        late = round(abs(place) * _EARS * RATE)
        sides = np.zeros((2, len(wave) + late), np.float32)
        left, right = (late, 0) if place > 0 else (0, late)
        sides[0, left : left + len(wave)] = wave * math.cos(angle)
        sides[1, right : right + len(wave)] = wave * math.sin(angle)
        return sides

    def _unit(self) -> float:
        """What a drop of energy 1 must be multiplied by for a long-term power of 1 in each channel."""
        scale = max(self.spread, 1e-6) * math.log(10) / 10
        scatter = math.sinh(scale) / scale  # mean power of the strengths
        return math.sqrt(2 * RATE / (self.per_second * scatter))  # each channel gets half of a drop's power


def _burst(dice: np.random.Generator, frames: int, hertz: float) -> NDArray[np.float64]:
    """Noise around ``hertz`` with the power of a sine, shape ``(frames,)``."""
    # Longer than it need be: of a handful of frames no colour could be made.
    length = 1 << max(8, (frames - 1).bit_length())
    colours = np.fft.rfft(dice.standard_normal(length))
    octaves = np.log2(np.maximum(np.arange(len(colours)), 0.5) * RATE / length / hertz)
    noise = np.fft.irfft(colours * np.exp(-((octaves / _COLOUR) ** 2) / 2), length)[:frames]
    return np.asarray(noise * math.sqrt(0.5 / float(np.mean(noise**2))))
