"""The voice chain: a little care for a voice, set once for each engine. High-pass, de-esser, warmth.

It never moves a word: all of it is worked out on the whole clip, looking as far ahead as back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import uniform_filter1d

from metta_audio.errors import SoundError
from metta_audio.units import Decibels, Hertz, Seconds, gain

_LOWEST, _HIGHEST = 20.0, 120.0
"""Hz between which a high-pass may turn: below is nothing to take away, above are the voices themselves."""

_MOST_DE_ESS = 6.0
"""dB. More makes a lisp."""

_MOST_WARMTH = 1.5
"""dB at either end of the spectrum: heard as nearer, not as another voice. Consonants stay as clear as they were."""

_LOW_TURN, _HIGH_TURN = 330.0, 3000.0
"""Hz where the shelves of warmth are half way: chest below, edge above, and 1 kHz where it was."""

_UNITY = 1000.0
"""Hz: the middle of speech, which no setting may change."""

_HISS = (4500.0, 9000.0)
"""Hz: s, sh and the hard edge of formant synthesis. Vowels end below, air lies above."""

_LOOK = Seconds(0.012)
"""Over which the hiss and the rest are compared: shorter than any s, longer than a period of a low voice."""

_GLIDE = Seconds(0.02)
"""In which the de-esser's gain moves from one end to the other: no click, and still inside the s."""

_STANDS_OUT = Decibels(-9.0)
"""Hiss against the rest at which the de-esser begins: vowels lie 10 to 30 dB lower, an s above."""

_FULLY = Decibels(-1.0)
"""Hiss against the rest at which it does all that it may."""

_SOFT = gain(-24.0)
"""Least level of the rest that hiss is compared with, against the voice's loudest: a soft f or th, with nothing beside
it, lies 25 to 35 dB under that and stays whole; an s lies at 15 to 25."""

_RING = Seconds(0.05)
"""Silence around a clip, in which the filters ring out: more than two periods of the lowest high-pass."""

_HOP = Seconds(0.001)
"""Levels are compared, and the gain is decided, once a millisecond."""

_STEPS_PER_OCTAVE = 4
"""Lengths of clips are rounded up, to one of so many in an octave, before the FFT: what depends on the length is worked
out once for many clips, and a tenth more is worth it."""

_TINY = 1e-30
"""Keeps a quotient of two silences finite."""


def _check(name: str, value: float, low: float, high: float, unit: str) -> None:
    # Written so that a value that is no number fails, too.
    if not low <= value <= high:
        what = f"a voice chain's {name} must be from {low:g} to {high:g} {unit}, not {value:g}"
        raise SoundError(what, hint=f"the nearest is {high if value > high else low:g}")


_NO_TURN, _NOTHING = Hertz(0), Decibels(0.0)


@dataclass(frozen=True, slots=True)
class Chain:
    """What is done to a voice; nothing by default.

    ``high_pass`` in Hz, 20 to 120, or 0 for none: half the amplitude of what lies there is gone, and all of DC.
    ``de_ess`` from 0 to 6: decibels by which hiss is lowered while it stands out. ``warmth`` from 0 to 1.5: decibels
    more below 330 Hz and as many less above 3 kHz. Raises SoundError for anything else.
    """

    high_pass: Hertz = _NO_TURN
    de_ess: Decibels = _NOTHING
    warmth: Decibels = _NOTHING

    def __post_init__(self) -> None:
        if self.high_pass != 0:
            _check("high-pass", self.high_pass, _LOWEST, _HIGHEST, "Hz, or 0 for none")
        _check("de-esser", self.de_ess, 0.0, _MOST_DE_ESS, "dB")
        _check("warmth", self.warmth, 0.0, _MOST_WARMTH, "dB")


PLAIN = Chain()
"""Leaves every sample as it is."""

MILD = Chain(high_pass=Hertz(50), de_ess=Decibels(1.0), warmth=Decibels(0.5))
"""For a voice that nobody has tuned: what helps most and harms none."""


def applied(samples: NDArray[np.floating], rate: int, chain: Chain) -> NDArray[np.floating]:
    """The voice after its chain: shape ``(frames,)`` and kind as ``samples``, every onset on its own sample.

    1 kHz stays as loud as it was. Nothing is raised by more than ``chain.warmth``; ``PLAIN`` gives back its input.
    """
    if chain == PLAIN or not samples.any():
        return samples
    size = _size(len(samples) + math.ceil(_RING * rate))
    response, hiss_band = _responses(size, rate, chain)
    # In 32 bits, in half the time: it errs by less than a step of 24 bits.
    spectrum = rfft(samples.astype(np.float32, copy=False), size)
    spectrum *= response
    shaped: NDArray[np.float32] = irfft(spectrum, size)[: len(samples)]
    if chain.de_ess and _HISS[0] < rate / 2:
        spectrum *= hiss_band
        hiss: NDArray[np.float32] = irfft(spectrum, size)[: len(samples)]
        shaped -= _hiss_loss(shaped, hiss, rate, chain.de_ess) * hiss
    return shaped.astype(samples.dtype, copy=False)


def _size(length: int) -> int:
    """The next of 4, 5, 6, 7, 8, 10, 12, 14, 16 … times a power of two: few sizes, each of small prime factors."""
    step = max(1, (1 << (length - 1).bit_length()) // (2 * _STEPS_PER_OCTAVE))
    return -(-length // step) * step


@lru_cache(maxsize=32)
def _responses(size: int, rate: int, chain: Chain) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of the whole chain without its de-esser, and of the band of hiss, at the frequencies of an FFT of ``size``."""
    hertz = np.fft.rfftfreq(size, 1 / rate).astype(np.float64)
    return _response(hertz, chain).astype(np.float32), _hiss_band(hertz).astype(np.float32)


def _response(hertz: NDArray[np.float64], chain: Chain) -> NDArray[np.float64]:
    """Gain at each frequency; without phase, so that nothing moves.

    The high-pass is a second-order Butterworth run forward and back. The shelves are as steep as one run once, in dB.
    """
    low = chain.warmth / (1 + np.square(np.square(hertz / _LOW_TURN)))
    high = -chain.warmth / (1 + np.square(np.square(_HIGH_TURN / np.maximum(hertz, 1.0))))
    response: NDArray[np.float64] = 10 ** ((low + high) / 20)
    if chain.high_pass:
        response *= _passed(hertz, chain.high_pass) / _passed(np.array([_UNITY]), chain.high_pass)
    return response


def _passed(hertz: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    """Power response of a second-order Butterworth high-pass: half at ``turn``, nothing at 0 Hz."""
    power = np.square(np.square(hertz / turn))
    passed: NDArray[np.float64] = power / (1 + power)
    return passed


def _hiss_band(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 inside the band of hiss, 0 outside; from one to the other a third of an octave of raised cosine."""
    octaves = np.log2(np.maximum(hertz, 1.0))
    low, high = math.log2(_HISS[0]), math.log2(_HISS[1])
    inside = np.minimum(octaves - low, high - octaves)
    band: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * np.clip(0.5 + 3 * inside, 0, 1))
    return band


def _hiss_loss(
    samples: NDArray[np.float32], hiss: NDArray[np.float32], rate: int, most: Decibels
) -> NDArray[np.float32]:
    """What is to be taken from the hiss at each sample, as a factor from 0 to ``1 - gain(-most)``."""
    hop = max(1, round(_HOP * rate))
    hissing, resting = _levels(hiss, hop), _levels(samples - hiss, hop)
    # The loudest moment of the rest is a stressed vowel: the voice's own level, however long the clip's silences are.
    excess = 10 * np.log10((hissing + _TINY) / (np.maximum(resting, resting.max() * _SOFT**2) + _TINY))
    share = np.clip((excess - _STANDS_OUT) / (_FULLY - _STANDS_OUT), 0.0, 1.0)
    # Two means make a triangle: no corner is sharper than the glide.
    for _ in range(2):
        share = uniform_filter1d(share, round(_GLIDE / 2 / _HOP), mode="nearest")
    loss = 1 - 10 ** (-most / 20 * share)
    # In straight lines from the middle of each hop to that of the next; what is before the first and after the last
    # stays as it is there.
    ends = np.concatenate([loss[:1], loss, loss[-1:]]).astype(np.float32)
    way = ((np.arange(hop) + hop % 2 / 2) / hop).astype(np.float32)
    lines = ends[:-1, np.newaxis] + np.diff(ends)[:, np.newaxis] * way
    losses: NDArray[np.float32] = lines.reshape(-1)[hop // 2 :][: len(samples)]
    return losses


def _levels(samples: NDArray[np.float32], hop: int) -> NDArray[np.float64]:
    """Mean power around each hop."""
    power = np.square(np.pad(samples, (0, -len(samples) % hop))).reshape(-1, hop).mean(axis=1, dtype=np.float64)
    # A running mean may end a rounding error below zero.
    levels: NDArray[np.float64] = np.maximum(uniform_filter1d(power, round(_LOOK / _HOP), mode="constant"), 0.0)
    return levels
