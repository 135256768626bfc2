"""Held tones that beat and swell slowly: a drone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.datafile import Table
from metta_audio.sound.stream import CHUNK, Chunks, drifting, random
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, gain

_ROW = 256
"""Frames of a tone that are computed together."""

_HEARD = (40.0, 8000.0)
"""Hz between which a held tone must lie: deeper is not heard from small loudspeakers, higher hurts."""

_PERIODS = (1.0, 1.31, 0.83, 1.17, 0.91, 1.43, 0.77)
"""Each tone swells in its own time, so that they never all do at once."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone at ``ratio`` times the root, ``level`` dB, as two that stand ``beat`` Hz apart."""

    ratio: float
    level: float
    beat: float


@dataclass(frozen=True, slots=True)
class Tones:
    """A drone on ``root`` Hz, of RMS 1 in each channel over a long time.

    Each tone swells on its own by ±``swell`` dB, anew about every ``swell_seconds``. ``width`` from 0 (both sides the
    same) to 1 (of each pair, one on each side).
    """

    root: float
    partials: tuple[Tone, ...]
    swell: float
    swell_seconds: float
    width: float

    @classmethod
    def read(cls, table: Table) -> Tones:
        """From a data file."""
        root = table.number("root", *_HEARD)
        return cls(
            root=root,
            partials=tuple(_read_tone(each, root) for each in table.tables("partials")),
            swell=table.number("swell", 0.0, 9.0, default=3.0),
            swell_seconds=table.number("swell_seconds", 2.0, 300.0, default=13.0),
            width=table.number("width", 0.0, 1.0, default=0.6),
        )

    def chunks(self, seed: int, stream: int) -> Chunks:
        """The drone; another ``seed`` or ``stream`` begins elsewhere in its beats and swells otherwise."""
        dice = random(seed, stream, 0)
        starts = dice.uniform(0, 1, (len(self.partials), 2))
        hertz = [self.root * tone.ratio for tone in self.partials]
        beats = [tone.beat / 2 for tone in self.partials]
        lowers = [_sine(f - beat, start) for f, beat, start in zip(hertz, beats, starts[:, 0], strict=True)]
        uppers = [_sine(f + beat, start) for f, beat, start in zip(hertz, beats, starts[:, 1], strict=True)]
        levels = [gain(tone.level) for tone in self.partials]
        # A pair of amplitude 1 goes to the two sides as (1, other) and (other, 1): power (1 + other²) / 2 on each.
        other = 1 - self.width
        unit = 1 / math.sqrt(sum(level**2 for level in levels) * (1 + other**2) / 2)
        swells = [
            drifting(seed, (stream << 8) + number, self.swell, self.swell_seconds * _PERIODS[number % len(_PERIODS)])
            for number in range(1, len(self.partials) + 1)
        ]

        def chunk(index: int) -> Block:
            near = np.zeros(CHUNK, np.float32)
            far = np.zeros(CHUNK, np.float32)
            for lower, upper, level, swell in zip(lowers, uppers, levels, swells, strict=True):
                amplitude = swell(index) * np.float32(level * unit)
                near += amplitude * lower(index)
                far += amplitude * upper(index)
            rest = np.float32(other)
            return np.stack([near + rest * far, rest * near + far], axis=1)

        return chunk


def _read_tone(table: Table, root: float) -> Tone:
    low, high = _HEARD
    tone = Tone(
        ratio=table.number("ratio", low / root, high / root),
        level=table.number("level", -60.0, 0.0),
        beat=table.number("beat", 0.0, 10.0, default=0.0),
    )
    table.finish()
    return tone


def _sine(hertz: float, start: float) -> Callable[[int], NDArray[np.float32]]:
    """Chunks of a sine; ``start`` is its phase at frame 0, in cycles.

    sin(a + b) = sin a cos b + cos a sin b, with a at the beginning of a row and b within it: one sine in ``_ROW``
    frames has to be computed, and single precision never sees a long phase.
    """
    step = 2 * math.pi * hertz / RATE
    within = np.arange(_ROW) * step
    cosines, sines = np.cos(within).astype(np.float32), np.sin(within).astype(np.float32)
    rows = np.arange(0, CHUNK, _ROW)[:, None] * step

    def chunk(index: int) -> NDArray[np.float32]:
        begin = 2 * math.pi * math.fmod(start + index * CHUNK * hertz / RATE, 1.0)
        wave: NDArray[np.float32] = np.sin(begin + rows).astype(np.float32) * cosines
        wave += np.cos(begin + rows).astype(np.float32) * sines
        return wave.reshape(-1)

    return chunk
