"""When one may speak after a bell, or strike it again: told from its partials, for every strike it can make."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.bell import (
    APART,
    BEAT_SCATTER,
    END_FADE,
    LEAST_WAIT,
    LEVEL_SCATTER,
    STRONG,
    WEAK,
    BellModel,
    edges,
    ring_frames,
)
from metta_audio.units import RATE, Samples, gain, to_samples

_OUT_OF_THE_WAY = 12.0
"""dB a bell falls from its loudest before someone speaks, or strikes again: 16 dB below speech, it covers no word."""

_ENVELOPE_STEP = to_samples(0.05)
"""The fall is measured every 50 ms: finer would follow the waves of a deep bell, coarser would miss a beat."""

_STEPS_TOGETHER = (1, 2, 4, 8, 16)
"""Steps whose mean power the loudest of them has at least. In one, tones that lie close may cancel; over many they
cannot, but the bell has fallen. What follows from any of them is true, so the best counts."""

_POINTS = 21
"""In each step, at which its envelope is worked out: every 2.4 ms, about the shortest attack, and the step divides by
it."""


@lru_cache(maxsize=32)
def speech_after(model: BellModel) -> Samples:
    """From a strike, or the beginning of a rise, until speech may begin: when it has fallen by 12 dB, for good.

    Against the loudest 50 ms of the strike. The same for every strike of every seed: none falls later.
    """
    loud = np.flatnonzero(_most(model) > gain(-_OUT_OF_THE_WAY) ** 2)
    after = (int(loud[-1]) + 1) * _ENVELOPE_STEP if len(loud) else 0
    return max(to_samples(LEAST_WAIT), Samples(after))


def spacing(model: BellModel) -> Samples:
    """From one strike to the next, where a bell is struck more than once."""
    return max(to_samples(model.spacing), speech_after(model))


def gap(model: BellModel, strikes: int) -> Samples:
    """From the first of ``strikes`` until speech may begin."""
    return Samples((strikes - 1) * spacing(model) + speech_after(model))


def ring(model: BellModel, strikes: int) -> Samples:
    """From the first of ``strikes`` until the last has died away."""
    return Samples((strikes - 1) * spacing(model) + ring_frames(model))


def _most(model: BellModel) -> NDArray[np.float64]:
    """The most power each 50 ms of any strike can have, against the loudest 50 ms of the same strike.

    A bound, from the partials alone: everything that ``_strike`` leaves to chance is at its worst. The
    touch of a mallet is gone within ``LEAST_WAIT``, and before that only makes the loudest louder.
    """
    frames = ring_frames(model) // _ENVELOPE_STEP * _ENVELOPE_STEP
    least, most = _powers(model, frames)
    bounds = []
    for steps in _STEPS_TOGETHER:
        means = np.stack([np.convolve(each, np.full(steps, 1 / steps), "valid") for each in least])
        loudest_mean = means[:, [int(means.sum(axis=0).argmax())]]
        bounds.append(_worst(most, _overlap(model, 1), loudest_mean, _overlap(model, steps)))
    highest: NDArray[np.float64] = np.min(bounds, axis=0)
    return highest


def _powers(model: BellModel, frames: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and most power of each partial in each 50 ms, but for its scattered level: ``(partials, steps)``.

    Four times the mean of both sides. The beat of a partial is known but for where a strike begins in it.
    """
    every = _ENVELOPE_STEP // _POINTS
    frame = np.arange(every // 2, frames, every)
    shape = edges(ring_frames(model), to_samples(model.rise or model.attack), to_samples(END_FADE))[frame] ** 2
    # Of both sides together, strong and weak apart, and what their beat adds or takes.
    steady = (STRONG**2 + WEAK**2) * (1 + (1 - APART) ** 2)
    swell = 4 * STRONG * WEAK * (1 - APART)
    least, most = [], []
    for partial in model.partials:
        fall = shape * 10 ** ((partial.level - 60 * np.maximum(frame / RATE - model.rise, 0) / partial.decay) / 10)
        mean = fall.reshape(-1, _POINTS).mean(axis=1)
        beat = (fall * np.exp(2j * math.pi * partial.beat * frame / RATE)).reshape(-1, _POINTS).mean(axis=1)
        angle = np.abs(np.angle(beat))
        least.append(steady * mean + swell * np.abs(beat) * np.cos(np.minimum(angle + BEAT_SCATTER, math.pi)))
        most.append(steady * mean + swell * np.abs(beat) * np.cos(np.maximum(angle - BEAT_SCATTER, 0)))
    return np.stack(least), np.stack(most)


def _overlap(model: BellModel, steps: int) -> NDArray[np.float64]:
    """How much of each two partials may add up as waves, rather than as powers, over so many steps."""
    hertz = model.root * np.array([partial.ratio for partial in model.partials])
    beats = np.array([partial.beat for partial in model.partials])
    apart = np.abs(hertz[:, None] - hertz) - np.maximum(beats[:, None], beats)
    turns = math.pi * steps * _ENVELOPE_STEP / RATE  # the mean of a wave of h Hz is no larger than 1 / (turns · h)
    near = np.minimum(1, 1 / np.maximum(turns * apart, 1))
    np.fill_diagonal(near, 0)
    overlap: NDArray[np.float64] = np.minimum(1, near + 1 / (turns * (hertz[:, None] + hertz)))
    return overlap


def _worst(
    powers: NDArray[np.float64],
    overlap: NDArray[np.float64],
    against: NDArray[np.float64],
    their_overlap: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The largest ratio of the sum of ``powers`` to that of ``against``, for any scatter of levels."""
    # One sum over another is largest where the partials that last best are scattered up, and the others down.
    rank = np.argsort(np.argsort(-powers / np.maximum(against, 1e-30), axis=0), axis=0)
    ratios = []
    for count in range(len(powers) + 1):
        scatter = np.where(rank < count, gain(LEVEL_SCATTER), gain(-LEVEL_SCATTER))
        above, below = np.sqrt(powers) * scatter, np.sqrt(np.maximum(against, 0)) * scatter
        over = (above**2).sum(axis=0) + (above * (overlap @ above)).sum(axis=0)
        under = (below**2).sum(axis=0) - (below * (their_overlap @ below)).sum(axis=0)
        ratios.append(over / np.maximum(under, 1e-30))
    worst: NDArray[np.float64] = np.max(ratios, axis=0)
    return worst
