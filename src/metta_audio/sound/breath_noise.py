"""A breath of air: noise that swells and brightens with the breath in, and darkens as it goes out."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from metta_audio.sound.contour import Contour
from metta_audio.sound.levels import BREATH
from metta_audio.sound.loudness import loudest
from metta_audio.sound.stream import CHUNK, Stream, random
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, gain, to_samples

_LOOP = 16 * CHUNK
"""Samples after which the air repeats, 11.9 s: nobody knows a hiss again under a swell, and it takes 4 MB a band."""

_DARK, _BRIGHT = (180.0, 800.0), (800.0, 5000.0)
"""Hz. Air through an open mouth lies in the first, through the nose in the second; under 180 Hz small loudspeakers have
nothing, over 5 kHz a hiss is sharp. They meet without overlapping, so that their powers add."""

_TILT = -3.0
"""dB per octave: pink, as soft as rain."""

_EDGE = 0.15
"""Octaves in which a band begins and ends: a sharper edge rings."""

_EVEN, _PASSES = to_samples(0.0035), 3
"""Samples (standard deviation) over which the air is brought to one power, and how often: a factor that moves leaves a
smaller trembling. Noise trembles; but a hold must be still, and a swell the breath's alone."""

_WIDTH = 0.5
"""From 0 (both sides the same) to 1 (unrelated). At a half the air is around the head, and mono loses 1.2 dB."""

_BRIGHTEST = 0.6
"""Share of the power that is bright at the top of a breath; at its bottom there is none."""

_SEED = 20_111_029
"""Any number: it is always the same air."""

_MEASURED = 2.0
"""Seconds before and after the first breath's top in which the loudest 400 ms are looked for."""


class Air(Stream):
    """Noise that follows a ``contour``, stereo; silent where the contour is 0. The loudest 400 ms are at ``BREATH``.

    Its RMS over 20 ms is the contour's strength, so that its corners are the breath's.
    """

    def __init__(self, contour: Contour) -> None:
        super().__init__(self._sound)
        self._contour = contour
        begin = max(0, contour.top - to_samples(_MEASURED))
        loudness = loudest(self._air(begin, to_samples(2 * _MEASURED)), RATE)
        self._unit = np.float32(gain(BREATH - loudness))

    def _sound(self, index: int) -> Block:
        return self._air(index * CHUNK, CHUNK) * self._unit

    def _air(self, start: int, frames: int) -> Block:
        strength = self._contour.strength(start, frames)
        if not strength.any():
            return np.zeros((frames, 2), np.float32)
        bright = _BRIGHTEST * strength
        dark, clear = _loop(_band(*_DARK, 0), start, frames), _loop(_band(*_BRIGHT, 1), start, frames)
        block: Block = dark * (strength * np.sqrt(1 - bright))[:, None].astype(np.float32)
        block += clear * (strength * np.sqrt(bright))[:, None].astype(np.float32)
        return block


def _loop(band: Block, start: int, frames: int) -> Block:
    """``frames`` (at most ``_LOOP``) of an endless band from ``start`` on."""
    first = start % _LOOP
    piece = band[first : first + frames]
    return piece if len(piece) == frames else np.concatenate([piece, band[: frames - len(piece)]])


@lru_cache(maxsize=2)
def _band(low: float, high: float, number: int) -> Block:
    """``_LOOP`` samples of noise between two frequencies, which go over into their own beginning; RMS 1, and even."""
    hertz = np.arange(_LOOP // 2 + 1) * (RATE / _LOOP)
    octaves = np.log2(np.maximum(hertz, 1.0))
    inside = _ramp((octaves - math.log2(low)) / _EDGE) * _ramp((math.log2(high) - octaves) / _EDGE)
    magnitudes = inside * 10 ** (_TILT * octaves / 20)
    phases = random(_SEED, number, 0).uniform(0, 2 * math.pi, (2, len(hertz)))
    middle, apart = magnitudes * np.exp(1j * phases)
    middle, apart = middle * math.sqrt(1 - _WIDTH / 2), apart * math.sqrt(_WIDTH / 2)
    sides = irfft(np.stack([middle + apart, middle - apart]), _LOOP)
    blur = np.exp(-2 * np.square(math.pi * _EVEN * hertz / RATE))  # of a Gaussian, over its loop
    for _ in range(_PASSES):
        sides /= np.sqrt(irfft(rfft(np.square(sides).mean(axis=0)) * blur, _LOOP))
    block: Block = np.ascontiguousarray(sides.T, dtype=np.float32)
    block.setflags(write=False)
    return block


def _ramp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1 without a corner, clipped outside."""
    ramp: NDArray[np.float64] = np.sin(np.pi / 2 * np.clip(x, 0, 1)) ** 2
    return ramp
