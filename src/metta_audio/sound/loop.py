"""Where a recording turns back to its beginning, and how: at a place and in a way that nobody hears."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.ndimage import uniform_filter1d

from metta_audio.sound.segments import Segments
from metta_audio.sound.stream import smooth
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, Decibels, Seconds, gain, to_samples

CELL = to_samples(0.1)
"""Frames that count as one moment: shorter than a swell, longer than a period of anything deep."""

_CELLS_A_SECOND = RATE / CELL

_EDGES = (20.0, 120.0, 350.0, 1000.0, 3000.0, 8000.0, RATE / 2)
"""Hz between bands of about an octave and a half: enough to tell a car from a bird."""

_FADE = Seconds(3.0)
"""The end fades into the beginning over this time, or a quarter of the recording where it is short."""

_WINDOW = Seconds(30.0)
"""How far from each end the turn may lie, or a sixth of the recording: a few ocean waves, and most of the recording
is still heard."""

_SILENT = Decibels(-50.0)
"""Against the usual level: at the ends of a recording this is silence, and no part of the place."""

_FADED = Decibels(-3.0)
"""Against the usual level: where a recording first comes within this, it has faded in. Weather passes this line every
few seconds; only a fade keeps below it for long."""

_DARK = 1e-4
"""A band 40 dB below the whole is not heard beside it: how it differs counts no more."""

_PARTS = 5
"""Parts of the crossfade in which both sides are compared, so that a wave that rises does not meet one that falls."""

_COLOUR, _UNREST, _LOSS = 0.25, 0.5, 1.0
"""What counts as much as 1 dB of difference in level: 4 dB of it in colour; 2 dB by which a moment stands out (a clap
in the crossfade would come twice, half as loud); all that may be lost of the recording's length."""

_EVEN = to_samples(0.25)
"""Frames over which the crossfade keeps its power: longer than a beat between two tones, shorter than a swell."""

_MOST = Decibels(6.0)
"""By which the crossfade may be corrected: two sides that cancel out more than this are not brought back as noise."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Frames ``start`` to ``end`` come round; before ``start`` the ``fade`` frames after ``end`` are faded in.

    That is: frame ``end + n`` is crossfaded into ``start + n``, for n from 0 to ``fade``.
    """

    start: int
    end: int
    fade: int


class Profile:
    """How loud a recording is from moment to moment, in a few bands; learned as it passes by."""

    def __init__(self) -> None:
        self._segments = Segments(CELL, 0, 2)
        frequencies = rfftfreq(CELL, 1 / RATE)
        self._bands = np.searchsorted(frequencies, _EDGES[:-1])
        self._powers: list[NDArray[np.float64]] = []

    def add(self, block: Block) -> None:
        """Learn on: shape ``(frames, 2)`` at 44.1 kHz, any number of frames."""
        if cells := self._segments.push(block):
            lines = np.abs(rfft(np.stack(cells), axis=1)).astype(np.float64) ** 2
            # Parseval: twice the lines over CELL squared is the mean square; of two channels the mean.
            self._powers.append(np.add.reduceat(lines.sum(axis=2), self._bands, axis=1) / CELL**2)

    def powers(self) -> NDArray[np.float64]:
        """Mean square of both channels, shape ``(moments, bands)``; what is left over at the end does not count."""
        return np.concatenate([np.zeros((0, len(_EDGES) - 1)), *self._powers])


def sounding(powers: NDArray[np.float64]) -> tuple[int, int]:
    """First moment, and the one after the last, that are not silence at either end; nothing of silence."""
    level = powers.sum(axis=1)
    heard = np.flatnonzero(level > _usual(level) * gain(_SILENT) ** 2)
    return (int(heard[0]), int(heard[-1]) + 1) if len(heard) else (0, 0)


def unfaded(powers: NDArray[np.float64], shortest: int) -> tuple[int, int]:
    """First moment, and the one after the last, without a fade at either end.

    At most a third goes on each side, and no less is left than ``shortest`` moments.
    """
    level = uniform_filter1d(powers.sum(axis=1), 4, mode="nearest")
    full = np.flatnonzero(level > _usual(level) * gain(_FADED) ** 2)
    most = max(0, min(len(level) // 3, (len(level) - shortest) // 2))
    return min(int(full[0]), most), max(int(full[-1]) + 1, len(level) - most)


def choose(powers: NDArray[np.float64]) -> Loop:
    """The turn at which both sides are most alike, in frames from the first of these moments."""
    moments = len(powers)
    fade = min(round(_FADE * _CELLS_A_SECOND), moments // 4)
    window = min(round(_WINDOW * _CELLS_A_SECOND), moments // 6)
    begin, finish = np.arange(window + 1), np.arange(moments - fade - window, moments - fade + 1)
    level = 10 * np.log10(powers.sum(axis=1) + 1e-20)
    bounds = np.linspace(0, fade, _PARTS + 1).round().astype(int)
    totals = powers.sum(axis=1)
    course = np.stack([_means(totals, low, high, moments - fade) for low, high in pairwise(bounds)])
    bands = sliding_window_view(powers, fade, axis=0).mean(axis=-1)
    whole = bands.sum(axis=1, keepdims=True)
    colour = (10 * np.log10(np.maximum(bands, _DARK * whole) / np.maximum(whole, 1e-20) + 1e-20)).T
    stretches = sliding_window_view(level, fade)
    unrest = stretches.max(axis=1) - np.median(stretches, axis=1)
    cost = np.abs(course[:, begin, None] - course[:, None, finish]).max(axis=0)
    cost += _COLOUR * np.abs(colour[:, begin, None] - colour[:, None, finish]).mean(axis=0)
    cost += _UNREST * np.maximum(unrest[begin, None], unrest[None, finish])
    lost = begin[:, None] + (finish[-1] - finish)[None, :]
    cost += _LOSS * lost / max(1, 2 * window)
    first, last = np.unravel_index(int(cost.argmin()), cost.shape)
    return Loop(int(begin[first]) * CELL, int(finish[last]) * CELL, fade * CELL)


def best_lag(ending: Block, beginning: Block) -> int:
    """By how many frames ``ending`` (the longer one) is to be cut so that its waves run with those of ``beginning``."""
    weight = smooth(np.arange(len(beginning)) / len(beginning))
    towards = beginning * np.sqrt(weight * (1 - weight))[:, None]
    size = next_fast_len(len(ending) + len(beginning), real=True)
    both = rfft(ending.astype(np.float64), size, axis=0) * np.conj(rfft(towards, size, axis=0))
    alike = irfft(both.sum(axis=1), size)[: len(ending) - len(beginning) + 1]
    return int(alike.argmax())


def crossfade(ending: Block, beginning: Block) -> Block:
    """From ``ending`` to ``beginning``, both of the same shape ``(frames, 2)``, without a dip, bump or jump.

    At equal power, which is right for two sides that have nothing in common; what they have in common is then taken
    back, moment by moment, by comparing the power of the sum with that of its parts.
    """
    frames = len(ending)
    position = np.arange(frames) / frames
    towards = smooth(position)[:, None]
    mixed = beginning * np.sqrt(towards) + ending * np.sqrt(1 - towards)
    parts = (
        np.square(beginning, dtype=np.float64) * towards + np.square(ending, dtype=np.float64) * (1 - towards)
    ).sum(1)
    wanted, found = _evened(parts), _evened(np.square(mixed).sum(axis=1))
    tiny = 1e-3 * max(float(wanted.max()), 1e-30)
    factor = np.clip(np.sqrt((wanted + tiny) / (found + tiny)), gain(-_MOST), gain(_MOST))
    # None at either end, where the recording goes on as it is.
    edges = smooth(np.minimum(position, 1 - position) * 8)
    return (mixed * (1 + (factor - 1) * edges)[:, None]).astype(np.float32)


def _usual(level: NDArray[np.float64]) -> float:
    """The median of what is not digital silence."""
    heard = level[level > gain(-96) ** 2]
    return float(np.median(heard)) if len(heard) else np.inf


def _means(powers: NDArray[np.float64], low: int, high: int, last: int) -> NDArray[np.float64]:
    """Level in dB of moments ``low`` to ``high`` after each of the moments up to ``last``."""
    total = np.concatenate([[0.0], np.cumsum(powers)])
    at = np.arange(last + 1)
    mean = np.maximum(total[at + high] - total[at + low], 0.0) / max(1, high - low)
    return np.asarray(10 * np.log10(mean + 1e-20))


def _evened(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over ``_EVEN`` frames, weighted by a triangle."""
    size = _EVEN // 2
    once = uniform_filter1d(power, size, mode="nearest")
    return np.asarray(uniform_filter1d(once, size, mode="nearest"))
