"""What leads a breath: a soft chord, air, ticks, or the bed itself, rising for in, still for hold, falling for out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metta_audio.errors import SoundError, did_you_mean
from metta_audio.script.model import BREATH_SOUNDS, Breath
from metta_audio.sound.breath_noise import Air
from metta_audio.sound.contour import Contour, Piece
from metta_audio.sound.levels import BED, BREATH, STEEPEST
from metta_audio.sound.loudness import loudest
from metta_audio.sound.stream import CHUNK, Stream, smooth
from metta_audio.sound.tick import Ticks
from metta_audio.sound.wave import Block
from metta_audio.timeline.breath import length
from metta_audio.units import RATE, Decibels, Samples, gain, to_samples

_ROOT = 110.0
_GLIDE = 2 ** (3 / 12)
"""Hz at the bottom of a breath, and the factor at its top, a minor third: up means in, which needs no counting."""

_HARMONICS = ((2, 0.0), (3, -4.0), (4, -7.0), (6, -12.0))
"""Multiples of the root and their dB: octave, fifth, octave, fifth, from 220 to 785 Hz, where a telephone's loudspeaker
still has sound and nothing is sharp. True multiples keep the sum's strength even, so that its swell is the breath's."""

_APART = 0.4
"""Radians by which each harmonic leads on one side and lags on the other: wide, while mono loses 0.7 dB."""

_MEASURED = 2.0
"""Seconds before and after the first breath's top in which the loudest 400 ms are looked for: they lie beside it."""

_BED_LOW = Decibels(-9.0)
"""dB of the bed between two breaths: with the 3 dB above, it swells by 12 dB, as an ocean's waves do."""

_BED_HIGH = Decibels(BREATH - BED)
"""dB of the bed at a breath's top: the loudest bed then stands where every other breath sound does."""

_SETTLE, _RETURN = to_samples(2.5), to_samples(4.0)
"""Samples in which the bed sinks before the first breath in, a preparation in itself, and comes back after the last."""


def open_breath(breath: Breath, sound: str, *, lead: int = 0, tail: int = 0) -> Stream:
    """What leads ``breath``; frame 0 is ``lead`` samples before its first breath in, and ``tail`` are samples too.

    ``sound`` is one of ``BREATH_SOUNDS``. A lead of a second or more begins with a preparation, a soft breath out that
    falls silent before the first breath in. With a ``tail`` the last breath out dies away in it instead of stopping.
    Silent after ``lead + length(breath) + tail``, and wherever nothing is played: "bed" (see ``BedSwell``), "count"
    (see ``timeline.breath.counts``) and "silence". Raises SoundError for any other sound.
    """
    match sound:
        case "tone":
            return Swell(breath, lead, tail)
        case "noise":
            return Air(Contour(breath, lead, tail))
        case "tick":
            return Ticks(breath, lead)
        case "bed" | "count" | "silence":
            return Stream(_nothing)
        case _:
            raise SoundError(f'"{sound}" is no sound that leads a breath', hint=did_you_mean(sound, BREATH_SOUNDS))


def _nothing(_: int) -> Block:
    return np.zeros((CHUNK, 2), np.float32)


class Swell(Stream):
    """A soft chord that follows ``breath``, stereo; its pitch follows its strength.

    Strength grows in a straight line while breathing in, stays, and falls in a straight line while breathing out, its
    corners on the very samples of ``timeline.breath.phases``. The loudest 400 ms are at ``BREATH``. A breath needs an
    in and an out of some length: without, it would begin or end with a click.
    """

    def __init__(self, breath: Breath, lead: int = 0, tail: int = 0) -> None:
        super().__init__(self._sound)
        self._contour = Contour(breath, lead, tail)
        self._turned = _turned(self._contour.pieces)
        begin = max(0, self._contour.top - to_samples(_MEASURED))
        loudness = loudest(self._chord(begin, to_samples(2 * _MEASURED)), RATE)
        self._unit = np.float32(gain(BREATH - loudness))

    def _sound(self, index: int) -> Block:
        return self._chord(index * CHUNK, CHUNK) * self._unit

    def _chord(self, start: int, frames: int) -> Block:
        """Frames ``[start, start + frames)`` before they are brought to their level."""
        block = np.zeros((frames, 2), np.float32)
        for number, piece, at in self._contour.within(start, frames):
            turns = _turns(piece, at) + self._turned[number]
            block[at[0] - start : at[-1] + 1 - start] = _sides(turns, piece.strength(at))
        return block


def _turns(piece: Piece, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turns of the root since the piece began: the integral of its pitch, which follows the strength."""
    return _ROOT * ((frames - piece.start) / RATE + (_GLIDE - 1) * piece.area(frames))


def _turned(pieces: Sequence[Piece]) -> list[float]:
    """Turns of the root before each piece, counted anew from every breath in, which begins in silence."""
    turned: list[float] = []
    turns = 0.0
    for piece in pieces:
        turns = 0.0 if piece.fresh else turns
        turned.append(turns)
        turns += float(_turns(piece, np.array([piece.end]))[0])
    return turned


def _sides(turns: NDArray[np.float64], strength: NDArray[np.float64]) -> Block:
    """The chord, both sides, after so many ``turns`` of its root."""
    angle = ((turns - np.floor(turns)) * (2 * math.pi)).astype(np.float32)
    sides = np.zeros((2, len(angle)), np.float32)
    for harmonic, level in _HARMONICS:
        for side, lead in enumerate((_APART, -_APART)):
            sides[side] += np.float32(gain(level)) * np.sin(np.float32(harmonic) * angle + np.float32(lead))
    block: Block = (sides * strength.astype(np.float32)).T
    return block


@dataclass(frozen=True)
class BedSwell:
    """The bed as what leads ``breaths``, each with its start on the timeline, in order and without overlap.

    Its gain rises from -9 to +3 dB while breathing in, stays, falls while breathing out, and is low while resting.
    Before the first breath in it sinks from 0 dB within 2.5 s, and after the last out it comes back within 4. Where a
    phase is so short that this would be faster than ``STEEPEST``, all of it becomes flatter.
    """

    breaths: tuple[tuple[Samples, Breath], ...] = ()
    _ends: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _depth: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", tuple(begin + length(breath) for begin, breath in self.breaths))
        # One for all breaths, so that the bed is as low between any two.
        steepest = max((_contour(breath).steepest for _, breath in self.breaths), default=0.0)
        depth = STEEPEST / (steepest * (_BED_HIGH - _BED_LOW)) if steepest else 1.0
        object.__setattr__(self, "_depth", min(1.0, depth))

    def gain(self, start: int, frames: int) -> NDArray[np.float32]:
        """Amplitude factors of shape ``(frames,)`` from sample ``start`` on; 1 far from any breath. Random access."""
        found = np.empty(frames, np.float32)
        done = 0
        while done < frames:
            index, offset = divmod(start + done, CHUNK)
            count = min(CHUNK - offset, frames - done)
            found[done : done + count] = _factors(self, index)[offset : offset + count]
            done += count
        return found

    def _decibels(self, start: int, frames: int) -> NDArray[np.float64]:
        low = self._depth * _BED_LOW
        level = np.zeros(frames)
        after = start + frames
        for (begin, _), end in zip(self.breaths, self._ends, strict=True):
            # Where two ramps meet, the deeper one counts: no jump.
            for first, last, apart in ((begin - _SETTLE, begin, begin), (end, end + _RETURN, end)):
                if first < after and last > start:
                    at = np.arange(max(first, start), min(last, after))
                    near = level[at[0] - start : at[-1] + 1 - start]
                    np.minimum(near, low * (1 - smooth(np.abs(at - apart) / (last - first))), out=near)
        for (begin, breath), end in zip(self.breaths, self._ends, strict=True):
            first, last = max(begin, start), min(end, after)
            if first < last:
                strength = _contour(breath).strength(first - begin, last - first)
                level[first - start : last - start] = low + self._depth * (_BED_HIGH - _BED_LOW) * strength
        return level


@lru_cache(maxsize=4)
def _factors(swell: BedSwell, index: int) -> NDArray[np.float32]:
    """Of chunk ``index``: always made in the same pieces, so that reading in others gives the same bits."""
    factors: NDArray[np.float32] = np.exp(swell._decibels(index * CHUNK, CHUNK) * (math.log(10) / 20)).astype(
        np.float32
    )
    factors.setflags(write=False)
    return factors


@lru_cache(maxsize=64)
def _contour(breath: Breath) -> Contour:
    return Contour(breath)
