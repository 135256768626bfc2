"""How loud something is to a listener: ITU-R BS.1770-4 loudness, EBU Tech 3342 range, and peaks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import sosfilt

from metta_audio.sound.segments import Segments
from metta_audio.sound.truepeak import CELL, REACH, cell_peaks
from metta_audio.sound.wave import Block
from metta_audio.units import Decibels, Lufs, Samples, decibels

_TABLE_RATE = 48_000
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585)
_HIGH_PASS = (1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621)
"""BS.1770-4, annex 1, tables 1 and 2: b0 b1 b2 a0 a1 a2 of the head's shelf and of the high-pass, at 48 kHz."""

_SHELF_TURN = 1682.0
_HIGH_PASS_TURN = 38.0
"""Hz where each stage turns: the frequency at which the stage keeps its exact response at every other rate."""

_OFFSET = -0.691
"""BS.1770-4, formula 2: makes a 997 Hz sine at full scale in one channel read -3.01."""

_WEIGHTS = {5: (1.0, 1.0, 1.0, 1.41, 1.41), 6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)}
"""BS.1770-4, table 3, in the usual order L R C (LFE) Ls Rs. Mono and stereo count every channel once."""

_ABSOLUTE_GATE = -70.0
"""LUFS below which nothing counts (BS.1770-4 and Tech 3342)."""

_RELATIVE_GATE = -10.0
_RANGE_GATE = -20.0
"""LU below the ungated level, for integrated loudness (BS.1770-4) and for the range (Tech 3342)."""

_HOPS_PER_SECOND = 10
"""Blocks of 400 ms overlap by 75 %: a step is 100 ms."""

_MOMENTARY = 4
_SHORT_TERM = 30
"""Steps in the 400 ms of momentary and in the 3 s of short-term loudness."""

_TICKLE = 1e-18
"""Added to every other frame: in digital silence the filter would decay into denormal numbers, which are computed four
times slower. At -360 dBFS it changes no figure; a step with less than ten times its power counts as silent."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """What was measured of a stream of ``frames`` frames.

    ``integrated`` is gated and ``-inf`` for silence or less than 400 ms; ``range`` is in LU (1 LU = 1 dB), 0 for less
    than 3 s; ``momentary_max`` is the loudest 400 ms; ``true_peak`` is in dBTP, ``sample_peak`` in dBFS.
    """

    integrated: Lufs
    range: Decibels
    momentary_max: Lufs
    true_peak: Decibels
    sample_peak: Decibels
    frames: Samples


def _at_rate(stage: tuple[float, ...], turn: float, rate: int) -> NDArray[np.float64]:
    """Move a second-order stage of the tables from 48 kHz to ``rate``, exact at 0 Hz and at ``turn`` Hz.

    Back through the bilinear transform, the frequency axis stretched, and forth again.
    """
    bilinear = np.array([[1, 1, 1], [2, 0, -2], [1, -1, 1]], float)  # its own inverse, up to a factor
    stretch = math.tan(math.pi * turn / _TABLE_RATE) / math.tan(math.pi * turn / rate)
    b, a = (bilinear @ (bilinear @ np.array(half) * stretch ** np.arange(3)) for half in (stage[:3], stage[3:]))
    moved: NDArray[np.float64] = np.concatenate([b, a]) / a[0]
    return moved


def k_weighting(rate: int) -> NDArray[np.float64]:
    """K-weighting filter of BS.1770-4 at ``rate`` Hz, as second-order sections of shape ``(2, 6)``."""
    return np.stack([_at_rate(_SHELF, _SHELF_TURN, rate), _at_rate(_HIGH_PASS, _HIGH_PASS_TURN, rate)])


def _lufs(power: NDArray[np.float64] | float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        level: NDArray[np.float64] = _OFFSET + 10 * np.log10(power)
    return level


def _windows(powers: NDArray[np.float64], hops: int) -> NDArray[np.float64]:
    """Mean power of every run of ``hops`` steps; empty when there are fewer."""
    if len(powers) < hops:
        return np.zeros(0)
    mean: NDArray[np.float64] = sliding_window_view(powers, hops).mean(axis=1)
    return mean


def _gated(powers: NDArray[np.float64], relative: float) -> NDArray[np.float64]:
    """Windows that pass the absolute gate, and the gate ``relative`` LU below the mean of those."""
    loud = powers[_lufs(powers) > _ABSOLUTE_GATE]
    return loud[_lufs(loud) > _lufs(loud.mean()) + relative] if len(loud) else loud


def _integrated(powers: NDArray[np.float64]) -> Lufs:
    blocks = _gated(_windows(powers, _MOMENTARY), _RELATIVE_GATE)
    return Lufs(float(_lufs(blocks.mean()))) if len(blocks) else Lufs(-math.inf)


def _momentary_max(powers: NDArray[np.float64]) -> Lufs:
    return Lufs(float(_lufs(_windows(powers, _MOMENTARY).max(initial=0.0))))


def _range(powers: NDArray[np.float64]) -> Decibels:
    """Tech 3342: from the 10th to the 95th percentile of gated short-term loudness."""
    levels = _lufs(_gated(_windows(powers, _SHORT_TERM), _RANGE_GATE))
    if not len(levels):
        return Decibels(0.0)
    low, high = np.percentile(levels, [10, 95], method="nearest")
    return Decibels(float(high - low))


class Meter:
    """Measures a stream of any length, block by block; how it is blocked changes nothing.

    Keeps one number for each 100 ms: 288 kB an hour.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._hop = round(rate / _HOPS_PER_SECOND)
        self._filter = k_weighting(rate)
        self._state = np.zeros((len(self._filter), channels, 2))
        self._weights = np.array(_WEIGHTS.get(channels, (1.0,) * channels))
        # CELL steps: the one length that is whole in steps and in cells at every rate.
        self._segments = Segments(CELL * self._hop, REACH, channels)
        self._powers: list[NDArray[np.float64]] = []
        self._true_peak = 0.0
        self._sample_peak = 0.0
        self._frames = 0

    def add(self, block: Block) -> None:
        """Measure on: float32 of shape ``(frames, channels)``, any number of frames."""
        self._frames += len(block)
        self._sample_peak = max(self._sample_peak, float(np.abs(block).max(initial=0.0)))
        for window in self._segments.push(block):
            powers, self._state = self._step_powers(window[REACH:-REACH])
            self._powers.append(powers)
            self._true_peak = max(self._true_peak, self._window_peak(window))

    def result(self) -> Loudness:
        """Figures of all that was added so far; adding may go on."""
        rest = self._segments.rest()
        powers = np.concatenate([*self._powers, self._step_powers(rest[REACH:])[0]])
        # Up to whole cells, with silence after the last frame.
        padding = CELL - (len(rest) - REACH) % CELL + REACH
        window = np.concatenate([rest, np.zeros((padding, rest.shape[1]), np.float32)])
        true_peak = max(self._true_peak, self._sample_peak, self._window_peak(window))
        return Loudness(
            integrated=_integrated(powers),
            range=_range(powers),
            momentary_max=_momentary_max(powers),
            true_peak=decibels(true_peak),
            sample_peak=decibels(self._sample_peak),
            frames=Samples(self._frames),
        )

    def over_time(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Momentary (400 ms) and short-term (3 s) loudness in LUFS, every 100 ms; ``-inf`` for silence.

        Value ``i`` is of the window that begins ``i`` steps of 100 ms after the first frame; empty where there is none.
        """
        powers = np.concatenate([*self._powers, self._step_powers(self._segments.rest()[REACH:])[0]])
        return _lufs(_windows(powers, _MOMENTARY)), _lufs(_windows(powers, _SHORT_TERM))

    def _step_powers(self, frames: Block) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weighted power of each whole step, all channels added, and the state of the filter after the last."""
        steps = len(frames) // self._hop
        if not steps:
            return np.zeros(0), self._state
        channels = np.ascontiguousarray(frames[: steps * self._hop].T, dtype=np.float64)
        channels[:, ::2] += _TICKLE
        weighted, state = sosfilt(self._filter, channels, axis=-1, zi=self._state)
        powers = self._weights @ np.square(weighted).reshape(len(channels), steps, self._hop).mean(axis=-1)
        return np.where(powers > 10 * _TICKLE**2, powers, 0.0), state

    def _window_peak(self, window: Block) -> float:
        floor = max(self._true_peak, self._sample_peak)
        return float(cell_peaks(window, floor).max(initial=0.0))


def gated(powers: NDArray[np.float64]) -> Lufs:
    """Integrated loudness from the weighted powers of steps of 100 ms, as ``step_powers`` gives them."""
    return _integrated(powers)


def step_powers(block: Block, rate: int) -> NDArray[np.float64]:
    """Weighted power of each whole step of 100 ms of a sound, shape ``(frames, channels)``, silent before it."""
    return Meter(rate, block.shape[1])._step_powers(block)[0]


def integrated(block: Block, rate: int) -> Lufs:
    """Gated loudness of a whole sound, shape ``(frames, channels)``; one under 400 ms is followed by silence."""
    return _integrated(_powers_of(block, rate))


def loudest(block: Block, rate: int) -> Lufs:
    """Loudness of the loudest 400 ms of a sound, shape ``(frames, channels)``; silence follows a shorter one."""
    return _momentary_max(_powers_of(block, rate))


def _powers_of(block: Block, rate: int) -> NDArray[np.float64]:
    meter = Meter(rate, block.shape[1])
    steps = max(_MOMENTARY, -(-len(block) // meter._hop))
    padding = np.zeros((steps * meter._hop - len(block), block.shape[1]), np.float32)
    return meter._step_powers(np.concatenate([block, padding]))[0]
