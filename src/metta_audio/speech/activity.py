"""Where in a wave somebody speaks: what trimming and the measured rate both stand on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Wave
from metta_audio.units import Samples, Seconds, gain

FLOOR = -40.0
"""dB against the loudest 5 ms. A soft f or th lies 25 to 35 dB under the strongest vowel of its sentence; the noise
that engines leave at the edges lies 45 dB or more below."""

PAUSE = Seconds(0.25)
"""A quiet stretch this long is a pause and no part of articulation: the limit phoneticians use (Goldman-Eisler), as
the closure of a long stop consonant stays below it."""

HEARD = -40.0
"""dB against the loudest millisecond from which on a word is there: the breath before it is softer."""

_HOP = Seconds(0.001)
_WINDOW_HOPS = 5
"""Level of 5 ms every 1 ms: one period of a deep voice smooths over, and an edge is found to a millisecond or two."""

_JUNK_LENGTH = Seconds(0.12)
_JUNK_LEVEL = -15.0
"""A last sound after a pause, shorter than any syllable and this many dB under the loudest, is a click or a voiced
left-over of the engine, not a word."""


def mono(wave: Wave) -> NDArray[np.float64]:
    """All channels in one, float64 of shape ``(frames,)``."""
    # The mean of one channel is that channel, and takes ten times as long.
    one: NDArray[np.float64] = wave.samples[:, 0].astype(np.float64)
    return one if wave.channels == 1 else wave.samples.mean(axis=1, dtype=np.float64)


def _levels(wave: Wave, hop: int) -> NDArray[np.float64]:
    """RMS of the window that starts at each hop."""
    sound = mono(wave)
    hops = -(-len(sound) // hop) if len(sound) else 0
    padded = np.concatenate([sound, np.zeros((hops + _WINDOW_HOPS) * hop - len(sound))])
    total = np.concatenate([[0.0], np.cumsum(_energies(padded, hop))])
    # A running sum may end a rounding error below zero.
    mean = np.maximum(total[_WINDOW_HOPS:-1] - total[: -_WINDOW_HOPS - 1], 0.0) / (hop * _WINDOW_HOPS)
    levels: NDArray[np.float64] = np.sqrt(mean)
    return levels


def _energies(sound: NDArray[np.float64], hop: int) -> NDArray[np.float64]:
    """Sum of the squares in each hop; ``sound`` is a whole number of them."""
    parts = sound.reshape(-1, hop)
    energies: NDArray[np.float64] = np.einsum("ij,ij->i", parts, parts)
    return energies


def stretches(wave: Wave) -> tuple[tuple[Samples, Samples], ...]:
    """``(start, end)`` of each run of speech between pauses, in samples of ``wave``; empty for silence."""
    hop = max(1, round(_HOP * wave.rate))
    levels = _levels(wave, hop)
    loudest = float(levels.max(initial=0.0))
    sounding = np.flatnonzero(levels > loudest * gain(FLOOR))
    if not len(sounding):
        return ()
    # A window sounds as soon as it touches a sound: where one begins it is in the last hop, where it ends in the first.
    starts = np.where(sounding, (sounding + _WINDOW_HOPS - 1) * hop, 0)
    ends = (sounding + 1) * hop
    breaks = np.flatnonzero(starts[1:] - ends[:-1] >= PAUSE * wave.rate)
    firsts = np.concatenate([[0], breaks + 1])
    lasts = np.concatenate([breaks, [len(sounding) - 1]])
    if len(breaks) and ends[-1] - starts[firsts[-1]] < _JUNK_LENGTH * wave.rate:
        junk = levels[sounding[firsts[-1]] : sounding[-1] + 1]
        if junk.max() < loudest * gain(_JUNK_LEVEL):
            firsts, lasts = firsts[:-1], lasts[:-1]
    return tuple(
        (Samples(min(int(starts[first]), wave.frames - 1)), Samples(min(int(ends[last]), wave.frames)))
        for first, last in zip(firsts, lasts, strict=True)
    )


def articulation(wave: Wave) -> Seconds:
    """Time spent speaking, pauses and edges left out."""
    return Seconds(sum(end - start for start, end in stretches(wave)) / wave.rate)


def onset(wave: Wave) -> Samples:
    """First sample of the first millisecond that is heard; 0 for silence.

    ``stretches`` begins earlier, in the breath of a soft consonant, which nobody would set a clock by.
    """
    hop = max(1, round(_HOP * wave.rate))
    levels = _energies(mono(wave)[: wave.frames - wave.frames % hop], hop)
    heard = np.flatnonzero(levels > levels.max(initial=0.0) * gain(HEARD) ** 2)
    return Samples(int(heard[0]) * hop if len(heard) else 0)
