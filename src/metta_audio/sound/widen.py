"""Width for what was recorded with one microphone: a pair of sides that differ, and add up to the recording again."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from metta_audio.sound.wave import Block

_DELAYS = (149, 241, 397)
"""Frames: 3.4, 5.5 and 9 ms, all prime, so that echoes never fall on each other. 99 % of the sound is out within 40 ms,
where the ear still hears one event; shorter ones would leave deep sounds on one side."""

_FEEDBACK = 0.4
"""How much of each goes round again. With three delays both sides are within 1 dB of each other for any broad sound."""

_AMOUNT = 0.7
"""Of the decorrelated sound against the recording: a correlation of 0.34 between the sides, and 1.7 dB lost in mono."""

_TAPS = 4096
"""Frames (93 ms) after which the rest is below -80 dB."""


class Widener:
    """Left = x + a·h(x) and right = x - a·h(x), where h lets all frequencies pass and scatters their phase.

    After M. R. Schroeder, "An artificial stereophonic effect obtained from a single audio signal", 1958. Both sides
    have the power of x; in mono they are x again, 1.7 dB softer. Takes a stream in blocks; how it is cut only changes
    rounding.
    """

    def __init__(self) -> None:
        self._before = np.zeros(_TAPS - 1, np.float32)

    def widen(self, mono: NDArray[np.float32]) -> Block:
        """The next frames, from shape ``(frames,)`` to ``(frames, 2)``, without delay."""
        stream = np.concatenate([self._before, mono])
        self._before = stream[len(stream) - (_TAPS - 1) :]
        apart = fftconvolve(stream, _scattering(), mode="valid")
        unit = np.float32(1 / np.sqrt(1 + _AMOUNT**2))
        return np.stack([(mono + apart) * unit, (mono - apart) * unit], axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _scattering() -> NDArray[np.float32]:
    """Impulse response of all delays in a row, each ``y(n) = -g x(n) + x(n - d) + g y(n - d)``, times the amount."""
    response = np.zeros(_TAPS)
    response[0] = _AMOUNT
    for delay in _DELAYS:
        ahead, back = np.zeros(delay + 1), np.zeros(delay + 1)
        ahead[[0, -1]] = -_FEEDBACK, 1.0
        back[[0, -1]] = 1.0, -_FEEDBACK
        response = lfilter(ahead, back, response)
    return response.astype(np.float32)
