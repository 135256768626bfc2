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

STEP = 256
"""Frames between two points of a slow curve (6 ms); straight lines between them cannot be told from the curve."""

EARLIEST = 64
"""Numbers drawn before number 0: what lags behind by half a minute begins in the middle of something."""

Chunks = Callable[[int], Block]
"""Makes chunk ``index`` (from 0) of a sound: float32, shape ``(CHUNK, 2)``, frames ``index * CHUNK`` and on.

Each side should lie in one piece in memory (the transpose of ``(2, CHUNK)``): everything done to it is then several
times quicker."""


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
        block = pieces(index)[:CHUNK].copy(order="K")
        block[: len(before)] += before
        return block

    return chunk


def random(seed: int, stream: int, index: int) -> np.random.Generator:
    """Random numbers for chunk ``index >= -1`` of ``stream``, independent of those of every other chunk and stream.

    Philox counts instead of keeping a state: each chunk has 2**128 numbers of its own, reached without those before.
    """
    key = (seed % (1 << 64)) | (stream << 64)
    return np.random.Generator(np.random.Philox(key=key, counter=(index + 1) << 128))


def drawing(seed: int, stream: int, count: int) -> Callable[[int], NDArray[np.float64]]:
    """``count`` random numbers from 0 to 1 for every whole ``number >= -EARLIEST``; the last few are kept."""

    @lru_cache(maxsize=64)
    def draw(number: int) -> NDArray[np.float64]:
        return random(seed, stream, number + EARLIEST).uniform(size=count)

    return draw


def lines(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Straight lines through ``points``, the last of which is the first of the next chunk: one value for each frame."""
    step = CHUNK // (len(points) - 1)
    ramp = (np.arange(step) / step).astype(np.float32)
    rounded = points.astype(np.float32)
    drawn: NDArray[np.float32] = rounded[:-1, None] + np.diff(rounded)[:, None] * ramp
    return drawn.reshape(-1)


def drifting(seed: int, stream: int, depth: float, period: float) -> Callable[[int], NDArray[np.float32]]:
    """A slow gain that never repeats: factors for every frame of chunk ``index``, within ±``depth`` dB.

    A new level is drawn every ``period`` seconds, and reached along a smooth curve.
    """
    draw = drawing(seed, stream, 1)

    def gains(index: int) -> NDArray[np.float32]:
        frames = np.arange(index * CHUNK, (index + 1) * CHUNK + 1, STEP)
        levels = wandering(draw, frames / (period * RATE))
        return lines(np.power(10.0, depth * (2 * levels[:, 0] - 1) / 20))

    return gains


def wandering(
    draw: Callable[[int], NDArray[np.float64]], position: NDArray[np.float64], ahead: NDArray[np.float64] | float = 0.0
) -> NDArray[np.float64]:
    """Curves from 0 to 1 that reach what ``draw`` gives for every whole number, and go smoothly in between.

    ``position`` ascends, shape ``(points,)``; the result has shape ``(points, curves)``. Each curve is ``ahead`` of
    the position by its own share of a step.
    """
    places = position[:, None] + ahead
    at = np.floor(places).astype(np.int64)
    first = int(at[0].min())
    levels = np.stack([draw(number) for number in range(first, int(at[-1].max()) + 2)])
    number, curve = at - first, np.arange(levels.shape[1])
    before = levels[number, curve]
    curves: NDArray[np.float64] = before + (levels[number + 1, curve] - before) * smooth(places - at)
    return curves


def smooth(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1 without a corner at either end, clipped outside: ``3 x**2 - 2 x**3``.

    Only products and sums: the same to the last bit whatever the length of the array, which a sine would not promise.
    """
    x: NDArray[np.float64] = np.minimum(np.maximum(position, 0.0), 1.0)
    return x * x * (3 - 2 * x)
