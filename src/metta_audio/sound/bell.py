"""Struck bells, from their partials: each a pair of close tones that beat and die away.

A bell is a small data file; a new bell is a new file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.datafile import Table, read_table
from metta_audio.sound.levels import BELL
from metta_audio.sound.loudness import loudest
from metta_audio.sound.stream import random
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Samples, gain, to_samples

_LONGEST = 14.0
"""Seconds a bell may ring: longer than any ear follows it beside a bed."""

_HEARD = (40.0, 16_000.0)
"""Hz between which a partial must lie: deeper is not heard from small loudspeakers, higher not by most adults."""

_AUDIBLE = 60.0
"""dB a bell falls before it counts as over: by then it is 40 dB below the quietest bed."""

_END_FADE = 1.5
"""Seconds over which the last of it goes to nothing, so that the ring ends rather than stops."""

_OUT_OF_THE_WAY = 12.0
"""dB a bell falls from its loudest before someone speaks, or strikes again: 16 dB below speech, it covers no word."""

_LEAST_SPACING = 3.0
"""Seconds from one strike to the next, at least: repeated bells invite to stop, and must not sound like an alarm."""

_LOUD = 2.0
"""Seconds from the strike in which the loudest 400 ms lie: every partial begins near the top of its beat, and falls."""

_ENVELOPE_STEP = to_samples(0.05)
"""The fall is measured every 50 ms: finer would follow the waves of a deep bell, coarser would miss a beat."""

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
class BellModel:
    """What a bell's data file says: ``root`` in Hz, ``attack`` in seconds (the softness of the mallet)."""

    name: str
    title: str
    summary: str
    root: float
    attack: float
    partials: tuple[Partial, ...]

    def strike(self, seed: int, number: int = 0) -> Wave:
        """Strike ``number`` of a series: stereo, from the touch of the mallet to exact silence.

        No two of a series are the same. The loudest 400 ms are at ``BELL``.

        Another ``seed`` strikes a little differently. Every strike has the same length.
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
    )
    table.finish()
    return model


@lru_cache(maxsize=32)
def speech_after(model: BellModel) -> Samples:
    """From a strike until it has fallen by 12 dB, for good: when speech may begin. The same for every seed."""
    samples = _strike(model, 0, 0).samples
    steps = len(samples) // _ENVELOPE_STEP
    power = np.square(samples[: steps * _ENVELOPE_STEP]).reshape(steps, -1).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * gain(-_OUT_OF_THE_WAY) ** 2)
    return Samples((int(loud[-1]) + 1) * _ENVELOPE_STEP)


def spacing(model: BellModel) -> Samples:
    """From one strike to the next, where a bell is struck more than once."""
    return max(to_samples(_LEAST_SPACING), speech_after(model))


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


def _ring(model: BellModel) -> Samples:
    """Until every partial has fallen far enough below the loudest, as it is at the strike."""
    top = max(partial.level for partial in model.partials)
    times = (partial.decay * (_AUDIBLE - (top - partial.level)) / 60 for partial in model.partials)
    return to_samples(min(_LONGEST, max(_END_FADE, *times)))


@lru_cache(maxsize=4)
def _strike(model: BellModel, seed: int, number: int) -> Wave:
    """Strike ``number`` of a series. Keeps a few: a plan measures what the mix then plays."""
    dice = random(seed, number, 0)
    frames = _ring(model)
    sides = np.zeros((frames, 2))
    for partial in model.partials:
        level = gain(partial.level + dice.uniform(-_LEVEL_SCATTER, _LEVEL_SCATTER))
        phase = dice.uniform(0, 2 * math.pi)
        ahead = dice.uniform(-_BEAT_SCATTER, _BEAT_SCATTER)
        hertz = partial.ratio * model.root
        # After twice its decay a partial has fallen by 120 dB.
        t = np.arange(min(frames, to_samples(2 * partial.decay))) / RATE
        fall = level * 10 ** (-3 * t / partial.decay)
        strong = _STRONG * fall * np.sin(2 * math.pi * hertz * t + phase)
        weak = _WEAK * fall * np.sin(2 * math.pi * (hertz + partial.beat) * t + phase + ahead)
        sides[: len(t), 0] += strong + (1 - _APART) * weak
        sides[: len(t), 1] += (1 - _APART) * strong + weak
    sides *= _edges(frames, to_samples(model.attack), to_samples(_END_FADE))[:, None]
    unit = gain(BELL - loudest(sides[: to_samples(_LOUD)].astype(np.float32), RATE))
    samples = (sides * unit).astype(np.float32)
    samples.setflags(write=False)  # it is kept, and given out again
    return Wave(samples)


def _edges(frames: int, attack: int, fade: int) -> NDArray[np.float64]:
    """From 0 to 1 within ``attack`` frames and back to 0 over the last ``fade``, without a corner."""
    edges = np.ones(frames)
    edges[:attack] = np.sin(np.pi / 2 * np.arange(attack) / attack) ** 2
    edges[frames - fade :] *= np.sin(np.pi / 2 * np.arange(fade)[::-1] / fade) ** 2
    return edges
