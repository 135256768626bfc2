"""The beginning of a file that is being fetched: what of it is here, what it is the beginning of, and who is at it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from metta_audio.errors import VoiceError
from metta_audio.voices.catalogue import Download


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a part is a part of: kept beside it. ``validator`` is the server's own mark of this very file."""

    url: str
    bytes: int
    digest: str
    validator: str = ""


class Part:
    """The beginning of ``download``, beside the file ``target`` that it is to become; nothing, to begin with.

    One that an earlier run left is taken up, if it is of the same download, and if either the server's mark or a
    checksum will tell whether its rest belongs to it.
    """

    def __init__(self, target: Path, download: Download) -> None:
        self.download = download
        self.path = target.with_name(f"{target.name}.part")
        self._target = target
        self._record = target.with_name(f"{target.name}.from.part")
        left = self._left()
        self._origin = left or _Origin(download.url, download.bytes, download.digest)
        if left is None or not (left.validator or left.digest) or self.size > download.bytes:
            self.discard()

    @property
    def size(self) -> int:
        """Bytes that are here."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def validator(self) -> str:
        """The server's mark of the file that this is a part of; empty where it gave none."""
        return self._origin.validator

    def begin(self, validator: str) -> None:
        """Begin anew with the file that the server marks by ``validator``."""
        self.discard()
        self._origin = replace(self._origin, validator=validator)
        self._record.write_text(json.dumps(asdict(self._origin)), encoding="utf-8")

    def discard(self) -> None:
        """Forget what is here."""
        self._origin = replace(self._origin, validator="")
        # The record last: a part without one is never taken up.
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def finish(self) -> None:
        """Check the whole and give it its name. What is wrong is removed. Raises VoiceError."""
        if not is_right(self.path, self.download):
            self.discard()
            what = f"{self.download.file} is damaged, or another file than this version knows: its checksum is wrong"
            hint = "it was removed; run it again, and if that does not help, name another address in voices.toml"
            raise VoiceError(what, hint=hint)
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(self._target)
        self._record.unlink(missing_ok=True)

    def _left(self) -> _Origin | None:
        """What an earlier run recorded, if it was of this download."""
        try:
            left = _Origin(**json.loads(self._record.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        wanted = (self.download.url, self.download.bytes, self.download.digest)
        return left if (left.url, left.bytes, left.digest) == wanted and isinstance(left.validator, str) else None


def remove(target: Path, root: Path) -> bool:
    """Remove the file ``target`` and what is left of fetching it; whether there was any of it.

    Only below ``root``. Raises VoiceError where it lies elsewhere, is being fetched, or cannot be removed.
    """
    traces = (target, target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.from.part"))
    if not any(path.is_symlink() or path.is_file() for path in traces):
        return False
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise VoiceError(f"{target.parent} leads out of {root}", hint="remove the files by hand")
    try:
        with alone(target):
            for path in traces:
                path.unlink(missing_ok=True)
    except OSError as error:
        hint = "close what uses it, or change the folder's permissions"
        raise VoiceError(f"cannot remove {target}: {error.strerror or error}", hint=hint) from error
    return True


def is_right(path: Path, download: Download) -> bool:
    """Whether there is a file whose size and, where one is known, checksum are as they should be."""
    if not path.is_file() or path.stat().st_size != download.bytes:
        return False
    kind, _, digits = download.digest.partition(":")
    if not kind:
        return True
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    return digest.hexdigest() == digits


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Keep other processes from fetching ``target``; the lock ends with its process, however that ends.

    Raises VoiceError where another is at it.
    """
    path = target.with_name(f"{target.name}.lock")
    with path.open("ab") as file:
        if not _locked(file.fileno()) or not _is_at(path, file.fileno()):
            raise VoiceError(f"another process is fetching {target.name} just now", hint="wait until it is done")
        try:
            yield
        finally:
            # On Windows an open file cannot be removed, and stays, empty.
            with suppress(OSError):
                path.unlink()


def _is_at(path: Path, handle: int) -> bool:
    """Whether ``path`` still leads to the open file: one who was just done may have removed it before we locked it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _locked(handle: int) -> bool:
    """Lock an open file for this process, if no other has; where files cannot be locked, go without."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
