"""All or nothing: a set of files is made out of sight and moved into place when it is whole."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from metta_audio.errors import EncodeError

STALE = 24 * 3600
"""Seconds after which a staging folder whose owner cannot be asked is taken for abandoned: no render takes a day."""


class Staging:
    """A private folder for files in the making; ``commit`` moves them to their final folder.

    Nothing appears in the final folder before ``commit``, whatever happens: not on an error, not on Ctrl-C, not when
    the process is killed. Older files stay until the new set is whole. What a killed process left in ``work`` is
    swept by the next one.
    """

    def __init__(self, final: Path, work: Path) -> None:
        self.final = final
        _must_be_writable(final)
        self._folder = _make_folder(work)
        self._names: list[str] = []

    def path(self, name: str) -> Path:
        """Where to write the file that will be ``final / name``."""
        self._names.append(name)
        return self._folder / name

    def staged(self) -> list[Path]:
        """The files written so far."""
        return [self._folder / name for name in self._names]

    def commit(self) -> list[Path]:
        """Move every file into place; the names in the order in which they were asked for."""
        ready: list[tuple[Path, Path]] = []
        try:
            for name in self._names:
                ready.append((self._beside(name), self.final / name))  # noqa: PERF401 - a failure must know those before
            for staged, target in ready:
                staged.replace(target)
        except OSError as error:
            for staged, _ in ready:
                with suppress(OSError):
                    staged.unlink()
            raise EncodeError(
                f"cannot write into {self.final}: {error.strerror or error}", hint=_hint(error)
            ) from error
        return [target for _, target in ready]

    def _beside(self, name: str) -> Path:
        """The staged file on the final folder's own disk, where a rename is atomic."""
        staged = self._folder / name
        if staged.stat().st_dev == self.final.stat().st_dev:
            return staged
        hidden = self.final / f".{name}.{os.getpid()}.part"
        try:
            shutil.copyfile(staged, hidden)
            with hidden.open("rb") as file:
                os.fsync(file.fileno())
        except BaseException:
            hidden.unlink(missing_ok=True)
            raise
        return hidden

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _must_be_writable(folder: Path) -> None:
    """Fail before the work, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.part"):
            if _abandoned(left, left.name.split(".")[-2]):
                left.unlink(missing_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EncodeError(f"cannot write into {folder}: {error.strerror or error}", hint=_hint(error)) from error


def _hint(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return "make room on the disk; the older file is untouched"
    return "choose another place with -o, or change the folder's permissions"


def _make_folder(work: Path) -> Path:
    """A fresh folder named after this process, abandoned ones swept first."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        for left in work.iterdir():
            if _abandoned(left, left.name.partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=work))
    except OSError:
        # A cache that cannot be written costs speed, not the rendering.
        return Path(tempfile.mkdtemp(prefix="metta-"))


def _abandoned(path: Path, pid: str) -> bool:
    """Whether the process that made ``path`` is gone."""
    if sys.platform != "win32" and pid.isdigit():
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            return False
        return False
    # On Windows signal 0 is Ctrl-C: asking would end the other process.
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > STALE
    return False
