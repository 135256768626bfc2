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

END_FADE = 1.5
"""Seconds over which the last of it goes to nothing, so that the ring ends rather than stops."""

LEAST_WAIT = 1.0
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

STRONG, WEAK = 0.75, 0.25
"""How a partial divides into its pair: it beats by 6 dB. Halves would beat down to silence, which no bell does."""

APART = 0.3
"""How far each of a pair stands to its side: the beats move gently between the ears, and mono loses 0.1 dB."""

LEVEL_SCATTER = 0.8
BEAT_SCATTER = 0.5
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
        spacing=table.number("spacing", LEAST_WAIT, 60.0, default=_SPACING),
        mallet=_read_mallet(table) if table.has("mallet") else None,
        tags=table.word_list("tags"),
    )
    if model.rise and table.has("attack"):
        raise table.fault("attack", "a bell is struck or rubbed, not both", "keep attack or rise")
    table.finish()
    return model


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


def ring_frames(model: BellModel) -> Samples:
    """Until every partial has fallen far enough below the loudest, as it is at the strike."""
    top = max(partial.level for partial in model.partials)
    times = (partial.decay * (_AUDIBLE - (top - partial.level)) / 60 for partial in model.partials)
    return to_samples(min(_LONGEST, model.rise + max(END_FADE, *times)))


@lru_cache(maxsize=4)
def _strike(model: BellModel, seed: int, number: int) -> Wave:
    """Strike ``number`` of a series. Keeps a few: a plan measures what the mix then plays."""
    dice = random(seed, number, 0)
    frames, rise = ring_frames(model), to_samples(model.rise)
    sides = np.zeros((frames, 2))
    for partial in model.partials:
        level = gain(partial.level + dice.uniform(-LEVEL_SCATTER, LEVEL_SCATTER))
        phase = dice.uniform(0, 2 * math.pi)
        ahead = dice.uniform(-BEAT_SCATTER, BEAT_SCATTER)
        hertz = partial.ratio * model.root
        # After twice its decay a partial has fallen by 120 dB.
        frame = np.arange(min(frames, rise + to_samples(2 * partial.decay)))
        t = frame / RATE
        # What is rubbed dies away only when the rubbing ends.
        fall = level * 10 ** (-3 * np.maximum(frame - rise, 0) / (RATE * partial.decay))
        strong = STRONG * fall * np.sin(2 * math.pi * hertz * t + phase)
        weak = WEAK * fall * np.sin(2 * math.pi * (hertz + partial.beat) * t + phase + ahead)
        sides[: len(t), 0] += strong + (1 - APART) * weak
        sides[: len(t), 1] += (1 - APART) * strong + weak
    if model.mallet is not None:
        touch = _touch(model.mallet, frames, dice)
        sides[: len(touch)] += touch[:, None] * gain(max(partial.level for partial in model.partials))
    sides *= edges(frames, rise or to_samples(model.attack), to_samples(END_FADE))[:, None]
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


def edges(frames: int, attack: int, fade: int) -> NDArray[np.float64]:
    """From 0 to 1 within ``attack`` frames and back to 0 over the last ``fade``, without a corner."""
    shape = np.ones(frames)
    shape[:attack] = np.sin(np.pi / 2 * np.arange(attack) / attack) ** 2
    shape[frames - fade :] *= np.sin(np.pi / 2 * np.arange(fade)[::-1] / fade) ** 2
    return shape
