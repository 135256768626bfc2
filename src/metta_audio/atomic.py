"""A file that appears whole or not at all, whatever becomes of the process that writes it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes, *, replace: bool = True, lasting: bool = False) -> None:
    """Write ``content`` beside ``path``, readable by its owner only, and give it that name in one step.

    A file that is there stays unless it is to be replaced. With ``lasting`` it is on the disk before it has its name,
    so that a machine that stops leaves no empty one: for what cannot be made again. Raises OSError.
    """
    handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as raw:
            raw.write(content)
            if lasting:
                raw.flush()
                os.fsync(raw.fileno())
        if replace:
            part.replace(path)
        else:
            _link(part, path)
    finally:
        part.unlink(missing_ok=True)


def _link(part: Path, path: Path) -> None:
    """Give ``part`` the name ``path`` unless something has it."""
    try:
        os.link(part, path)
    except FileExistsError:
        return
    except OSError:  # a disk without hard links
        if not path.exists():
            part.replace(path)
