"""Sound that waits on the disk, in a file without a name: it vanishes with its owner, whatever happens."""

from __future__ import annotations

import errno
import tempfile
from contextlib import suppress
from typing import IO

import numpy as np

from metta_audio.errors import SoundError
from metta_audio.sound.wave import Block

_SAMPLE = 4
"""Bytes of a float32."""


class Scratch:
    """Frames of one or two channels in a temporary file. Belongs to the process that made it.

    ``close`` gives the room back. Raises SoundError where there is no room.
    """

    def __init__(self, channels: int = 2) -> None:
        self.frames = 0
        self.channels = channels
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="metta-bed-")  # noqa: SIM115 - see close
        except OSError as error:
            raise _no_room(error) from error

    def append(self, block: Block) -> None:
        """Add frames, shape ``(frames, channels)``."""
        self.write(self.frames, block)
        self.frames += len(block)

    def write(self, start: int, block: Block) -> None:
        """Put frames in the place of those from ``start`` on, or after the last."""
        try:
            self._file.seek(start * self.channels * _SAMPLE)
            self._file.write(np.ascontiguousarray(block, np.float32).data)
            self._file.flush()
        except OSError as error:
            raise _no_room(error) from error

    def read(self, start: int, frames: int) -> Block:
        """A new array, shape ``(frames, channels)``: frames ``[start, start + frames)``, all of which must be there."""
        block = np.empty((frames, self.channels), np.float32)
        self._file.seek(start * self.channels * _SAMPLE)
        self._file.readinto(block.data.cast("B"))  # type: ignore[attr-defined]
        return block

    def close(self) -> None:
        """Give the room back."""
        with suppress(OSError):
            self._file.close()


def _no_room(error: OSError) -> SoundError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = "make room there" if full else "make it writable"
    what = f"cannot keep a recording in {tempfile.gettempdir()} while it plays: {error.strerror or error}"
    return SoundError(what, hint=f"{hint}, or name another folder in TMPDIR")
