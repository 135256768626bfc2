"""The bed of a whole recording: fades, changes from one bed to another, changes of level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.bed import Bed
from metta_audio.sound.levels import BED_CROSSFADE, BED_FADE_IN, BED_FADE_OUT
from metta_audio.sound.stream import smooth
from metta_audio.sound.wave import Block
from metta_audio.units import Decibels, Samples, gain, to_samples

_Curve = NDArray[np.float64] | float
"""A value for each frame, or one for all."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A bed (None for silence) at a gain, coming in over ``fade`` frames from ``start`` on."""

    start: int
    fade: int
    bed: Bed | None
    gain: float


class BedTrack:
    """What lies under a recording of ``length`` samples, silent before its first change.

    ``changes`` are ``(start, bed or None, level)`` in order of start: from there this bed, ``level`` dB above its own
    level. The track fades in, and out to exact zero at its end; one bed gives way to another at equal power; a change
    of level alone is a smooth change of gain. Changes may come closer together than they take.
    """

    def __init__(self, changes: Sequence[tuple[Samples, Bed | None, Decibels]], length: Samples) -> None:
        self._length = length
        # Of a very short recording, a quarter to come and a half to go.
        self._fade_out = max(1, min(to_samples(BED_FADE_OUT), length // 2))
        before: Bed | None = None
        stretches = []
        for start, bed, level in changes:
            fade = BED_FADE_IN if before is None else BED_CROSSFADE
            frames = max(1, min(to_samples(fade), length // 4))
            stretches.append(_Stretch(start, frames, bed, gain(level) if bed is not None else 0.0))
            before = bed
        self._latest_first = tuple(reversed(stretches))

    def read(self, start: int, frames: int) -> Block:
        """Frames ``[start, start + frames)``: float32, shape ``(frames, 2)``; the same however it is cut."""
        block = np.zeros((frames, 2), np.float32)
        ending = _ramp(self._length - 1 - start, -1, frames, self._fade_out)
        for bed, amplitude in self._amplitudes(start, frames):
            factor = np.asarray(amplitude * ending, np.float32)
            if factor.any():
                block += bed.read(start, frames) * (factor[:, None] if factor.ndim else factor)
        return block

    def _amplitudes(self, start: int, frames: int) -> list[tuple[Bed, _Curve]]:
        """How strong each bed is in these frames.

        Each stretch takes its share of the power from those before it: shares always add up to one, also where fades
        overlap. A bed that follows itself keeps its power and changes its gain.
        """
        rest: _Curve = 1.0
        shares: dict[int, tuple[Bed, _Curve, _Curve]] = {}
        for stretch in self._latest_first:
            come = _ramp(start - stretch.start, 1, frames, stretch.fade)
            share = rest * come
            rest = rest * (1 - come)
            if stretch.bed is not None:
                _, power, weighted = shares.get(id(stretch.bed), (stretch.bed, 0.0, 0.0))
                shares[id(stretch.bed)] = (stretch.bed, power + share, weighted + share * stretch.gain)
        # The bed's mean gain, weighted / power, times the root of its power.
        tiny = np.finfo(np.float64).tiny
        return [(bed, weighted / np.sqrt(np.maximum(power, tiny))) for bed, power, weighted in shares.values()]


def _ramp(first: int, step: int, frames: int, length: int) -> _Curve:
    """``smooth`` of ``(first + step * n) / length`` for frames n; one number where it does not change."""
    last = first + step * (frames - 1)
    if min(first, last) >= length:
        return 1.0
    if max(first, last) <= 0:
        return 0.0
    return smooth((first + step * np.arange(frames)) / length)
