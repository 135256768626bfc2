"""What a listener should be told of a recording: heard as it passes by, before anything is done to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Block, Wave
from metta_audio.units import gain

_FULL = np.float32(0.999)
"""Of full scale: the highest values of 16 bits and more. Eight bits do not reach it, and are noisy in any case."""

_FLAT = 3
"""Samples in a row at full scale: one may be a peak, and two its top; three were cut off."""

_DULL = 32_000
"""Samples a second. From here on, half of them is as high as most adults hear in a bed."""

_SAME = gain(-20)
"""Difference of both channels against their sum, under which they are one sound to the ear."""

_ABSENT = gain(-40)
"""One channel against the other, under which it was not connected."""

_OPPOSED = -0.5
"""Correlation under which one channel hangs the wrong way round: in mono, most of the sound would be gone."""


class Examination:
    """Watches the blocks of a file, in its own rate and channels."""

    def __init__(self) -> None:
        self.channels = 0
        self._rate = 0
        self._clipped = 0
        self._odd = 0
        self._last: Block | None = None

    def watch(self, blocks: Iterator[Wave]) -> Iterator[Wave]:
        """The same blocks, noted as they pass."""
        for wave in blocks:
            self.channels, self._rate = wave.channels, wave.rate
            self._odd += int(np.count_nonzero(~np.isfinite(wave.samples)))
            self._clipped += self._beginnings(wave.samples)
            yield wave

    def _beginnings(self, samples: Block) -> int:
        """How many runs of samples at full scale become long enough here; the end of the last block is remembered."""
        before = self._last if self._last is not None else np.zeros((_FLAT, samples.shape[1]), np.float32)
        stream = np.concatenate([before, samples])
        self._last = stream[-_FLAT:]
        full = np.abs(stream) >= _FULL  # what is no number is not full
        if not full.any():
            return 0
        flat = np.logical_and.reduce([full[number : len(full) - _FLAT + 1 + number] for number in range(_FLAT)])
        return int(np.count_nonzero(flat[1:] & ~flat[:-1]))

    def notes(self) -> tuple[str, ...]:
        """Sentences for people, without a name or a path."""
        said = []
        if self.channels > 2:
            said.append(f"{self.channels} channels mixed to 2")
        if self._rate < _DULL:
            said.append(f"{self._rate / 1000:g} kHz: dull above {self._rate / 2000:g} kHz")
        if self._clipped:
            places = "1 place" if self._clipped == 1 else f"{self._clipped:,} places"
            said.append(f"clipped in {places}: it was recorded too loud, and may crackle")
        if self._odd:
            said.append(f"{self._odd:,} of its samples are no numbers: they are left out")
        return tuple(said)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How two channels become one mono sound, by weights, where they should; or which of them to turn round."""

    mono: tuple[float, float] | None
    turned: bool
    note: str


class Sides:
    """How two channels go together."""

    def __init__(self) -> None:
        self._powers: NDArray[np.float64] = np.zeros((2, 2))

    def add(self, block: Block) -> None:
        """Learn on: shape ``(frames, 2)``, without an offset."""
        wide = block.astype(np.float64)
        self._powers += wide.T @ wide

    def verdict(self, *, mono: bool) -> Verdict:
        """What to do about them; ``mono`` where both came from one channel."""
        (left, both), (_, right) = self._powers
        if mono:
            return Verdict((0.5, 0.5), False, "mono, widened")
        if min(left, right) <= max(left, right) * _ABSENT**2:
            side, weights = ("left", (1.0, 0.0)) if left > right else ("right", (0.0, 1.0))
            return Verdict(weights, False, f"only its {side} channel has sound: mono, widened")
        sign = -1.0 if both / math.sqrt(left * right) < _OPPOSED else 1.0
        turned = "one channel was the wrong way round, and is turned" if sign < 0 else ""
        if left + right - 2 * sign * both <= (left + right + 2 * sign * both) * _SAME**2:
            said = (turned, "both channels are the same: mono, widened")
            return Verdict((0.5, 0.5 * sign), False, "; ".join(part for part in said if part))
        return Verdict(None, sign < 0, turned)
