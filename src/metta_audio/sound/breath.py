"""The breath cue: a soft chord that swells and rises, stays, and sinks, with the breath it leads."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metta_audio.script.model import Breath
from metta_audio.sound.levels import BREATH
from metta_audio.sound.loudness import loudest
from metta_audio.sound.stream import CHUNK, Stream
from metta_audio.sound.wave import Block
from metta_audio.timeline.breath import Phase, PhaseName, phases
from metta_audio.units import RATE, gain, to_samples

_ROOT = 110.0
_GLIDE = 2 ** (3 / 12)
"""Hz at the bottom of a breath, and the factor at its top, a minor third: up means in, which needs no counting."""

_HARMONICS = ((2, 0.0), (3, -4.0), (4, -7.0), (6, -12.0))
"""Multiples of the root and their dB: octave, fifth, octave, fifth, from 220 to 785 Hz, where a telephone's loudspeaker
still has sound and nothing is sharp. True multiples keep the sum's strength even, so that its swell is the breath's."""

_APART = 0.4
"""Radians by which each harmonic leads on one side and lags on the other: wide, while mono loses 0.7 dB."""

_STRENGTH: dict[PhaseName, tuple[float, float]] = {"in": (0, 1), "hold": (1, 1), "out": (1, 0), "rest": (0, 0)}
"""Strength where a phase begins and where it ends. Pitch follows strength."""

_MEASURED = 2.0
"""Seconds before and after the first breath's top in which the loudest 400 ms are looked for: they lie beside it."""


class Swell(Stream):
    """The sound of ``breath``, stereo, from its first sample; silent after its last.

    Strength grows in a straight line while breathing in, stays, and falls in a straight line while breathing out, its
    corners on the very samples of ``timeline.breath.phases``. The loudest 400 ms are at ``BREATH``. A breath needs an
    in and an out of some length: without, it would begin or end with a click.
    """

    def __init__(self, breath: Breath) -> None:
        super().__init__(self._sound)
        self._phases = phases(breath)
        self._ends = [phase.end for phase in self._phases]
        self._turned = _turned(self._phases)
        begin = max(0, self._ends[0] - to_samples(_MEASURED))
        loudness = loudest(self._chord(begin, to_samples(2 * _MEASURED)), RATE)
        self._unit = np.float32(gain(BREATH - loudness))

    def _sound(self, index: int) -> Block:
        return self._chord(index * CHUNK, CHUNK) * self._unit

    def _chord(self, start: int, frames: int) -> Block:
        """Frames ``[start, start + frames)`` before they are brought to their level."""
        block = np.zeros((frames, 2), np.float32)
        for number in range(bisect_right(self._ends, start), len(self._phases)):
            phase = self._phases[number]
            if phase.start >= start + frames:
                break
            at = np.arange(max(start, phase.start), min(start + frames, phase.end))
            strength, turns = _course(phase, at - phase.start)
            block[at[0] - start : at[-1] + 1 - start] = _sides(turns + self._turned[number], strength)
        return block


def _course(phase: Phase, frame: NDArray[np.int64] | int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Strength at ``frame`` of a phase, and turns of the root since the phase began: the integral of its pitch."""
    begin, end = _STRENGTH[phase.name]
    t = np.asarray(frame) / RATE
    slope = (end - begin) * RATE / (phase.end - phase.start)
    return begin + slope * t, _ROOT * (t + (_GLIDE - 1) * (begin * t + slope * t * t / 2))


def _turned(course: Sequence[Phase]) -> list[float]:
    """Turns of the root before each phase, counted anew from every breath in, which begins in silence."""
    turned: list[float] = []
    turns = 0.0
    for phase in course:
        turns = 0.0 if phase.name == "in" else turns
        turned.append(turns)
        turns += float(_course(phase, phase.end - phase.start)[1])
    return turned


def _sides(turns: NDArray[np.float64], strength: NDArray[np.float64]) -> Block:
    """The chord, both sides, after so many ``turns`` of its root."""
    angle = ((turns - np.floor(turns)) * (2 * math.pi)).astype(np.float32)
    sides = np.zeros((2, len(angle)), np.float32)
    for harmonic, level in _HARMONICS:
        for side, lead in enumerate((_APART, -_APART)):
            sides[side] += np.float32(gain(level)) * np.sin(np.float32(harmonic) * angle + np.float32(lead))
    block: Block = (sides * strength.astype(np.float32)).T
    return block
