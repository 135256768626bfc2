"""How loud a score will be, told without mixing it; and the one step by which it is brought to its target.

Speech stands at one loudness, but what else sounds counts as well wherever it comes within 10 LU of the whole: a bell
that rings for half a minute in a practice of few words, a bed that was asked for at -8 dB. The gain found here is one
for the whole recording, in coarse steps, so that a change of a word does not move everything else.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.loudness import gated, step_powers
from metta_audio.sound.mix import Score, Track
from metta_audio.units import RATE, Decibels, Lufs, Samples

STEP = Decibels(0.25)
"""Half of it is the most that a recording is off by, and no ear can tell; a smaller step would move more often."""

MOST = Decibels(4.0)
"""What a recording may be raised or lowered by: enough for three minutes of few words between bells, as much as lies
between a podcast and a recording for the night. One that is nearly all breath and bed would else be pushed until its
two sentences shout."""

_HOP = RATE // 10
"""Frames that share one power: 100 ms, the step of BS.1770-4."""

_BLOCK = 10 * _HOP
"""Frames read at once: a second. One without voice or cues costs nothing."""

_EVERY = 100
_SEEN = 8
"""Steps between two looks at the bed, 10 s, and steps of each look: its weather changes slowly."""


def brought_to(score: Score, target: Lufs) -> Score:
    """The score with the gain that brings its integrated loudness nearest to ``target``, within ``MOST``."""
    found = forecast(score)
    if not math.isfinite(found):
        return score
    trim = min(MOST, max(-MOST, target - score.gain - found))
    return replace(score, gain=Decibels(score.gain + STEP * round(trim / STEP)))


def forecast(score: Score) -> Lufs:
    """Integrated loudness of what ``score`` sounds before its gain; ``-inf`` for silence.

    Voice and cues are read whole, the bed at a few places. Where both sound their powers add: they know nothing of each
    other.
    """
    powers = _sounding(score)
    if score.bed is not None:
        powers += _bed_powers(score, len(powers))
    return gated(powers)


def _sounding(score: Score) -> NDArray[np.float64]:
    """Power of voice and cues, a value for each step."""
    voice, cues = Track(score.voice, score.length), Track(score.cues, score.length)
    powers = np.zeros(score.length // _HOP)
    for start in range(0, score.length, _BLOCK):
        frames = min(_BLOCK, score.length - start)
        block = voice.read(start, frames) + cues.read(start, frames)
        if block.any():
            steps = step_powers(block, RATE)
            powers[start // _HOP :][: len(steps)] = steps
    return powers


def _bed_powers(score: Score, steps: int) -> NDArray[np.float64]:
    """Power of the bed as it gives way to the voice, a value for each step."""
    assert score.bed is not None  # noqa: S101 - for the type checker: the caller has looked
    looks = range(0, max(1, steps - _SEEN), _EVERY)
    seen = [_seen(score, Samples(step * _HOP)) for step in looks]
    powers = np.interp(np.arange(steps), list(looks), seen)
    # At the middle of each step.
    factors = [score.bed_factors(start, _BLOCK)[_HOP // 2 :: _HOP] for start in range(0, steps * _HOP, _BLOCK)]
    found: NDArray[np.float64] = powers * np.concatenate(factors)[:steps].astype(np.float64) ** 2
    return found


def _seen(score: Score, start: Samples) -> float:
    frames = min(_SEEN * _HOP, score.length - start)
    found = step_powers(score.bed.read(start, frames), RATE) if score.bed else np.zeros(0)
    return float(found.mean()) if len(found) else 0.0
