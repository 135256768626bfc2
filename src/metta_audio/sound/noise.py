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

_FADE = CHUNK // 8
_PIECE = CHUNK + _FADE
"""Every piece fades out over 93 ms while the next fades in: longer than a period of the deepest sound, so that
nothing of it leaks to where there should be nothing."""

_RISE = np.sin(np.pi / 2 * np.sin(np.pi / 2 * (np.arange(_FADE) + 0.5) / _FADE) ** 2).astype(np.float32)
"""This and its mirror image keep the power of unrelated noises constant (sin² + cos² = 1); the inner sin² rounds the
corners, which would spread a little of the deepest sound down to 0 Hz."""

_PHASORS = np.exp(2j * np.pi * np.arange(256) / 256).astype(np.complex64)
"""One random byte picks a phase. Thousands of frequencies add up to noise that is Gaussian to any test of the ear."""

_NOTHING = np.float32(1e-5)
"""What is 100 dB below the strongest frequency is left out: it would take time, and lie under the step of 24 bits."""

_STEEPNESS = 24.0
"""dB per octave of the filters at both ends of the band, where the file does not say: what lies beyond is soon gone."""

_DOUBLE = 6.020599913279624
"""dB in a factor of two: a slope in dB per octave over this is a power of the frequency."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Steady noise of RMS 1 in each channel.

    ``slope`` in dB per octave (white 0, pink -3, brown -6) between the corners ``high_pass`` and ``low_pass`` in Hz,
    where it is 3 dB down and beyond which it falls by ``steepness`` dB per octave; ``width`` from 0 (both sides the
    same) to 1 (unrelated: 3 dB softer in mono).
    """

    slope: float
    high_pass: float
    low_pass: float
    width: float = 0.0
    steepness: float = _STEEPNESS

    @classmethod
    def read(cls, table: Table) -> Noise:
        """From a data file. Below 20 Hz noise only measures; it is never heard, so no corner may lie there.

        Raises SoundError, with the place, also where the band ends below its beginning.
        """
        noise = cls(
            slope=table.number("slope", -12.0, 6.0),
            high_pass=table.number("high_pass", 20.0, 10_000.0, default=35.0),
            low_pass=table.number("low_pass", 100.0, 20_000.0, default=18_000.0),
            width=table.number("width", 0.0, 1.0, default=0.7),
            # Steeper than 96 dB per octave rings like a glass.
            steepness=table.number("steepness", 6.0, 96.0, default=_STEEPNESS),
        )
        if noise.low_pass < noise.high_pass:
            # Nothing but what two filters leave of each other, brought up to full strength.
            what = f'"low_pass" ({noise.low_pass:g} Hz) lies below "high_pass" ({noise.high_pass:g} Hz)'
            raise table.fault("low_pass", what, "high_pass is the lower end of what is heard, low_pass the upper")
        return noise

    def chunks(self, seed: int, stream: int) -> Chunks:
        """The noise itself; another ``seed`` or ``stream`` gives unrelated noise of the same kind."""
        correlation = 1 - self.width
        spectrum = self._magnitudes()
        heard = np.flatnonzero(spectrum > spectrum.max() * _NOTHING)
        band = slice(int(heard[0]), int(heard[-1]) + 1)
        mid = spectrum[band] * np.float32(math.sqrt((1 + correlation) / 2))
        side = spectrum[band] * np.float32(math.sqrt((1 - correlation) / 2))
        # One side is enough where both are the same, and takes half the time.
        spectra = np.zeros((2 if self.width else 1, _PIECE // 2 + 1), np.complex64)

        def piece(index: int) -> Block:
            # One byte for each frequency, twice.
            raw = random(seed, stream, index).bit_generator.random_raw(len(mid) // 4 + 1)
            phasors = _PHASORS[raw.view(np.uint8)[: 2 * len(mid)]]
            middle, apart = phasors[: len(mid)], phasors[len(mid) :]
            middle *= mid
            apart *= side
            np.add(middle, apart, out=spectra[0, band])
            np.subtract(middle, apart, out=spectra[-1, band])
            channels = irfft(spectra, _PIECE)
            channels[:, :_FADE] *= _RISE
            channels[:, CHUNK:] *= _RISE[::-1]
            sides: Block = np.broadcast_to(channels, (2, _PIECE)).T
            return sides

        return overlapping(piece)

    def _magnitudes(self) -> NDArray[np.float32]:
        """Of the frequencies of a piece below half the rate, scaled to an RMS of 1; nothing at 0 Hz."""
        hertz = np.arange(1, _PIECE // 2) * (RATE / _PIECE)
        tilt = (hertz / 1000) ** (self.slope / _DOUBLE)
        order = self.steepness / _DOUBLE
        low_end = 1 / np.sqrt(1 + (self.high_pass / hertz) ** (2 * order))
        high_end = 1 / np.sqrt(1 + (hertz / self.low_pass) ** (2 * order))
        magnitudes = np.concatenate([[0.0], tilt * low_end * high_end])
        # A sum over frequencies k of magnitude m(k) and random phase, through irfft: power 2 / N**2 · sum of m(k)**2.
        unit = _PIECE / math.sqrt(2 * float(np.sum(magnitudes**2)))
        return (magnitudes * unit).astype(np.float32)
