"""How a layer's strength moves: waves, gusts and pulses, which several layers may follow together.

A motion is a curve between 0 (its lowest) and 1 (its highest). What follows it decides how many dB lie between the two,
and by how much it lags behind: so a sea can be dark first, bright as it breaks, and hiss as it drains away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.datafile import Table
from metta_audio.sound.stream import CHUNK, STEP, drawing, lines, smooth, wandering
from metta_audio.units import RATE

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""The value at each of some ascending frames, which may be fractions and lie up to half a minute before frame 0."""

_FINE = 8
"""Frames between two points of a pulse (0.2 ms): an edge takes 5 ms or more."""

_QUICK = 3.7
_QUICK_SHARE = 0.3
"""A gust is a slow rise and fall, and three tenths of its strength come and go nearly four times as quickly."""


@dataclass(frozen=True, slots=True)
class Waves:
    """Swells, crest to crest between ``shortest`` and ``longest`` seconds.

    ``rise`` is the share of the time from one crest to the next in which it rises; a crest may be lower than the
    highest by as much as ``uneven``.
    """

    shortest: float
    longest: float
    rise: float
    uneven: float

    @classmethod
    def read(cls, table: Table) -> Waves:
        """From a data file."""
        shortest = table.number("shortest", 2.0, 120.0)
        return cls(
            shortest=shortest,
            longest=table.number("longest", shortest, 240.0),
            rise=table.number("rise", 0.1, 0.9, default=0.4),
            uneven=table.number("uneven", 0.0, 0.9, default=0.2),
        )

    @property
    def step(self) -> int:
        """Frames between two points that straight lines may join."""
        return STEP

    def curve(self, seed: int, stream: int) -> Curve:
        """Waves that never repeat; another ``seed`` or ``stream`` gives others."""
        draw = drawing(seed, stream, 2)
        mean = (self.shortest + self.longest) / 2 * RATE
        # Crests stand on an even grid, each moved by at most this: no two are nearer or further than they may be.
        moved = (self.longest - self.shortest) / 4 * RATE

        def at(frames: NDArray[np.float64]) -> NDArray[np.float64]:
            numbers = np.arange(int(frames[0] // mean) - 1, int(frames[-1] // mean) + 3)
            drawn = np.stack([draw(int(number)) for number in numbers])
            crests = (numbers + 0.5) * mean + moved * (2 * drawn[:, 0] - 1)
            heights = 1 - self.uneven * drawn[:, 1]
            last = np.searchsorted(crests, frames, side="right") - 1
            x = (frames - crests[last]) / (crests[last + 1] - crests[last])
            fallen = heights[last] * (1 - smooth(x / (1 - self.rise)))
            risen = heights[last + 1] * smooth((x - (1 - self.rise)) / self.rise)
            values: NDArray[np.float64] = fallen + risen
            return values

        return at


@dataclass(frozen=True, slots=True)
class Gusts:
    """Strength that comes and goes without any measure, about every ``seconds``."""

    seconds: float

    @classmethod
    def read(cls, table: Table) -> Gusts:
        """From a data file."""
        return cls(seconds=table.number("seconds", 2.0, 120.0))

    @property
    def step(self) -> int:
        """Frames between two points that straight lines may join."""
        return STEP

    def curve(self, seed: int, stream: int) -> Curve:
        """Gusts that never repeat; another ``seed`` or ``stream`` gives others."""
        # The quick part has its own numbers: those of one generator would move both at once.
        slow, quick = (drawing(seed, (stream << 8) + part, 1) for part in (0, 1))

        def at(frames: NDArray[np.float64]) -> NDArray[np.float64]:
            position = frames / (self.seconds * RATE)
            calm = wandering(slow, position)[:, 0] * (1 - _QUICK_SHARE)
            return smooth(calm + wandering(quick, position * _QUICK)[:, 0] * _QUICK_SHARE)

        return at


@dataclass(frozen=True, slots=True)
class Pulse:
    """On and off exactly ``rate`` times a second, on for ``share`` of the time, with edges of ``edge`` seconds."""

    rate: float
    share: float
    edge: float

    @classmethod
    def read(cls, table: Table) -> Pulse:
        """From a data file. Faster than 40 a second is a rough tone; edges under 5 ms would click."""
        rate = table.number("rate", 0.05, 40.0)
        share = table.number("share", 0.4, 0.9, default=0.5)
        longest = share / (2 * rate)
        return cls(rate, share, table.number("edge", 0.005, longest, default=min(0.03, longest)))

    @property
    def step(self) -> int:
        """Frames between two points that straight lines may join."""
        return _FINE

    def curve(self, seed: int, stream: int) -> Curve:  # noqa: ARG002 - nothing about a pulse is left to chance
        """The pulse, from its beginning at frame 0."""
        edge = self.edge * self.rate

        def at(frames: NDArray[np.float64]) -> NDArray[np.float64]:
            cycles = frames * (self.rate / RATE)
            x = cycles - np.floor(cycles)
            return smooth(x / edge) - smooth((x - self.share + edge) / edge)

        return at


Motion = Waves | Gusts | Pulse

MOTIONS: dict[str, Callable[[Table], Motion]] = {"waves": Waves.read, "gusts": Gusts.read, "pulse": Pulse.read}
"""Readers of the kinds of motion, by the word for them in a data file."""


@dataclass(frozen=True, slots=True)
class Following:
    """A layer's part in motion ``number`` of its bed: ``depth`` dB from highest to lowest, ``lag`` seconds later."""

    motion: Motion
    number: int
    depth: float
    lag: float

    def gains(self, seed: int, stream: int) -> Callable[[int], NDArray[np.float32]]:
        """Factors for every frame of chunk ``index``, from 1 down to ``-depth`` dB."""
        curve, step, lag = self.motion.curve(seed, stream), self.motion.step, self.lag * RATE

        def chunk(index: int) -> NDArray[np.float32]:
            frames = np.arange(index * CHUNK, (index + 1) * CHUNK + 1, step, dtype=np.float64)
            return lines(np.power(10.0, self.depth * (curve(frames - lag) - 1) / 20))

        return chunk
