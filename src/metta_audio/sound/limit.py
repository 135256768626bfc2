"""A look-ahead limiter that keeps the true peak of a stream under a ceiling and leaves everything else untouched."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from metta_audio.sound.segments import Segments
from metta_audio.sound.truepeak import CELL, REACH, cell_peaks
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, Decibels, Hertz, Seconds, gain

LOOK_AHEAD = Seconds(0.005)
"""Time in which the gain falls before a peak: long enough not to click, too short to hear (pre-masking)."""

RELEASE = Seconds(0.08)
"""Time in which it comes back: slower than a period of a low voice, so that the voice is not bent, and soon over."""

MARGIN = Decibels(0.1)
"""Taken off once more where the limiter acts at all: while the gain moves, the peaks between samples move a little."""

_SEGMENT_CELLS = 128
_SEGMENT = _SEGMENT_CELLS * CELL
"""Frames worked on at once (93 ms), always counted from the start of the stream, so that blocks make no difference."""


class Limiter:
    """Limits a stream block by block, both channels by the same gain, without delay between input and output frames.

    Put every block through ``process`` and end with ``flush``: together they return exactly the frames put in. How
    the stream is blocked changes no bit. The gain at a moment depends on what is within 90 ms before it and 8 ms
    after it, and where nothing exceeds ``ceiling`` (dBTP) within these, the output is the input, bit for bit.
    """

    def __init__(self, ceiling: Decibels, rate: Hertz = RATE, channels: int = 2) -> None:
        self._ceiling = gain(ceiling)
        self._channels = channels
        self._segments = Segments(_SEGMENT, REACH, channels)
        self._ahead = max(1, round(LOOK_AHEAD * rate / CELL))
        self._release = max(1, round(RELEASE * rate / CELL))
        # Reductions of cells, as many before the waiting segment as its gain may depend on.
        self._needs = np.zeros(self._ahead + self._release + 1 + _SEGMENT_CELLS)
        self._waiting = np.zeros((0, channels), np.float32)
        self._owed = 0

    def process(self, block: Block) -> Block:
        """Take float32 ``(frames, channels)``; return the frames that are ready, in order, possibly none."""
        self._owed += len(block)
        done = []
        for window in self._segments.push(block):
            needs = np.concatenate([self._needs, self._reductions(window)])
            done.append(self._limited(needs))
            self._needs = needs[_SEGMENT_CELLS:]
            self._waiting = window[REACH:-REACH]
        ready: Block = np.concatenate(done) if done else np.zeros((0, self._channels), np.float32)
        self._owed -= len(ready)
        return ready

    def flush(self) -> Block:
        """End the stream: return all frames still owed."""
        owed = self._owed
        return self.process(np.zeros((2 * _SEGMENT + REACH, self._channels), np.float32))[:owed]

    def _reductions(self, window: Block) -> NDArray[np.float64]:
        """Decibels by which each cell must come down, 0 where it need not."""
        over = cell_peaks(window, self._ceiling).astype(np.float64) / self._ceiling
        return np.where(over > 1, 20 * np.log10(np.maximum(over, 1)) + MARGIN, 0.0)

    def _limited(self, needs: NDArray[np.float64]) -> Block:
        """Apply the gain to the waiting segment, now that ``needs`` reach one segment past it."""
        if not needs.any():
            return self._waiting
        edges = gain_curve(needs, self._ahead, self._release)[: _SEGMENT_CELLS + 1, None]
        ramp = edges[:-1] + (edges[1:] - edges[:-1]) * (np.arange(CELL) / CELL)
        gains = ramp.astype(np.float32).reshape(-1, 1)
        limited: Block = self._waiting * gains[: len(self._waiting)]
        return limited


def gain_curve(needs: NDArray[np.float64], ahead: int, release: int) -> NDArray[np.float64]:
    """Gain, as an amplitude, at the edges between cells whose level must fall by ``needs`` decibels.

    Never more than either neighbour allows. Around a single need it falls within ``ahead + 1`` cells and comes back
    within ``release + ahead + 1``, without corners. Element i is the edge before cell ``ahead + release + 1 + i``; the
    length is ``len(needs) - 2 * ahead - release - 1``.
    """
    at_edges = np.maximum(needs[:-1], needs[1:])
    fade = 0.5 + 0.5 * np.cos(np.pi * np.arange(release, -1, -1) / (release + 1))
    held = (sliding_window_view(at_edges, release + 1) * fade).max(axis=1)
    # The greatest of what lies ahead, then a mean over as many before: every value in that mean is at least what is
    # needed here, so the mean is, too.
    coming = sliding_window_view(held, ahead + 1).max(axis=1)
    weights = 1 - np.cos(2 * np.pi * np.arange(1, ahead + 2) / (ahead + 2))
    reduction = sliding_window_view(coming, ahead + 1) @ (weights / weights.sum())
    curve: NDArray[np.float64] = 10 ** (-reduction / 20)
    return curve
