"""Bells, struck or rubbed, from their partials: each a pair of close tones that beat and die away.

A bell is a small data file; a new bell is a new file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from metta_audio.sound.datafile import Table, read_table
from metta_audio.sound.levels import BELL, SPEECH
from metta_audio.sound.loudness import k_weighting, loudest
from metta_audio.sound.stream import random
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Decibels, Lufs, Samples, decibels, gain, to_samples

_LONGEST = 24.0
"""Seconds a bell may ring: beside a soft bed the ear follows a temple bell's deepest partial for twenty, and a rubbed
bowl has its rise before. Longer, a recording would wait for it to end."""

_HEARD = (40.0, 16_000.0)
"""Hz between which a partial must lie: deeper is not heard from small loudspeakers, higher not by most adults."""

_AUDIBLE = 60.0
"""dB a bell falls before it counts as over: by then it is 40 dB below the quietest bed."""

_END_FADE = 1.5
"""Seconds over which the last of it goes to nothing, so that the ring ends rather than stops."""

_OUT_OF_THE_WAY = 12.0
"""dB a bell falls from its loudest before someone speaks, or strikes again: 16 dB below speech, it covers no word."""

_LEAST_WAIT = 1.0
"""Seconds from a strike to a word or to the next strike, at least. The knock of a wooden fish is over in a tenth of it,
but needs a moment to be heard as a sign; and one in a second is slower than any alarm."""

_SPACING = 3.0
"""Seconds from one strike to the next, where a bell's file says nothing else: repeated bells invite to stop."""

_LOUD = 4.0
"""Seconds from the strike, or from the end of the rise, in which the loudest 400 ms lie: in them the slowest beat has
its top, and then all falls."""

_TENTH = 0.1
_LOUDEST_TENTH = Lufs(SPEECH - 1)
"""Seconds, and how loud they may be: a knock that fills a quarter of 400 ms would be set 6 dB up by them, above the
voice. One under it, a knock is as present as a bell, and no bell that rings is touched by this."""

_BS1770 = -0.691
"""dB in formula 2 of BS.1770-4: K-weighted power to LUFS."""

_PEAK = Decibels(-6.0)
"""dBFS no sample of a bell goes beyond: with a word and a bed on top the limiter still has nothing to do."""

_ENVELOPE_STEP = to_samples(0.05)
"""The fall is measured every 50 ms: finer would follow the waves of a deep bell, coarser would miss a beat."""

_POINTS = 21
"""In each step, at which its envelope is worked out: every 2.4 ms, about the shortest attack, and the step divides by
it."""

_STEPS_TOGETHER = (1, 2, 4, 8, 16)
"""Steps whose mean power the loudest of them has at least. In one, tones that lie close may cancel; over many they
cannot, but the bell has fallen. What follows from any of them is true, so the best counts."""

_STRONG, _WEAK = 0.75, 0.25
"""How a partial divides into its pair: it beats by 6 dB. Halves would beat down to silence, which no bell does."""

_APART = 0.3
"""How far each of a pair stands to its side: the beats move gently between the ears, and mono loses 0.1 dB."""

_LEVEL_SCATTER = 0.8
_BEAT_SCATTER = 0.5
"""dB by which a strike excites a partial more or less, and cycles/2π by which it begins elsewhere in its beat: nobody
strikes the same place twice with the same strength."""


@dataclass(frozen=True, slots=True)
class Partial:
    """A tone of the bell: ``ratio`` times the root, ``level`` dB, dying away by 60 dB in ``decay`` s.

    ``beat`` is how many times a second it swells.
    """

    ratio: float
    level: float
    decay: float
    beat: float


@dataclass(frozen=True, slots=True)
class Mallet:
    """The touch itself: noise around ``hertz``, ``level`` dB against the loudest partial.

    It falls by 60 dB in ``decay`` s.
    """

    level: float
    hertz: float
    decay: float


@dataclass(frozen=True, slots=True)
class BellModel:
    """What a bell's data file says: ``root`` in Hz, ``attack`` in seconds (the softness of the mallet).

    A bell with a ``rise`` is rubbed: it grows for so many seconds and then rings out. ``spacing`` is the least from
    one strike to the next, in seconds. By its ``tags`` a listener leaves out a whole family.
    """

    name: str
    title: str
    summary: str
    root: float
    attack: float
    partials: tuple[Partial, ...]
    rise: float = 0.0
    spacing: float = _SPACING
    mallet: Mallet | None = None
    tags: tuple[str, ...] = ()

    def strike(self, seed: int, number: int = 0) -> Wave:
        """Strike ``number`` of a series: stereo, from the touch of the mallet to exact silence.

        No two of a series are the same. The loudest 400 ms are at ``BELL``; those of a short knock lie lower, so that
        no 100 ms come near the voice. Another ``seed`` strikes a little differently. Every strike has the same length.
        """
        return _strike(self, seed, number)


def load_bell(text: str, *, name: str, file: str) -> BellModel:
    """Read a bell from the ``text`` of its data file; ``file`` is its path as the user knows it.

    Raises SoundError, with the place, for anything that is not as it should be.
    """
    table = read_table(text, file)
    root = table.number("root", *_HEARD)
    model = BellModel(
        name=name,
        title=table.words("title", default=name),
        summary=table.words("summary", default=""),
        root=root,
        # Under 2 ms a strike is a click; over 0.2 s it is no strike.
        attack=table.number("attack", 0.002, 0.2, default=0.01),
        partials=tuple(_read_partial(each, root) for each in table.tables("partials")),
        # Under a second it is a soft strike; over twelve nobody knows what they wait for.
        rise=table.number("rise", 1.0, 12.0) if table.has("rise") else 0.0,
        spacing=table.number("spacing", _LEAST_WAIT, 60.0, default=_SPACING),
        mallet=_read_mallet(table) if table.has("mallet") else None,
        tags=table.word_list("tags"),
    )
    if model.rise and table.has("attack"):
        raise table.fault("attack", "a bell is struck or rubbed, not both", "keep attack or rise")
    table.finish()
    return model


@lru_cache(maxsize=32)
def speech_after(model: BellModel) -> Samples:
    """From a strike, or the beginning of a rise, until speech may begin: when it has fallen by 12 dB, for good.

    Against the loudest 50 ms of the strike. The same for every strike of every seed: none falls later.
    """
    loud = np.flatnonzero(_most(model) > gain(-_OUT_OF_THE_WAY) ** 2)
    after = (int(loud[-1]) + 1) * _ENVELOPE_STEP if len(loud) else 0
    return max(to_samples(_LEAST_WAIT), Samples(after))


def spacing(model: BellModel) -> Samples:
    """From one strike to the next, where a bell is struck more than once."""
    return max(to_samples(model.spacing), speech_after(model))


def gap(model: BellModel, strikes: int) -> Samples:
    """From the first of ``strikes`` until speech may begin."""
    return Samples((strikes - 1) * spacing(model) + speech_after(model))


def ring(model: BellModel, strikes: int) -> Samples:
    """From the first of ``strikes`` until the last has died away."""
    return Samples((strikes - 1) * spacing(model) + _ring(model))


def _read_partial(table: Table, root: float) -> Partial:
    low, high = _HEARD
    partial = Partial(
        ratio=table.number("ratio", low / root, high / root),
        level=table.number("level", -60.0, 0.0),
        decay=table.number("decay", 0.05, 60.0),
        beat=table.number("beat", 0.0, 20.0, default=0.0),
    )
    table.finish()
    return partial


def _read_mallet(table: Table) -> Mallet:
    return Mallet(
        level=table.number("mallet", -60.0, 12.0),
        hertz=table.number("mallet_hertz", 100.0, 8000.0, default=1000.0),
        decay=table.number("mallet_decay", 0.02, 1.0, default=0.06),
    )


def _ring(model: BellModel) -> Samples:
    """Until every partial has fallen far enough below the loudest, as it is at the strike."""
    top = max(partial.level for partial in model.partials)
    times = (partial.decay * (_AUDIBLE - (top - partial.level)) / 60 for partial in model.partials)
    return to_samples(min(_LONGEST, model.rise + max(_END_FADE, *times)))


def _most(model: BellModel) -> NDArray[np.float64]:
    """The most power each 50 ms of any strike can have, against the loudest 50 ms of the same strike.

    A bound, from the partials alone: everything that ``_strike`` leaves to chance is at its worst. The
    touch of a mallet is gone within ``_LEAST_WAIT``, and before that only makes the loudest louder.
    """
    frames = _ring(model) // _ENVELOPE_STEP * _ENVELOPE_STEP
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
    edges = _edges(_ring(model), to_samples(model.rise or model.attack), to_samples(_END_FADE))[frame] ** 2
    # Of both sides together, strong and weak apart, and what their beat adds or takes.
    steady = (_STRONG**2 + _WEAK**2) * (1 + (1 - _APART) ** 2)
    swell = 4 * _STRONG * _WEAK * (1 - _APART)
    least, most = [], []
    for partial in model.partials:
        fall = edges * 10 ** ((partial.level - 60 * np.maximum(frame / RATE - model.rise, 0) / partial.decay) / 10)
        mean = fall.reshape(-1, _POINTS).mean(axis=1)
        beat = (fall * np.exp(2j * math.pi * partial.beat * frame / RATE)).reshape(-1, _POINTS).mean(axis=1)
        angle = np.abs(np.angle(beat))
        least.append(steady * mean + swell * np.abs(beat) * np.cos(np.minimum(angle + _BEAT_SCATTER, math.pi)))
        most.append(steady * mean + swell * np.abs(beat) * np.cos(np.maximum(angle - _BEAT_SCATTER, 0)))
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
        scatter = np.where(rank < count, gain(_LEVEL_SCATTER), gain(-_LEVEL_SCATTER))
        above, below = np.sqrt(powers) * scatter, np.sqrt(np.maximum(against, 0)) * scatter
        over = (above**2).sum(axis=0) + (above * (overlap @ above)).sum(axis=0)
        under = (below**2).sum(axis=0) - (below * (their_overlap @ below)).sum(axis=0)
        ratios.append(over / np.maximum(under, 1e-30))
    worst: NDArray[np.float64] = np.max(ratios, axis=0)
    return worst


@lru_cache(maxsize=4)
def _strike(model: BellModel, seed: int, number: int) -> Wave:
    """Strike ``number`` of a series. Keeps a few: a plan measures what the mix then plays."""
    dice = random(seed, number, 0)
    frames, rise = _ring(model), to_samples(model.rise)
    sides = np.zeros((frames, 2))
    for partial in model.partials:
        level = gain(partial.level + dice.uniform(-_LEVEL_SCATTER, _LEVEL_SCATTER))
        phase = dice.uniform(0, 2 * math.pi)
        ahead = dice.uniform(-_BEAT_SCATTER, _BEAT_SCATTER)
        hertz = partial.ratio * model.root
        # After twice its decay a partial has fallen by 120 dB.
        frame = np.arange(min(frames, rise + to_samples(2 * partial.decay)))
        t = frame / RATE
        # What is rubbed dies away only when the rubbing ends.
        fall = level * 10 ** (-3 * np.maximum(frame - rise, 0) / (RATE * partial.decay))
        strong = _STRONG * fall * np.sin(2 * math.pi * hertz * t + phase)
        weak = _WEAK * fall * np.sin(2 * math.pi * (hertz + partial.beat) * t + phase + ahead)
        sides[: len(t), 0] += strong + (1 - _APART) * weak
        sides[: len(t), 1] += (1 - _APART) * strong + weak
    if model.mallet is not None:
        touch = _touch(model.mallet, frames, dice)
        sides[: len(touch)] += touch[:, None] * gain(max(partial.level for partial in model.partials))
    sides *= _edges(frames, rise or to_samples(model.attack), to_samples(_END_FADE))[:, None]
    samples = (sides * _unit(sides[: to_samples(model.rise + _LOUD)])).astype(np.float32)
    samples.setflags(write=False)  # it is kept, and given out again
    return Wave(samples)


def _touch(mallet: Mallet, frames: int, dice: np.random.Generator) -> NDArray[np.float64]:
    """The noise of the touch, an octave wide, its peak at the mallet's level."""
    count = min(frames, to_samples(2 * mallet.decay))
    band = butter(2, [mallet.hertz / math.sqrt(2), mallet.hertz * math.sqrt(2)], "bandpass", fs=RATE, output="sos")
    noise = sosfilt(band, dice.standard_normal(count)) * 10 ** (-3 * np.arange(count) / (RATE * mallet.decay))
    touch: NDArray[np.float64] = noise * (gain(mallet.level) / np.abs(noise).max())
    return touch


def _unit(sides: NDArray[np.float64]) -> float:
    """The factor that brings a strike to its level: the first of its bounds that it meets."""
    weighted = sosfilt(k_weighting(RATE), sides, axis=0)
    power = np.concatenate([[0.0], np.cumsum(np.square(weighted).sum(axis=1))])
    frames = min(to_samples(_TENTH), len(sides))
    tenth = _BS1770 + 10 * math.log10(float((power[frames:] - power[:-frames]).max()) / frames)
    return gain(
        min(
            BELL - loudest(sides.astype(np.float32), RATE),
            _LOUDEST_TENTH - tenth,
            _PEAK - decibels(float(np.abs(sides).max())),
        )
    )


def _edges(frames: int, attack: int, fade: int) -> NDArray[np.float64]:
    """From 0 to 1 within ``attack`` frames and back to 0 over the last ``fade``, without a corner."""
    edges = np.ones(frames)
    edges[:attack] = np.sin(np.pi / 2 * np.arange(attack) / attack) ** 2
    edges[frames - fade :] *= np.sin(np.pi / 2 * np.arange(fade)[::-1] / fade) ** 2
    return edges
