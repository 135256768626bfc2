"""A stream of blocks, cut again on a fixed grid, so that no result depends on how the stream was blocked."""

from __future__ import annotations

import numpy as np

from metta_audio.sound.wave import Block


class Segments:
    """Cuts a stream into windows of ``size`` frames that also show ``reach`` frames of their neighbours on each side.

    Before its first frame a stream is silent. Holds at most one window and the block that was pushed last.
    """

    def __init__(self, size: int, reach: int, channels: int) -> None:
        self.size = size
        self.reach = reach
        self._pending = [np.zeros((reach, channels), np.float32)]
        self._held = reach

    def push(self, block: Block) -> list[Block]:
        """Add any number of frames; returns the windows now complete, shape ``(reach + size + reach, channels)``."""
        self._pending.append(block)
        self._held += len(block)
        window = self.size + 2 * self.reach
        if self._held < window:
            return []
        stream = np.concatenate(self._pending)
        starts = range(0, len(stream) - window + 1, self.size)
        rest = stream[len(starts) * self.size :].copy()
        self._pending, self._held = [rest], len(rest)
        return [stream[start : start + window] for start in starts]

    def rest(self) -> Block:
        """Frames that no window has covered yet, after ``reach`` earlier ones: shape ``(reach + frames, channels)``."""
        if len(self._pending) > 1:
            self._pending = [np.concatenate(self._pending)]
        return self._pending[0]
