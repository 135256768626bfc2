"""Programs that may hang, crash, print and leave children behind, run so that none of it reaches us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from metta_audio.leftovers import abandoned, mark
from metta_audio.units import Seconds, file_size

PRINTED = "printed"
"""Name of the file that takes what a program prints to its standard output."""

_STDERR = "complained"

_POLL = Seconds(0.05)
"""How often the time and what was written are looked at. A program that ends sooner is not waited for."""

_LAST = 4096
"""Bytes from the end of what a program complained: the last line is in them."""


@contextmanager
def work_folder() -> Iterator[Path]:
    """A private folder for one line, gone when it is spoken; what a killed process left is swept by the next."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{mark()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@cache  # once in a process
def _sweep(place: Path) -> None:
    with suppress(OSError):
        for left in place.glob("metta-*"):
            if abandoned(left, anyones=False):
                shutil.rmtree(left, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. ``problem`` is empty, or goes on after the program's name: "failed (status 3)".

    ``complaint`` is the last line that it wrote to its standard error, uncleaned.
    """

    problem: str = ""
    complaint: str = ""


def run(command: Sequence[str], folder: Path, *, patience: Seconds, most_bytes: int, asked: bytes = b"") -> Ended:
    """Run ``command`` in a process group of its own until it ends; nothing of it runs on after that.

    ``asked`` stands on its standard input, which is empty otherwise. What it prints goes into files in ``folder``, a
    private one: never to us. When ``patience`` is over, or the files in ``folder`` hold more than ``most_bytes``, it is
    killed, and so are its children.
    """
    try:
        with (
            tempfile.TemporaryFile() as stdin,  # without a name: a kill leaves no text
            folder.joinpath(PRINTED).open("wb") as stdout,
            folder.joinpath(_STDERR).open("wb") as stderr,
        ):
            stdin.write(asked)
            stdin.seek(0)
            process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, **_own_group())  # noqa: S603 - no shell
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "the system refuses it"
        return Ended(f"cannot be started ({reason})")
    try:
        problem = _watched(process, folder, patience, most_bytes)
    finally:
        _kill(process)
        process.wait()
    return Ended(problem, _last_line(folder / _STDERR) or _last_line(folder / PRINTED))


def _watched(process: subprocess.Popen[bytes], folder: Path, patience: Seconds, most_bytes: int) -> str:
    end = time.monotonic() + patience
    while True:
        # A program that is done has a word too: what it wrote is looked at once more.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL)
        if _written(folder) > most_bytes:
            return f"wrote more than {file_size(most_bytes)}"
        if process.returncode is not None:
            return _status(process.returncode)
        if time.monotonic() > end:
            return f"did not end within {patience:g} s"


def _written(folder: Path) -> int:
    total = 0
    with suppress(OSError):  # gone meanwhile
        for file in folder.iterdir():
            total += file.lstat().st_size
    return total


def _status(code: int) -> str:
    if code >= 0:
        return f"failed (status {code})" if code else ""
    try:
        return f"crashed ({signal.Signals(-code).name})"
    except ValueError:
        return f"crashed (signal {-code})"


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        # Nor shall a window open for each line.
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program, if it still runs, and all that it started and did not send away on purpose."""
    if sys.platform == "win32":
        if process.poll() is None:
            taskkill = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            with suppress(OSError):
                subprocess.run(taskkill, capture_output=True, check=False)  # noqa: S603 - a number
            process.kill()
    else:
        # The group outlives its first process as long as a child is left; without any there is none to kill.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_line(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _LAST))
            lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    # Half a sound, or a picture, is no reason.
    return lines[-1] if lines and "\ufffd" not in lines[-1] else ""
