"""All or nothing: a set of files is made out of sight and moved into place when it is whole."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from metta_audio.errors import EncodeError
from metta_audio.leftovers import abandoned, mark


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
        """Where to write the file that will be ``final / name``. Raises EncodeError where it could not be put there."""
        must_be_replaceable(self.final / name)
        self._names.append(name)
        return self._folder / name

    def staged(self) -> list[Path]:
        """The files written so far."""
        return [self._folder / name for name in self._names]

    def commit(self) -> list[Path]:
        """Move every file into place; the names in the order in which they were asked for."""
        ready: list[tuple[Path, Path]] = []
        try:
            for number, name in enumerate(self._names):
                ready.append((self._beside(name, number), self.final / name))
            for staged, target in ready:
                staged.replace(target)
        except BaseException as error:
            for staged, _ in ready:
                with suppress(OSError):
                    staged.unlink()
            if isinstance(error, OSError):
                raise _cannot_write(self.final, error) from error
            raise
        return [target for _, target in ready]

    def _beside(self, name: str, number: int) -> Path:
        """The staged file on the final folder's own disk, where a rename is atomic."""
        staged = self._folder / name
        if staged.stat().st_dev == self.final.stat().st_dev:
            return staged
        hidden = self.final / f".{mark()}-{number}"
        with staged.open("rb") as source, _appearing(hidden) as copy:
            shutil.copyfileobj(source, copy)
        return hidden

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def must_be_replaceable(path: Path) -> None:
    """Raise EncodeError where ``path`` is a folder or a device: only a file is ever replaced."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_write(path, error) from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
        raise EncodeError(f"{path} is {what}", hint="give the name of a file")


def _must_be_writable(folder: Path) -> None:
    """Fail before the work, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".metta-*"):
            if abandoned(left):
                left.unlink(missing_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _cannot_write(path: Path, error: OSError) -> EncodeError:
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        hint = "make room on the disk; the older file is untouched"
    else:
        hint = "choose another place with -o, or change the folder's permissions"
    return EncodeError(f"cannot write into {path}: {error.strerror or error}", hint=hint)


@contextmanager
def _appearing(path: Path) -> Iterator[BinaryIO]:
    """A new file that gets its name once it is whole: a killed process leaves nothing.

    Elsewhere than on Linux it has its name at once, and the next process sweeps it.
    """
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except (AttributeError, OSError):
        try:
            with path.open("xb") as file:
                yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        # Any src_dir_fd makes Python call linkat(2), which follows the link in /proc as link(2) does not.
        os.link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle, follow_symlinks=True)


def _make_folder(work: Path) -> Path:
    """A fresh folder named after this process, abandoned ones swept first."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        for left in work.iterdir():
            if abandoned(left):
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{mark()}-", dir=work))
    except OSError:
        # A cache that cannot be written costs speed, not the rendering.
        return Path(tempfile.mkdtemp(prefix="metta-"))
