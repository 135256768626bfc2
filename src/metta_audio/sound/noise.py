"""Noise with an exact spectrum: brown, pink, white, and bands of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft

from metta_audio.sound.datafile import Table
from metta_audio.sound.stream import CHUNK, Chunks, overlapping, random
from metta_audio.sound.wave import Block
from metta_audio.units import RATE

_FADE = CHUNK // 4
_PIECE = CHUNK + _FADE
"""Every piece fades out over 0.19 s while the next fades in: far longer than a period of the deepest sound, so that
nothing of it leaks to where there should be nothing."""

_RISE = np.sin(np.pi / 2 * np.sin(np.pi / 2 * (np.arange(_FADE) + 0.5) / _FADE) ** 2).astype(np.float32)
"""This and its mirror image keep the power of unrelated noises constant (sin² + cos² = 1); the inner sin² rounds the
corners, which would spread a little of the deepest sound down to 0 Hz."""

_PHASORS = np.exp(2j * np.pi * np.arange(256) / 256).astype(np.complex64)
"""One random byte picks a phase. Thousands of frequencies add up to noise that is Gaussian to any test of the ear."""

_STEEPNESS = 4
"""Order of the filters at both ends of the band (24 dB per octave): what lies beyond is soon gone."""

_DOUBLE = 6.020599913279624
"""dB in a factor of two: a slope in dB per octave over this is a power of the frequency."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Steady noise of RMS 1 in each channel.

    ``slope`` in dB per octave (white 0, pink -3, brown -6) between the corners ``high_pass`` and ``low_pass`` in Hz,
    where it is 3 dB down; ``width`` from 0 (both sides the same) to 1 (unrelated: 3 dB softer in mono).
    """

    slope: float
    high_pass: float
    low_pass: float
    width: float = 0.0

    @classmethod
    def read(cls, table: Table) -> Noise:
        """From a data file. Below 20 Hz noise only measures; it is never heard, so no corner may lie there."""
        return cls(
            slope=table.number("slope", -12.0, 6.0),
            high_pass=table.number("high_pass", 20.0, 10_000.0, default=35.0),
            low_pass=table.number("low_pass", 100.0, 20_000.0, default=18_000.0),
            width=table.number("width", 0.0, 1.0, default=0.7),
        )

    def chunks(self, seed: int, stream: int) -> Chunks:
        """The noise itself; another ``seed`` or ``stream`` gives unrelated noise of the same kind."""
        correlation = 1 - self.width
        spectrum = self._magnitudes()
        mid = spectrum * np.float32(math.sqrt((1 + correlation) / 2))
        side = spectrum * np.float32(math.sqrt((1 - correlation) / 2))

        def piece(index: int) -> Block:
            # One byte for each of PIECE / 2 frequencies, twice.
            dice = random(seed, stream, index).bit_generator.random_raw(_PIECE // 8)
            phasors = _PHASORS[dice.view(np.uint8)].reshape(2, -1)
            middle, apart = phasors[0] * mid, phasors[1] * side
            channels = irfft(np.stack([middle + apart, middle - apart]), _PIECE)
            channels[:, :_FADE] *= _RISE
            channels[:, CHUNK:] *= _RISE[::-1]
            return np.ascontiguousarray(channels.T)

        return overlapping(piece)

    def _magnitudes(self) -> NDArray[np.float32]:
        """Of the frequencies of a piece below half the rate, scaled to an RMS of 1; nothing at 0 Hz."""
        hertz = np.arange(1, _PIECE // 2) * (RATE / _PIECE)
        tilt = (hertz / 1000) ** (self.slope / _DOUBLE)
        low_end = 1 / np.sqrt(1 + (self.high_pass / hertz) ** (2 * _STEEPNESS))
        high_end = 1 / np.sqrt(1 + (hertz / self.low_pass) ** (2 * _STEEPNESS))
        magnitudes = np.concatenate([[0.0], tilt * low_end * high_end])
        # A sum over frequencies k of magnitude m(k) and random phase, through irfft: power 2 / N**2 · sum of m(k)**2.
        unit = _PIECE / math.sqrt(2 * float(np.sum(magnitudes**2)))
        return (magnitudes * unit).astype(np.float32)
