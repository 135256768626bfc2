"""Calls: small creatures that sing at their places, again and again, each in its own time. Crickets, above all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.datafile import Table
from metta_audio.sound.stream import CHUNK, Chunks, drawing, overlapping, random, smooth, wandering
from metta_audio.sound.wave import Block
from metta_audio.units import RATE

_LONGEST = 0.7
"""Seconds a call may last: it ends within the chunk that follows its own."""

_SOUNDING = 0.75
"""Share of the time from one note to the next in which the wings move."""

_APART = 0.22
"""Cycles by which the far ear hears a call later: nearly a quarter, so that what both ears hear has little in common,
as from any small thing in the open that does not sit straight ahead."""

_BOUT = 17.0
"""Seconds after which a caller may fall silent or begin again, on average."""

_FADING = 0.5
"""Part of the mood for ``rest`` over which calls grow from nothing to full strength: none begins with a start."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of ``callers`` creatures, of RMS 1 in each channel while all of them sing.

    Each has its pitch between ``low`` and ``high`` Hz and its place within ``width``; a call is ``notes`` notes, or one
    more or less, at ``note_rate`` a second. It comes every ``every`` seconds, moved within the part ``uneven`` of that.
    Each is silent for about the share ``rest`` of the time. Strengths lie within ±``spread`` dB: some are near.
    """

    callers: int
    low: float
    high: float
    notes: int
    note_rate: float
    every: float
    uneven: float
    rest: float
    spread: float
    width: float

    @classmethod
    def read(cls, table: Table) -> Calls:
        """From a data file."""
        low = table.number("low", 100.0, 10_000.0)
        note_rate = table.number("note_rate", 1.0, 120.0)
        return cls(
            callers=table.integer("callers", 1, 12),
            low=low,
            high=table.number("high", low, 12_000.0),
            notes=table.integer("notes", 1, max(1, int(_LONGEST * note_rate) - 1)),
            note_rate=note_rate,
            every=table.number("every", 0.1, 60.0),
            uneven=table.number("uneven", 0.0, 1.0, default=0.3),
            rest=table.number("rest", 0.0, 0.9, default=0.3),
            spread=table.number("spread", 0.0, 12.0, default=4.0),
            width=table.number("width", 0.0, 1.0, default=0.9),
        )

    def chunks(self, seed: int, stream: int) -> Chunks:
        """The singing; another ``seed`` or ``stream`` has other creatures in other places."""
        dice = random(seed, stream, 0)
        # One in every part of the width, so that neither side is empty; pitches and strengths likewise.
        places = dice.permutation(_spread(self.callers)) * self.width
        pitches = self.low * (self.high / self.low) ** ((dice.permutation(_spread(self.callers)) + 1) / 2)
        strengths = 10 ** (dice.permutation(_spread(self.callers)) * self.spread / 20)
        counts = range(max(1, self.notes - 1), self.notes + 2)
        calls = [
            [_call(hertz, count, self.note_rate, place) * strength for count in counts]
            for hertz, place, strength in zip(pitches, places, strengths, strict=True)
        ]
        power = sum(float(np.sum(call**2)) for variants in calls for call in variants) / len(counts)
        unit = math.sqrt(2 * self.every * RATE / power)
        ahead = dice.uniform(size=self.callers)
        dates = drawing(seed, (stream << 8) + 1, 2 * self.callers)
        moods = drawing(seed, (stream << 8) + 2, self.callers)
        every = self.every * RATE

        def piece(index: int) -> Block:
            sides = np.zeros((2, 2 * CHUNK), np.float32)
            first, last = (math.floor(frame / every) for frame in (index * CHUNK, (index + 1) * CHUNK))
            for number in range(first - 2, last + 1):
                drawn = dates(number)
                shifts = ahead + 0.5 + self.uneven * (drawn[: self.callers] - 0.5)
                frames = np.floor((number + shifts) * every).astype(np.int64) - index * CHUNK
                for caller in np.flatnonzero((frames >= 0) & (frames < CHUNK)).tolist():
                    seconds = index * CHUNK / RATE + _BOUT * ahead[caller]
                    call = calls[caller][int(drawn[self.callers + caller] * len(counts))]
                    frame = int(frames[caller])
                    strength = np.float32(unit * self._mood(moods, caller, seconds))
                    sides[:, frame : frame + call.shape[1]] += call * strength
            return sides.T

        return overlapping(piece)

    def _mood(self, draw: Callable[[int], NDArray[np.float64]], caller: int, seconds: float) -> float:
        """From 0 (silent) to 1 (in full song)."""
        if not self.rest:
            return 1.0
        mood = wandering(draw, np.array([seconds / _BOUT]))[0, caller]
        return float(smooth(np.array([(mood - self.rest) / (_FADING * self.rest)]))[0])


def _spread(count: int) -> NDArray[np.float64]:
    """``count`` numbers spread evenly between -1 and 1."""
    return (2 * np.arange(count) + 1) / count - 1


def _call(hertz: float, notes: int, note_rate: float, place: float) -> NDArray[np.float32]:
    """One call from ``place`` between -1 and 1, shape ``(2, frames)``: it grows towards its last note."""
    seconds = notes / note_rate
    t = np.arange(math.ceil(seconds * RATE)) / RATE
    within = np.mod(t * note_rate, 1.0) / _SOUNDING
    strengths = (np.floor(t * note_rate) + 1) / notes
    shape = np.sqrt(strengths) * np.sin(math.pi * np.clip(within, 0, 1)) ** 2
    cycles = hertz * t
    angle = math.pi / 4 * (1 + place)
    later = _APART if place > 0 else 0.0
    left = shape * np.sin(2 * math.pi * (cycles - later)) * math.cos(angle)
    right = shape * np.sin(2 * math.pi * (cycles - (_APART - later))) * math.sin(angle)
    return np.stack([left, right]).astype(np.float32)
