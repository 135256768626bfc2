"""Beds: the ambient layer, generated from small data files.

A bed is a few layers, each of one kind; a new bed is a new file. A new kind of layer is a class that reads itself from
a table and makes chunks of RMS 1, named in ``_KINDS``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from metta_audio.sound.datafile import Table, read_table
from metta_audio.sound.drops import Drops
from metta_audio.sound.levels import BED, BED_BELOW_SPEECH, SPEECH_RMS
from metta_audio.sound.loudness import integrated
from metta_audio.sound.noise import Noise
from metta_audio.sound.stream import CHUNK, Chunks, Stream, drifting
from metta_audio.sound.tones import Tones
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, Decibels, gain

LEVEL = Decibels(SPEECH_RMS + BED_BELOW_SPEECH)
"""RMS per channel of every bed, in dBFS, before what the user asks for is added."""

_KINDS: dict[str, Callable[[Table], Noise | Drops | Tones]] = {
    "noise": Noise.read,
    "drops": Drops.read,
    "tones": Tones.read,
}

_MEASURED = tuple(range(0, 3600 * RATE // CHUNK, 3600 * RATE // CHUNK // 16))
"""Chunks that a bed's level is measured on: 16 moments over an hour, so that no single swell decides."""


class Bed(Protocol):
    """An ambient sound of no fixed length at ``LEVEL``."""

    def read(self, start: int, frames: int) -> Block:
        """Frames ``[start, start + frames)``: float32, shape ``(frames, 2)``; the same however it is cut."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One sound of a bed, ``level`` dB against its other layers.

    It drifts within ±``drift`` dB, about every ``drift_seconds``.
    """

    sound: Noise | Drops | Tones
    level: float
    drift: float
    drift_seconds: float

    def chunks(self, seed: int, number: int) -> Chunks:
        """The sound at its level; ``number`` keeps apart layers of the same kind."""
        sound = self.sound.chunks(seed, 2 * number + 1)
        level = np.float32(gain(self.level))
        if not self.drift:
            return lambda index: sound(index) * level
        drift = drifting(seed, 2 * number, self.drift, self.drift_seconds)
        return lambda index: sound(index) * (level * drift(index))[:, None]


@dataclass(frozen=True, slots=True)
class BedModel:
    """What a bed's data file says."""

    name: str
    title: str
    summary: str
    layers: tuple[Layer, ...]


def load_bed(text: str, *, name: str, file: str) -> BedModel:
    """Read a bed from the ``text`` of its data file; ``file`` is its path as the user knows it.

    Raises SoundError, with the place, for anything that is not as it should be.
    """
    table = read_table(text, file)
    model = BedModel(
        name=name,
        title=table.words("title", default=name),
        summary=table.words("summary", default=""),
        layers=tuple(_read_layer(each) for each in table.tables("layer")),
    )
    table.finish()
    return model


def open_bed(model: BedModel, seed: int) -> Bed:
    """The bed, ready to be read from anywhere. Another ``seed`` is another hour of the same weather."""
    return Stream(_chunks(model, seed, _level_gain(model)))


def _read_layer(table: Table) -> Layer:
    kind = table.choice("kind", _KINDS)
    layer = Layer(
        sound=_KINDS[kind](table),
        level=table.number("level", -60.0, 0.0, default=0.0),
        drift=table.number("drift", 0.0, 9.0, default=0.0),
        drift_seconds=table.number("drift_seconds", 2.0, 300.0, default=11.0),
    )
    table.finish()
    return layer


def _chunks(model: BedModel, seed: int, factor: float) -> Chunks:
    layers = [layer.chunks(seed, number) for number, layer in enumerate(model.layers)]

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
    chunk = _chunks(model, 0, 1.0)
    sound = np.concatenate([chunk(index) for index in _MEASURED])
    power = np.mean(np.square(sound), axis=0, dtype=np.float64)
    return to_level(math.sqrt(float(power.max())), integrated(sound, RATE))


def to_level(rms: float, loudness: float) -> float:
    """The factor that puts a bed of that RMS (louder channel) and loudness at ``LEVEL``, no louder than ``BED``."""
    return min(gain(LEVEL) / rms, gain(BED - loudness))
