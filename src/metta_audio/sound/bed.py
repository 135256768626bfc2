"""Beds: the ambient layer, generated from small data files.

A bed is a few layers, each of one kind; a new bed is a new file. A new kind of layer is a class that reads itself from
a table and makes chunks of RMS 1, named in ``_KINDS``.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from metta_audio.errors import SoundError
from metta_audio.sound.calls import Calls
from metta_audio.sound.datafile import Table, read_table
from metta_audio.sound.drops import Drops
from metta_audio.sound.levels import BED, BED_BELOW_SPEECH, SPEECH_RMS
from metta_audio.sound.loudness import gated, step_powers
from metta_audio.sound.motion import MOTIONS, Following, Motion, Pulse
from metta_audio.sound.noise import Noise
from metta_audio.sound.stream import CHUNK, Chunks, Stream, drifting
from metta_audio.sound.tones import Tones, root_hertz
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, Decibels, gain

LEVEL = Decibels(SPEECH_RMS + BED_BELOW_SPEECH)
"""RMS per channel of every bed, in dBFS, before what the user asks for is added."""

Sound = Noise | Drops | Tones | Calls

_KINDS: dict[str, Callable[[Table], Sound]] = {
    "noise": Noise.read,
    "drops": Drops.read,
    "tones": Tones.read,
    "calls": Calls.read,
}

_HOUR = 3600 * RATE // CHUNK
_STEADY = 6.0
"""dB by which a layer may follow its motion and still count as steady: half of what a breath moves the bed by. A pulse
is far quicker than any breath."""

_MOMENTS = tuple(start + 3 * more for start in range(0, _HOUR, _HOUR // 16) for more in range(4))
"""Chunks that a bed's level is measured on. Sixteen stretches over an hour, so that no single gust decides; in each,
every third chunk of 9 s, so that a wave is met in all its parts."""

_CREST = Decibels(2.5)
"""How far the louder chunks (19 of 20 are softer) may stand above ``LEVEL`` where they are measured, so that anywhere
they stay within 3 dB: a wave that breaks is 17 dB below the voice, and 23 dB where it is ducked."""

_PEAK = Decibels(-16.0)
"""dBFS no measured sample may exceed: 4 dB below where no bed may ever be, for a louder drop than those measured."""

_HEARD = butter(2, 40.0, "high", fs=RATE, output="sos")
"""What lies below 40 Hz measures and is not heard: it may not decide how loud the rest is."""

_SEED_STEP = 0x9E3779B97F4A7C15
"""Keeps the beds of one session unrelated: 2**64 over the golden mean, and odd, so that it takes no two to the same."""


class Bed(Protocol):
    """An ambient sound of no fixed length at ``LEVEL``."""

    def read(self, start: int, frames: int) -> Block:
        """Frames ``[start, start + frames)``: float32, shape ``(frames, 2)``; the same however it is cut."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One sound of a bed, ``level`` dB against its other layers.

    It drifts within ±``drift`` dB, about every ``drift_seconds``, and follows a motion of the bed, if any.
    """

    sound: Sound
    level: float
    drift: float
    drift_seconds: float
    following: Following | None = None

    def chunks(self, seed: int, number: int) -> Chunks:
        """The sound at its level; ``number`` keeps apart layers of the same kind."""
        sound = self.sound.chunks(seed, 2 * number + 1)
        level = np.float32(gain(self.level))
        gains: list[Callable[[int], NDArray[np.float32]]] = []
        if self.drift:
            gains.append(drifting(seed, 2 * number, self.drift, self.drift_seconds))
        if self.following:
            # Above the numbers of all layers: those that follow the same motion move together.
            gains.append(self.following.gains(seed, 128 + self.following.number))

        def chunk(index: int) -> Block:
            block = sound(index) * level
            for each in gains:
                block *= each(index)[:, None]
            return block

        return chunk


@dataclass(frozen=True, slots=True)
class BedModel:
    """What a bed's data file says.

    By its ``tags`` a listener leaves out a whole family; ``headphones`` says that it only works with them. ``seed`` is
    its own, mixed with that of the session.
    """

    name: str
    title: str
    summary: str
    layers: tuple[Layer, ...]
    tags: tuple[str, ...] = ()
    headphones: bool = False
    seed: int = 0

    @property
    def steady(self) -> bool:
        """Whether no layer comes and goes in a time of its own by which a breath could be misled."""
        moved = (layer.following for layer in self.layers if layer.following is not None)
        return all(isinstance(each.motion, Pulse) or each.depth <= _STEADY for each in moved)


def load_bed(text: str, *, name: str, file: str) -> BedModel:
    """Read a bed from the ``text`` of its data file; ``file`` is its path as the user knows it.

    Raises SoundError, with the place, for anything that is not as it should be.
    """
    table = read_table(text, file)
    motions = _read_motions(table)
    model = BedModel(
        name=name,
        title=table.words("title", default=name),
        summary=table.words("summary", default=""),
        layers=tuple(_read_layer(each, motions) for each in table.tables("layer")),
        tags=table.word_list("tags"),
        headphones=table.flag("headphones"),
        seed=table.integer("seed", 0, 1 << 32, default=zlib.crc32(name.encode())),
    )
    table.finish()
    return model


def open_bed(model: BedModel, seed: int) -> Bed:
    """The bed, ready to be read from anywhere. Another ``seed`` is another hour of the same weather."""
    return Stream(_chunks(model, seed, _level_gain(model)))


def open_beds(layers: Sequence[tuple[Bed, Decibels]]) -> Bed:
    """Several beds, each at ``LEVEL``, as one at ``LEVEL``: each at its own dB against the others.

    Layering makes a bed richer and not louder. A single one is given back as it is.
    """
    if len(layers) == 1:
        return layers[0][0]
    parts = [(bed, np.float32(gain(level))) for bed, level in layers]

    def summed(index: int) -> Block:
        block = np.zeros((CHUNK, 2), np.float32)
        for bed, factor in parts:
            block += bed.read(index * CHUNK, CHUNK) * factor
        return block

    unit = np.float32(_unit(summed))
    return Stream(lambda index: summed(index) * unit)


def retuned(model: BedModel, root: float | str, tuning: str | None) -> BedModel:
    """The bed on another root, in Hz or as a note ("D3"), and in another tuning unless that is None.

    Of several layers of tones the first moves to the root, and the others keep their distance from it. Raises
    SoundError for a bed without tones, an unknown note or tuning, and a root at which something could not be heard.
    """
    tones = [layer.sound for layer in model.layers if isinstance(layer.sound, Tones)]
    if not tones:
        raise SoundError(f'"{model.name}" has no tones to tune', hint="leave out what follows the @")
    moved = root_hertz(root, tones[0].a4) / tones[0].root
    layers = tuple(
        replace(layer, sound=layer.sound.retuned(layer.sound.root * moved, tuning))
        if isinstance(layer.sound, Tones)
        else layer
        for layer in model.layers
    )
    return replace(model, layers=layers)


def to_level(rms: float, loudness: float, *, crest: float = 0.0, peak: float = 0.0) -> float:
    """The factor that puts a bed of that RMS (louder channel, above 40 Hz) and loudness at ``LEVEL``.

    Less, where it would be louder than ``BED``, its louder seconds (RMS ``crest``) stand out by more than 3 dB, or its
    highest sample (``peak``) come near what may startle.
    """
    factors = [gain(LEVEL) / rms, gain(BED - loudness)]
    if crest:
        factors.append(gain(LEVEL + _CREST) / crest)
    if peak:
        factors.append(gain(_PEAK) / peak)
    return min(factors)


def _read_motions(table: Table) -> dict[str, tuple[int, Motion]]:
    motions: dict[str, tuple[int, Motion]] = {}
    for number, each in enumerate(table.tables("motion", optional=True)):
        name = each.words("name")
        if name in motions:
            raise each.fault("name", f'there is a motion "{name}" already', "give each its own name")
        motions[name] = number, MOTIONS[each.choice("kind", MOTIONS)](each)
        each.finish()
    return motions


def _read_layer(table: Table, motions: dict[str, tuple[int, Motion]]) -> Layer:
    kind = table.choice("kind", _KINDS)
    layer = Layer(
        sound=_KINDS[kind](table),
        level=table.number("level", -60.0, 0.0, default=0.0),
        drift=table.number("drift", 0.0, 9.0, default=0.0),
        drift_seconds=table.number("drift_seconds", 2.0, 300.0, default=11.0),
        following=_read_following(table, motions) if table.has("follows") else None,
    )
    table.finish()
    return layer


def _read_following(table: Table, motions: dict[str, tuple[int, Motion]]) -> Following:
    if not motions:
        raise table.fault("follows", "this bed has no motion to follow", "write one, under [[motion]]")
    number, motion = motions[table.choice("follows", motions)]
    # Further down than 60 dB is silence; what lags by more than 20 s has another's rhythm.
    return Following(motion, number, table.number("depth", 0.0, 60.0), table.number("lag", -20.0, 20.0, default=0.0))


def _chunks(model: BedModel, seed: int, factor: float) -> Chunks:
    own = (seed + model.seed * _SEED_STEP) % (1 << 64)
    layers = [layer.chunks(own, number) for number, layer in enumerate(model.layers)]

    def chunk(index: int) -> Block:
        block = layers[0](index)
        for layer in layers[1:]:
            block += layer(index)
        block *= np.float32(factor)
        return block

    return chunk


@lru_cache(maxsize=32)
def _level_gain(model: BedModel) -> float:
    """What brings a bed to its level; measured on seed 0, so that every seed has the same."""
    return _unit(_chunks(model, 0, 1.0))


def _unit(chunk: Chunks) -> float:
    """What brings a sound to the level of a bed. Looks at one moment at a time: an hour's take no more memory."""
    powers, steps, peak = [], [], 0.0
    for index in _MOMENTS:
        sound = chunk(index)
        powers.append(np.square(sosfilt(_HEARD, sound, axis=0)).mean(axis=0, dtype=np.float64))
        steps.append(step_powers(sound, RATE))
        peak = max(peak, float(sound.max()), -float(sound.min()))
    return to_level(
        math.sqrt(float(np.mean(powers, axis=0).max())),
        gated(np.concatenate(steps)),
        crest=math.sqrt(float(np.percentile(np.max(powers, axis=1), 95))),
        peak=peak,
    )
