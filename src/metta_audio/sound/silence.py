"""How still a finished sound gets, and for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Block
from metta_audio.units import Decibels, Seconds, decibels, gain

_STEPS_PER_SECOND = 20
"""A step of 50 ms: the shortest gap that is heard as one."""

_QUIETEST_STEPS = 20
"""The quietest second: shorter would find the gap between two words, longer would miss a short pause."""

STILL = Decibels(-60.0)
"""dBFS, RMS, below which a step is still: at listening level it lies under the noise of a quiet room."""

_STEPS = 64
"""Steps measured at once."""


@dataclass(frozen=True, slots=True)
class Stillness:
    """``quietest``: RMS of the quietest second in dBFS, ``-inf`` for digital silence, None for less than a second.

    ``longest`` is the longest stretch in which every 50 ms stay below -60 dBFS, in seconds, and ``at`` its start.
    """

    quietest: Decibels | None
    longest: Seconds
    at: Seconds


class StillnessMeter:
    """Measures a stream of any length, block by block; how it is blocked changes nothing. Keeps a few numbers."""

    def __init__(self, rate: int, channels: int) -> None:
        self._rate, self._channels = rate, channels
        self._step = max(1, rate // _STEPS_PER_SECOND)
        self._pending: list[Block] = []
        self._held = 0
        self._tail = np.zeros(0)
        self._quietest = math.inf
        self._done = self._run = self._longest = self._longest_end = 0

    def add(self, block: Block) -> None:
        """Measure on: float32 of shape ``(frames, channels)``, any number of frames."""
        self._pending.append(block)
        self._held += len(block)
        if self._held >= _STEPS * self._step:
            self._measure()

    def result(self) -> Stillness:
        """Figures of all that was added so far, whole steps only."""
        self._measure()
        seconds = self._step / self._rate
        measured = self._quietest < math.inf
        return Stillness(
            quietest=Decibels(decibels(max(self._quietest, 0.0)) / 2) if measured else None,
            longest=Seconds(round(self._longest * seconds, 3)),
            at=Seconds(round((self._longest_end - self._longest) * seconds, 3)),
        )

    def _measure(self) -> None:
        stream = np.concatenate([np.zeros((0, self._channels), np.float32), *self._pending])
        steps = len(stream) // self._step
        self._pending = [stream[steps * self._step :]]
        self._held = len(self._pending[0])
        if not steps:
            return
        parts = stream[: steps * self._step].reshape(steps, -1)
        powers = np.einsum("sk,sk->s", parts, parts, dtype=np.float64) / parts.shape[1]
        self._find_quietest(powers)
        for still in (powers < gain(STILL) ** 2).tolist():
            self._done += 1
            self._run = self._run + 1 if still else 0
            if self._run > self._longest:
                self._longest, self._longest_end = self._run, self._done

    def _find_quietest(self, powers: NDArray[np.float64]) -> None:
        run = np.concatenate([self._tail, powers])
        if len(run) >= _QUIETEST_STEPS:
            means = np.lib.stride_tricks.sliding_window_view(run, _QUIETEST_STEPS).mean(axis=1)
            self._quietest = min(self._quietest, float(means.min()))
        self._tail = run[max(0, len(run) - _QUIETEST_STEPS + 1) :]
