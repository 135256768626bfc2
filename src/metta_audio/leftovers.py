"""Names by which what a killed process left is known, and nothing else: for work that must be swept by the next."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

STALE = 24 * 3600
"""Seconds after which what another machine's process left is taken for abandoned: no render takes a day."""

_OURS = re.compile(r"\.?metta-(?P<machine>[\w.]+)-(?P<pid>\d+)-\w+")
"""What we name our folders and copies. Nothing called otherwise is ever removed, whatever folder we are pointed at."""


def mark() -> str:
    """The beginning of every name that this process gives to its work."""
    return f"metta-{_machine()}-{os.getpid()}"


def abandoned(path: Path, *, anyones: bool = True) -> bool:
    """Whether ``path`` is of our making, and the process that made it is gone.

    A folder may be shared by machines and containers, whose process numbers mean nothing here: there age decides, in
    folders that hold nothing but our work (``anyones``). So it does on Windows, where signal 0 is Ctrl-C and asking
    would end the other process.
    """
    ours = _OURS.fullmatch(path.name)
    if ours is None:
        return False
    if sys.platform != "win32" and ours["machine"] == _machine():
        try:
            os.kill(int(ours["pid"]), 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:
            return False
        return False
    with suppress(OSError):
        return anyones and time.time() - path.stat().st_mtime > STALE
    return False


def _machine() -> str:
    """Name of the machine or container, as part of a file name."""
    return re.sub(r"[^\w.]", "_", platform.node()) or "here"
