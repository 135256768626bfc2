"""Clip hygiene: from what an engine gave back to a sound that can stand anywhere on a timeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfilt

from metta_audio.sound import levels
from metta_audio.sound.chain import PLAIN, Chain, applied
from metta_audio.sound.loudness import integrated
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import mono, stretches
from metta_audio.speech.voice import Speech, Word
from metta_audio.units import RATE, Decibels, Hertz, Seconds, gain, to_samples

VERSION = 4
"""Counts changes of this module and of the voice chain that change a clip: part of the cache key."""

LEAD = Seconds(0.015)
"""Kept before the first sound: the edge fade, and 5 ms for the breath of a soft consonant."""

TAIL = Seconds(0.018)
"""Kept after the last sound: the edge fade, and nearly as much for the end of a vowel, which by then lies 40 dB down.
With more, the silence at the ends of clips would be part of every pause."""

_RUMBLE = 40.0
"""Hz. An octave below the deepest voice: takes DC and rumble (engines leave up to 0.2 % DC), and no voice. Run forward
and backward, so that no word moves."""

_GRID = float(1 << 23)
"""Steps of a 24-bit sample: a clip lies on them, so that a FLAC file gives back the same bits."""

_PEAK = Decibels(-3.0)
"""Highest sample of a clip in dBFS. Formant synthesis peaks up to 19 dB over its own loudness; 1 dB under the mix's
ceiling, the mix limiter has nothing to do while someone speaks alone."""

_LIMIT = Seconds(0.005)
"""Look-ahead of the peak limiter: a pitch period, so that gain falls before a peak and never follows a waveform."""

_BLOCK = Seconds(0.4)
"""BS.1770 measures in blocks of 400 ms. This much silence goes around a clip while it is measured: so many blocks see
its edges in a recording, too. Sequences of clips with gaps of 0.5 to 5 s then measure within 0.2 LU of SPEECH."""

_STEREO = Decibels(3.01)
"""What BS.1770 adds when the same sound stands in both channels: clips are mono and set at the centre of the mix."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One line's sound: mono at 44.1 kHz, on the 24-bit grid, with the onset of each word in samples of the clip."""

    wave: Wave
    words: tuple[Word, ...] = ()


def make_clip(speech: Speech, chain: Chain = PLAIN) -> Clip:
    """Clean, trim, shape by the voice's ``chain``, fade, level and resample what an engine gave back.

    Speech is cut to ``LEAD`` before its first sound and ``TAIL`` after its last; silence keeps its length. Everything
    but the peaks is settled at the engine's own rate, where there are fewer samples. Where words begin is settled
    before the chain, so that no chain moves one.
    """
    rate = speech.wave.rate
    wave = Wave.mono(_clean(speech.wave), rate)
    found = stretches(wave)
    onset, end = (found[0][0], found[-1][1]) if found else (0, wave.frames)
    first = max(0, onset - to_samples(LEAD, rate))
    last = min(wave.frames, end + to_samples(TAIL, rate))
    # From here on in 32 bits, which hold the 24 of a clip, in half the time.
    shaped = applied(wave.samples[first:last, 0], rate, chain)
    samples = _levelled(_faded(shaped, rate), rate)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE, "HQ")
    grid = np.round(_limited(samples) * _GRID) / _GRID
    return Clip(Wave.mono(grid), _words_within(speech, first, onset, last))


def _clean(wave: Wave) -> NDArray[np.float64]:
    """One channel without DC or rumble."""
    sound = mono(wave)
    if not sound.any():
        return sound
    # Room for the filter to ring out, so that it also works for clips shorter than that.
    padding = to_samples(1 / _RUMBLE, wave.rate)
    forward = sosfilt(_high_pass(wave.rate), np.pad(sound, padding))
    cleaned: NDArray[np.float64] = sosfilt(_high_pass(wave.rate), forward[::-1])[::-1]
    return cleaned[padding:-padding]


@lru_cache
def _high_pass(rate: Hertz) -> NDArray[np.float64]:
    sections: NDArray[np.float64] = butter(2, _RUMBLE, "highpass", fs=rate, output="sos")
    return sections


def _faded(samples: NDArray[np.float32], rate: Hertz) -> NDArray[np.float32]:
    """Fade both ends by raised cosines."""
    length = min(to_samples(levels.EDGE_FADE, rate), len(samples) // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))).astype(np.float32)
    faded = samples.copy()
    faded[:length] *= ramp
    faded[len(faded) - length :] *= ramp[::-1]
    return faded


def _levelled(samples: NDArray[np.float32], rate: Hertz) -> NDArray[np.float32]:
    """Bring speech to the one loudness of all speech; silence stays silence."""
    peak = max(samples.max(initial=0.0), -samples.min(initial=0.0))
    if not peak:
        return samples
    # Measured at full scale: an engine that speaks softly must not lose its edges to the gate at -70 LUFS.
    full: NDArray[np.float32] = samples / peak
    loudness = integrated(np.pad(full, to_samples(_BLOCK, rate)).reshape(-1, 1), rate)
    return full * np.float32(gain(levels.SPEECH - _STEREO - loudness))


def _limited(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Leave no sample above ``_PEAK``: the gain each peak needs, spread over its neighbours by a smooth window."""
    ceiling = np.float32(gain(_PEAK))
    over = np.flatnonzero(np.abs(samples) > ceiling)
    if not len(over):
        return samples
    reach = to_samples(_LIMIT)
    limited = samples.copy()
    # Only around peaks is there anything to work out: gain is 1 wherever none is within twice the reach.
    parts = np.split(over, np.flatnonzero(np.diff(over) > 4 * reach) + 1)
    for first, last in ((max(0, part[0] - 2 * reach), part[-1] + 2 * reach + 1) for part in parts):
        around = limited[first:last]
        held = minimum_filter1d(ceiling / np.maximum(np.abs(around), ceiling), 2 * reach + 1, mode="nearest")
        # Two means make a triangle that reaches as far as the minimum was held: no peak gets less than it needs.
        smooth = uniform_filter1d(uniform_filter1d(held, reach, mode="nearest"), reach, mode="nearest")
        np.clip(around * smooth, -ceiling, ceiling, out=around)
    return limited


def _words_within(speech: Speech, first: int, onset: int, last: int) -> tuple[Word, ...]:
    """Onsets from the clip's first sample: the first word begins where the sound does, and none lies outside."""
    words = []
    for number, word in enumerate(speech.words):
        within = onset if number == 0 else min(max(word.onset, onset), last - 1)
        words.append(replace(word, onset=to_samples(Fraction(within - first, speech.wave.rate))))
    return tuple(words)
