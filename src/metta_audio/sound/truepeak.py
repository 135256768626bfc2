"""The true peak: what the samples reach between them, once a converter has joined them (ITU-R BS.1770-4, annex 2)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from metta_audio.sound.wave import Block

OVERSAMPLING = 8
"""BS.1770 asks for at least 4, which can read 0.69 dB low close to the Nyquist frequency; 8 at most 0.17 dB."""

_TAPS = 32
"""Samples that each interpolated value is made of: flat within 0.05 dB up to 19.5 kHz at 44.1 kHz, where
MP3 at 128 kbps has long ended."""

_KAISER = 5.0
"""Shape of the window: images 50 dB down, 0.03 dB of an amplitude, while the band stays flat almost to its end."""

REACH = _TAPS // 2
"""Frames on each side of a stretch that its true peak depends on."""

CELL = 32
"""Frames that share one value, 0.7 ms: short beside any gain change, long enough to work on many at once."""

_ROWS = 16
"""Cells in one matrix product. Larger ones are shared out to threads, which on a busy machine wait for each other
(measured: 16 ms instead of 0.06 ms), and whose sums could differ in the last bit from one machine to the next."""


def _interpolator() -> NDArray[np.float32]:
    """FIR as a matrix of shape ``(CELL + 2 * REACH, CELL * (OVERSAMPLING - 1))``.

    It turns a cell with its surroundings into all values between its samples, the gap after the last included.
    The product does a whole cell at once, and is made only for the cells that matter.
    """
    fractions = np.arange(1, OVERSAMPLING) / OVERSAMPLING
    distance = fractions[:, None] - np.arange(1 - REACH, REACH + 1)
    window = np.i0(_KAISER * np.sqrt(1 - (distance / REACH) ** 2)) / np.i0(_KAISER)
    taps = np.sinc(distance) * window
    taps /= taps.sum(axis=1, keepdims=True)
    matrix = np.zeros((CELL + 2 * REACH, CELL, OVERSAMPLING - 1), np.float32)
    for frame in range(CELL):
        matrix[frame + 1 : frame + 1 + _TAPS, frame] = taps.T
    return matrix.reshape(CELL + 2 * REACH, -1)


_MATRIX = _interpolator()

WORST_GAIN = float(np.abs(_MATRIX).sum(axis=0).max())
"""No signal's true peak exceeds its sample peak by more than this factor: the FIR's largest sum of magnitudes."""


def cell_peaks(window: Block, floor: float) -> NDArray[np.float32]:
    """Largest true peak of any channel in each cell of ``CELL`` frames, as an amplitude of shape ``(cells,)``.

    ``window`` has ``REACH`` frames before and after the whole cells. Values above ``floor`` are exact; a cell that
    provably stays at or below ``floor`` may get its sample peak instead, which costs almost nothing.
    """
    cells = (len(window) - 2 * REACH) // CELL
    halves = np.abs(window[: (cells + 1) * CELL]).reshape(-1, REACH * window.shape[1]).max(axis=1)
    peaks: NDArray[np.float32] = np.maximum(halves[1:-1:2], halves[2:-1:2])
    around = np.maximum(np.maximum(halves[:-2:2], halves[3::2]), peaks)
    loud = np.flatnonzero(around * WORST_GAIN > floor)
    if len(loud):
        loud = np.pad(loud, (0, -len(loud) % _ROWS), mode="edge")
        views = sliding_window_view(window, CELL + 2 * REACH, axis=0)[::CELL]
        between = (views[loud].reshape(-1, _ROWS, CELL + 2 * REACH) @ _MATRIX).reshape(-1, _MATRIX.shape[1])
        reached = np.maximum(between.max(axis=1), -between.min(axis=1)).reshape(len(loud), -1).max(axis=1)
        peaks[loud] = np.maximum(peaks[loud], reached)
    return peaks
