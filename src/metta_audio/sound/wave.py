"""Samples that travel with their rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.units import RATE, Hertz, Seconds

Block = NDArray[np.float32]
"""float32, shape ``(frames, channels)``, full scale ±1.0."""


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """Audio: ``samples`` of shape ``(frames, channels)`` in float32, full scale ±1.0, at ``rate`` Hz."""

    samples: Block
    rate: Hertz = RATE

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise TypeError(f"want float32 (frames, channels), got {self.samples.dtype} {self.samples.shape}")

    @property
    def frames(self) -> int:
        """Length in samples per channel."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """1 for mono, 2 for stereo."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> Seconds:
        """Length in seconds."""
        return Seconds(self.frames / self.rate)

    @classmethod
    def mono(cls, samples: NDArray[np.floating], rate: Hertz = RATE) -> Wave:
        """One channel from a flat array."""
        return cls(np.ascontiguousarray(samples, dtype=np.float32).reshape(-1, 1), rate)
