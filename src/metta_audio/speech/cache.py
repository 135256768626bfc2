"""Clips that wait: on disk under names that tell nothing, or, for private work, where they vanish with the process."""

from __future__ import annotations

import hmac
import io
import os
import re
import tempfile
import threading
import time
import weakref
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from metta_audio.atomic import write_whole
from metta_audio.errors import SettingsError
from metta_audio.speech.clip import Clip
from metta_audio.speech.clip_file import Measured, measure, measured, pack, unpack
from metta_audio.speech.secret import machine_secret, new_secret

_NAME = re.compile(r"[0-9a-f]{64}\.clip")
"""What a kept clip is called."""

_LEFT = re.compile(r"tmp\w+\.part|[0-9a-f]{64}\.flac")
"""What a clip in the making is called, and what clips were called of old: nobody will ask for either again."""

_STALE = 3600
"""Seconds after which a clip in the making is what a killed process left: writing one takes milliseconds."""


class Clips(Protocol):
    """A place where clips wait. Several threads may use it at once."""

    def name(self, recipe: bytes) -> str:
        """The name of the clip that ``recipe`` leads to: all that changes its sound."""

    def find(self, name: str) -> Measured | None:
        """What was measured of a clip, without its sound; None where there is none."""

    def get(self, name: str) -> Clip | None:
        """The whole clip; None where there is none, or a damaged one."""

    def put(self, name: str, clip: Clip) -> Measured:
        """Keep ``clip``, and say what was measured of it. Raises SettingsError where there is no room."""

    def prune(self, keep: Collection[str] = ()) -> None:
        """Make room where there is too little, but not of the clips in ``keep``."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies in a folder of clips: how many, how many bytes, and how many were damaged or left by a kill."""

    clips: int
    bytes: int
    damaged: int = 0
    leftovers: int = 0


class ClipStore:
    """A folder of clips. Several processes may use it at once, and each may be killed at any moment.

    Neither a file's name nor its content tells what is said in it, other than by its sound: names are made with
    ``secret``, so that nobody can find out by trying. A file that is damaged counts as missing. ``most_bytes`` is what
    ``prune`` leaves. Raises SettingsError where the folder cannot be written.
    """

    def __init__(self, folder: Path, secret: bytes, most_bytes: int) -> None:
        self.folder = folder
        self._secret = secret
        self._most_bytes = most_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise _unwritable(folder, error) from error

    def name(self, recipe: bytes) -> str:
        """HMAC-SHA256 (RFC 2104) of ``recipe`` under the machine's secret, in hex."""
        return hmac.digest(self._secret, recipe, "sha256").hex()

    def find(self, name: str) -> Measured | None:
        """What was measured of a clip; its sound is checked when it is fetched."""
        path = self._path(name)
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a path's own takes longer than what is read
                told = measured(file.read, os.fstat(file.fileno()).st_size)
        except (OSError, ValueError, TypeError):
            return None
        _used(path)
        return told

    def get(self, name: str) -> Clip | None:
        """Return the whole clip; None where there is none, or a damaged one."""
        path = self._path(name)
        try:
            clip = unpack(Path(path).read_bytes())
        except (OSError, ValueError, TypeError):
            return None
        _used(path)
        return clip

    def put(self, name: str, clip: Clip) -> Measured:
        """Keep ``clip``: the file appears whole or not at all."""
        path, told = Path(self._path(name)), measure(clip)
        try:
            content = pack(clip, told)
            try:
                write_whole(path, content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, content)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return told

    def prune(self, keep: Collection[str] = ()) -> None:
        """Delete the least recently used clips, none of ``keep``, until no more is left than there may be."""
        files = []
        for path in [*self._files(), *self._left(older=_STALE)]:
            with suppress(OSError):  # another process was faster
                stat = path.stat()
                files.append((stat.st_mtime_ns, path.name, stat.st_size, path))
        total = sum(size for _, _, size, _ in files)
        for _, _, size, path in sorted(files):
            if total <= self._most_bytes:
                break
            if path.stem not in keep and _removed(path):
                total -= size

    def survey(self) -> Survey:
        """Count what is there, without reading it."""
        sizes = []
        for path in self._files():
            with suppress(OSError):
                sizes.append(path.stat().st_size)
        return Survey(len(sizes), sum(sizes))

    def verify(self) -> Survey:
        """Read every clip; delete what is damaged, what killed processes left, and what is too much."""
        self.prune()
        sizes, damaged = [], 0
        for path in self._files():
            try:
                content = path.read_bytes()
                unpack(content)
                sizes.append(len(content))
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError):
                damaged += _removed(path)
        leftovers = sum(_removed(path) for path in self._left(older=_STALE))
        return Survey(len(sizes), sum(sizes), damaged, leftovers)

    def clear(self) -> Survey:
        """Delete every clip, and nothing that is none of ours; say how much there was."""
        gone = self.survey()
        for path in [*self._files(), *self._left(older=0)]:
            _removed(path)
        for folder in self.folder.glob("??"):
            with suppress(OSError):  # something of another's lies there
                folder.rmdir()
        return gone

    def _files(self) -> Iterator[Path]:
        return (path for path in self.folder.glob("??/*") if _NAME.fullmatch(path.name))

    def _left(self, older: float) -> Iterator[Path]:
        for path in self.folder.glob("??/*"):
            with suppress(OSError):
                if _LEFT.fullmatch(path.name) and time.time() - path.stat().st_mtime >= older:
                    yield path

    def _path(self, name: str) -> str:
        # 256 folders: no folder grows so large that listing it takes time.
        return f"{self.folder}{os.sep}{name[:2]}{os.sep}{name}.clip"


class PassingClips:
    """Clips in a file without a name: nothing of them is left when the process ends, whichever way.

    Raises SettingsError where not even that can be written.
    """

    def __init__(self) -> None:
        self._secret = new_secret()
        self._places: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._end = 0
        try:
            self._file = tempfile.TemporaryFile(prefix="metta-clips-")  # noqa: SIM115 - open as long as the store
        except OSError as error:
            raise _unwritable(Path(tempfile.gettempdir()), error) from error
        weakref.finalize(self, self._file.close)

    def name(self, recipe: bytes) -> str:
        """A name that means nothing outside this process."""
        return hmac.digest(self._secret, recipe, "sha256").hex()

    def find(self, name: str) -> Measured | None:
        """What was measured of a clip; None where there is none."""
        content = self._content(name)
        return measured(io.BytesIO(content).read, len(content)) if content else None

    def get(self, name: str) -> Clip | None:
        """The whole clip; None where there is none."""
        content = self._content(name)
        return unpack(content) if content else None

    def put(self, name: str, clip: Clip) -> Measured:
        """Keep ``clip``. Raises SettingsError where there is no room."""
        told = measure(clip)
        content = pack(clip, told)
        try:
            with self._lock:
                self._file.seek(self._end)
                self._file.write(content)
                self._file.flush()
                self._places[name] = (self._end, len(content))
                self._end += len(content)
        except OSError as error:
            raise _unwritable(Path(tempfile.gettempdir()), error) from error
        return told

    def prune(self, keep: Collection[str] = ()) -> None:
        """Nothing: all of it goes when the process ends."""

    def _content(self, name: str) -> bytes:
        place = self._places.get(name)
        if place is None:
            return b""
        with self._lock:
            self._file.seek(place[0])
            return self._file.read(place[1])


def open_store(folder: Path, secret: Path, most_bytes: int) -> Clips:
    """The clips in ``folder``, named with the secret in the file ``secret``; where that cannot be, passing ones.

    A cache costs time when it is missing, never the recording. Raises SettingsError where neither can be written.
    """
    try:
        return ClipStore(folder, machine_secret(secret), most_bytes)
    except SettingsError:
        return PassingClips()


def _used(path: str) -> None:
    """Use keeps it from being pruned."""
    with suppress(OSError):
        os.utime(path)


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _unwritable(folder: Path, error: Exception) -> SettingsError:
    return SettingsError(
        f"the speech cache {folder} cannot be written ({error})",
        hint="free some space there, or name another folder in METTA_CACHE",
    )
