"""How like what was recorded is to a line, as a synthetic voice says it: spectra, laid over each other in time.

Both sounds become a row of spectral shapes, 25 a second, and dynamic time warping finds the way to lay one over the
other that makes them most alike. No words are recognised, and no model is needed: the same idea aligns audio books with
their text (F. Malfrère and T. Dutoit, "High-quality speech synthesis for phonetic speech segmentation", Eurospeech
1997). What makes voices differ is taken out first: loudness and colour by the mean and spread of each coefficient, the
length of the throat by a warp of the frequencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import dct

from metta_audio.sound.wave import Wave
from metta_audio.units import Hertz

Shapes = NDArray[np.float32]
"""Spectral shapes of unit length: ``(frames, _COEFFICIENTS)``."""

Spectra = NDArray[np.float32]
"""Power at each frequency: ``(frames, _SIZE // 2 + 1)``."""

Bands = NDArray[np.float32]
"""Power in each band: ``(frames, _BANDS)``."""

WARPS = (0.86, 0.93, 1.0, 1.08, 1.16, 1.25, 1.35)
"""Factors between the resonances of a reader and those of the synthetic voice, a man's: of a large man to a child's."""

_RATE = Hertz(8_000)
"""Below 4 kHz lie the resonances that tell vowels apart, and enough of the consonants."""

_HOP = _RATE // 25
_WINDOW = 320
"""40 ms between frames and as long each: half a short vowel. Frames of 20 ms told lines apart no better."""

_SIZE = 512
_LOW, _HIGH = 150.0, 2_950.0
"""Hz. Warped to the utmost, the highest band still ends below half of ``_RATE``."""

_BANDS, _COEFFICIENTS = 20, 13
"""As usual for speech at this rate (S. Davis and P. Mermelstein, 1980)."""

_FLOOR = 0.03
"""Of a band's mean power, added: what lies 15 dB below it is room and hiss."""

_LONGEST = 160
"""Frames that a sound is made no longer than: beyond 6 s, a coarser grid tells lines apart as well."""

_STEEP = 0.75
"""What each of two frames costs that are passed at once: 1.5 for a step that goes on by three, against 2 for two that
go on by four. Time runs at half to double the speed, no further."""


def spectra(wave: Wave) -> Spectra:
    """Power of a mono ``wave`` at every frequency."""
    samples = soxr.resample(wave.samples[:, 0], wave.rate, _RATE, "LQ")
    samples = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP] * np.hanning(_WINDOW).astype(np.float32)
    power: Spectra = np.square(np.abs(np.fft.rfft(frames, _SIZE))).astype(np.float32)
    return power


def bands(power: Spectra, warp: float = 1.0) -> Bands:
    """The same in bands spaced as the ear does, their frequencies times ``warp``."""
    made: Bands = power @ _filters(warp)
    return made


def shapes(sounds: Sequence[Bands]) -> list[Shapes]:
    """The spectral shapes of ``sounds``, which one voice said in one room."""
    floor = _FLOOR * np.concatenate(sounds).mean(axis=0) + np.finfo(np.float32).tiny
    found = [dct(np.log(sound + floor), axis=1, norm="ortho")[:, :_COEFFICIENTS] for sound in sounds]
    every = np.concatenate(found)
    middle, spread = every.mean(axis=0), every.std(axis=0) + 1e-6
    return [_unit((each - middle) / spread) for each in found]


def distances(line: Shapes, sounds: Sequence[Shapes]) -> NDArray[np.float64]:
    """How far each of ``sounds`` is from ``line``: 0 for the same, about 1 where nothing is alike."""
    if not sounds:
        return np.zeros(0)
    size = min(_LONGEST, len(line))
    line = _stretched(line, size)
    # Laid out as (frames of the line, frames of the sound, sounds): the loop below then runs over whole rows.
    apart = 1 - np.einsum("id,jbd->ijb", line, np.stack([_stretched(sound, size) for sound in sounds], axis=1))
    never = np.full((size + 2, len(sounds)), np.inf, np.float32)
    before, last = never.copy(), never.copy()
    # Two rows of padding in front: a step of two frames may begin outside, and never does.
    last[2] = apart[0, 0]
    for row in range(1, size):
        now = never.copy()
        now[2:] = last[1:-1] + apart[row]
        now[3:] = np.minimum(now[3:], last[1:-2] + _STEEP * (apart[row, :-1] + apart[row, 1:]))
        now[2:] = np.minimum(now[2:], before[1:-1] + _STEEP * (apart[row - 1] + apart[row]))
        before, last = last, now
    ends: NDArray[np.float64] = last[-1].astype(np.float64) / size
    return ends


def _stretched(sound: Shapes, size: int) -> Shapes:
    at = np.linspace(0, len(sound) - 1, size)
    low = np.floor(at).astype(int)
    share = (at - low).astype(np.float32)[:, None]
    return _unit(sound[low] * (1 - share) + sound[np.minimum(low + 1, len(sound) - 1)] * share)


def _unit(rows: NDArray[np.floating]) -> Shapes:
    unit: Shapes = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return unit


@cache
def _filters(warp: float) -> NDArray[np.float32]:
    """Overlapping triangles, evenly spaced in mel: ``(frequencies, bands)``."""
    edges = np.linspace(_mel(_LOW), _mel(_HIGH), _BANDS + 2)
    low, middle, high = (warp * 700 * np.expm1(edges[at : at + _BANDS] / 1127) for at in range(3))
    frequencies = np.fft.rfftfreq(_SIZE, 1 / _RATE)[:, None]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    filters: NDArray[np.float32] = np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
    return filters


def _mel(frequency: float) -> float:
    """S. Stevens and others, 1937, in O'Shaughnessy's formula."""
    return 1127 * float(np.log1p(frequency / 700))
