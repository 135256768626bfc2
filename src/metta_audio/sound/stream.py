"""Endless sounds that can be read from anywhere: made in fixed chunks, so that how they are read changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Block
from metta_audio.units import RATE

CHUNK = 1 << 15
"""Frames made at a time: 0.74 s. A power of two for the FFT, and small enough to stay in a processor's cache."""

_STEP = 256
"""Frames between two points of a slow curve (6 ms); straight lines between them cannot be told from the curve."""

Chunks = Callable[[int], Block]
"""Makes chunk ``index`` (from 0) of a sound: float32, shape ``(CHUNK, 2)``, frames ``index * CHUNK`` and on."""


class Stream:
    """A stereo sound of no fixed length.

    Keeps the last two chunks, so that reading on costs each chunk once, whatever the size of the reads.
    """

    def __init__(self, chunks: Chunks) -> None:
        self._chunk = lru_cache(maxsize=2)(chunks)

    def read(self, start: int, frames: int) -> Block:
        """Frames ``[start, start + frames)``, ``start >= 0``: a new array, float32, shape ``(frames, 2)``."""
        block = np.empty((frames, 2), np.float32)
        done = 0
        while done < frames:
            index, offset = divmod(start + done, CHUNK)
            count = min(CHUNK - offset, frames - done)
            block[done : done + count] = self._chunk(index)[offset : offset + count]
            done += count
        return block


def overlapping(piece: Chunks) -> Chunks:
    """Chunks from pieces that go on past their own chunk, by at most one chunk more.

    Piece ``index`` has between ``CHUNK`` and ``2 * CHUNK`` frames and begins where chunk ``index`` does; they are
    counted from -1, the one before the beginning.
    """
    pieces = lru_cache(maxsize=2)(piece)

    def chunk(index: int) -> Block:
        before = pieces(index - 1)[CHUNK:]
        block = pieces(index)[:CHUNK].copy()
        block[: len(before)] += before
        return block

    return chunk


def random(seed: int, stream: int, index: int) -> np.random.Generator:
    """Random numbers for chunk ``index >= -1`` of ``stream``, independent of those of every other chunk and stream.

    Philox counts instead of keeping a state: each chunk has 2**128 numbers of its own, reached without those before.
    """
    key = (seed % (1 << 64)) | (stream << 64)
    return np.random.Generator(np.random.Philox(key=key, counter=(index + 1) << 128))


def drifting(seed: int, stream: int, depth: float, period: float) -> Callable[[int], NDArray[np.float32]]:
    """A slow gain that never repeats: factors for every frame of chunk ``index``, within ±``depth`` dB.

    A new level is drawn every ``period`` seconds, and reached along a smooth curve.
    """

    def level(number: int) -> float:
        return float(random(seed, stream, number).uniform(-depth, depth))

    def gains(index: int) -> NDArray[np.float32]:
        frames = np.arange(index * CHUNK, (index + 1) * CHUNK + 1, _STEP)
        position = frames / (period * RATE)
        first = int(position[0])
        levels = np.array([level(number) for number in range(first, int(position[-1]) + 2)])
        at = position.astype(np.int64)
        towards = smooth(position - at)
        decibels = levels[at - first] * (1 - towards) + levels[at - first + 1] * towards
        points = np.power(10.0, decibels / 20).astype(np.float32)
        ramp = (np.arange(_STEP) / _STEP).astype(np.float32)
        lines: NDArray[np.float32] = points[:-1, None] + np.diff(points)[:, None] * ramp
        return lines.reshape(-1)

    return gains


def smooth(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1 without a corner at either end, clipped outside: ``3 x**2 - 2 x**3``.

    Only products and sums: the same to the last bit whatever the length of the array, which a sine would not promise.
    """
    x = np.clip(position, 0.0, 1.0)
    return x * x * (3 - 2 * x)
