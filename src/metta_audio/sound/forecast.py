"""How loud a score will be, told without mixing it; and how it is brought to its target.

Speech stands at one loudness, but what else sounds counts as well wherever it comes within 10 LU of the whole: a bell
that rings for half a minute in a practice of few words, or the bed itself where hardly anything is said. What is found
here is one gain for the whole recording and one for its bed, in coarse steps, so that a change of a word does not move
everything else.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.loudness import gated, step_powers
from metta_audio.sound.mix import Score, Track
from metta_audio.units import RATE, Decibels, Lufs, Samples

STEP = Decibels(0.25)
"""Half of it is the most that a recording is off by, and no ear can tell; a smaller step would move more often."""

MOST = Decibels(6.0)
"""What a recording may be raised or lowered by: enough for a minute of two sentences between bells, and no more than a
player does that evens out loudness. One that would need more is nearly all breath and bed: it stays as it is, because
its two sentences would have to shout."""

MOST_FALL = 8
"""dB by which a bed may be lowered, in whole ones, where so little is said that the bed would count as programme.
Further down it would be gone from a small loudspeaker; and it is better soft than the voice loud."""

_UNHEARD = 0.1
"""LU: what a further fall of the bed may still change before it is done."""

_HOP = RATE // 10
"""Frames that share one power: 100 ms, the step of BS.1770-4."""

_BLOCK = 10 * _HOP
"""Frames read at once: a second. One without voice or cues costs nothing."""

_EVERY = 100
_SEEN = 8
"""Steps between two looks at the bed, 10 s, and steps of each look: its weather changes slowly."""


def brought_to(score: Score, target: Lufs, *, bed_may_fall: bool = True) -> Score:
    """The score with the gains that bring its integrated loudness nearest to ``target``.

    First the bed falls, by at most ``MOST_FALL``, if that keeps it out of the figure; then the whole moves, by at most
    ``MOST``. A score that comes nowhere near by these is returned as it is.
    """
    sounding = _sounding(score)
    bed = np.zeros_like(sounding) if score.bed is None else _bed_powers(score, len(sounding))
    fall = _fall(sounding, bed) if bed_may_fall else 0
    found = gated(sounding + bed * 10 ** (-fall / 10))
    trim = target - score.gain - found
    if not abs(trim) <= MOST:  # nor for silence
        return score
    return replace(
        score,
        gain=Decibels(score.gain + STEP * round(trim / STEP)),
        bed_gain=Decibels(score.bed_gain - fall),
    )


def forecast(score: Score) -> Lufs:
    """Integrated loudness of what ``score`` sounds before its gain; ``-inf`` for silence.

    Voice and cues are read whole, the bed at a few places. Where both sound their powers add: they know nothing of each
    other.
    """
    powers = _sounding(score)
    if score.bed is not None:
        powers += _bed_powers(score, len(powers))
    return gated(powers)


def _fall(sounding: NDArray[np.float64], bed: NDArray[np.float64]) -> int:
    """By how many dB the bed has to fall so that falling further would change nothing."""
    found = [gated(sounding + bed * 10 ** (-fall / 10)) for fall in range(MOST_FALL + 1)]
    return next(fall for fall, loudness in enumerate(found) if loudness >= found[-1] - _UNHEARD)


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
    # At the middle of each step; copied, because a slice would keep its whole second in memory.
    factors = [score.bed_factors(start, _BLOCK)[_HOP // 2 :: _HOP].copy() for start in range(0, steps * _HOP, _BLOCK)]
    found: NDArray[np.float64] = powers * np.concatenate(factors)[:steps].astype(np.float64) ** 2
    return found


def _seen(score: Score, start: Samples) -> float:
    frames = min(_SEEN * _HOP, score.length - start)
    found = step_powers(score.bed.read(start, frames), RATE) if score.bed else np.zeros(0)
    return float(found.mean()) if len(found) else 0.0
