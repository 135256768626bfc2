"""Where a person's takes are kept: a folder of FLAC files named by what they hold, and an index of which is which.

No take is ever overwritten or deleted. A new one of the same line becomes the current one, and the older ones stay.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import soundfile

from metta_audio.atomic import write_whole
from metta_audio.errors import SettingsError, SoundError, VoiceError, did_you_mean
from metta_audio.sound.wave import Wave
from metta_audio.speech.secret import new_secret
from metta_audio.takes.command import DEFAULT_NAME, RECORDING, takes_command
from metta_audio.takes.index import Entry, Index, Take, WrongSecretError, from_json, to_json
from metta_audio.units import Hertz

_INDEX = "index.json"
_LOCK = ".lock"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}")
_KEY_FILE = "secret"
"""Name of the file with the secret that the lines are named with. It lies in the set's own folder, not with the
machine's: a copy of the folder is whole and serves elsewhere. Whoever has the folder has the voice itself; whoever has
the index alone, or a fingerprint made of it, cannot find out by trying what is said."""

_LARGEST_INDEX = 1 << 25
"""Bytes: a hundred thousand takes. What is larger is not ours."""

_FULL = float(1 << 23)
_SHIFT = 8
"""libsndfile writes 24-bit samples from the upper bits of 32."""


def set_names(root: Path) -> list[str]:
    """Names of all sets of takes in ``root``, in alphabetical order; none where there is no such folder."""
    try:
        return sorted(path.name for path in root.iterdir() if _NAME.fullmatch(path.name) and (path / _INDEX).is_file())
    except OSError:
        return []


class TakeSet:
    """One person's takes, in the folder ``root / name``. Several processes may use it at once.

    Neither a file's name nor the index tells what is said. Raises SettingsError for what cannot be a name.
    """

    def __init__(self, root: Path, name: str = DEFAULT_NAME) -> None:
        if not _NAME.fullmatch(name):
            hint = 'letters, digits, "-" and "_", 60 at most: for example --as mine'
            raise SettingsError(f'"{name}" cannot be the name of a set of takes', hint=hint)
        self.name = name
        self.folder = root / name

    @classmethod
    def existing(cls, root: Path, name: str, hint: str = "record one first") -> TakeSet:
        """The set of that name. Raises VoiceError where there is none, with the nearest name or ``hint``."""
        found = cls(root, name)
        names = set_names(root)
        if name not in names:
            raise VoiceError(f'there are no takes called "{name}"', hint=did_you_mean(name, names) or hint)
        return found

    def index(self) -> Index:
        """What is in it now; nothing where there is no such folder yet. Raises SoundError for an index at fault."""
        path = self.folder / _INDEX
        try:
            if path.stat().st_size > _LARGEST_INDEX:
                raise ValueError("too large")
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Index()
        except (OSError, ValueError) as error:
            raise _damaged(path) from error
        try:
            return from_json(record, self._secret())
        except WrongSecretError as error:
            what = f"{self.folder / _KEY_FILE} is gone, or of other takes: which take is of which line cannot be told"
            raise SoundError(what, hint="put back the one that was beside these takes") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path) from error

    def write(self, wave: Wave) -> str:
        """Keep a mono ``wave`` as FLAC with 24 bits at its own rate, and give its digest. It is in no index yet.

        What exceeds full scale is lowered as a whole.
        """
        samples = wave.samples[:, 0].astype(np.float64)
        peak = float(np.abs(samples).max(initial=0.0))
        samples /= max(1.0, peak)
        stored = np.clip(np.round(samples * _FULL), -_FULL, _FULL - 1).astype(np.int32) << _SHIFT
        content = io.BytesIO()
        soundfile.write(content, stored, wave.rate, subtype="PCM_24", format="FLAC")
        digest = hashlib.sha256(content.getvalue()).hexdigest()
        path = self.folder / f"{digest[:32]}.flac"
        if not (path.is_file() and _digest(path) == digest):
            self.put_file(path.name, content.getvalue())
        return digest

    def update(self, change: Callable[[Index], Index]) -> Index:
        """Replace the index by what ``change`` makes of it, while no other process does."""
        with self._locked():
            before = self.index()
            secret = before.secret or self._secret() or self._new_secret()
            index = change(before.under(secret)).under(secret)
            text = json.dumps(to_json(index), indent=1, sort_keys=True)
            self.put_file(_INDEX, text.encode())
        return index

    def change(self, key: str, how: Callable[[Entry], Entry]) -> Entry:
        """Change the entry of one line."""
        return self.update(lambda index: index.with_entry(key, how(index.entry(key)))).entry(key)

    def read(self, take: Take) -> Wave:
        """The sound of a take, mono at its own rate. Raises SoundError where its file is gone or was changed."""
        path = self.folder / take.file
        where = f'the take of line {take.number} of {take.script} in "{self.name}"'
        again = takes_command(
            "import", take.script, RECORDING, "--line", take.number, options=take.options, name=self.name
        )
        hint = f"put {take.file} back, or record line {take.number} again: {again}"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SoundError(f"{where} is gone: {error.strerror or error}", hint=hint) from error
        if hashlib.sha256(content).hexdigest() != take.digest:
            raise SoundError(f"{where} was changed on the disk", hint=hint)
        try:
            samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:  # whole, and yet no FLAC: somebody wrote the index by hand
            raise SoundError(f"{where} cannot be read", hint=hint) from error
        return Wave(samples, Hertz(rate))

    def size(self) -> int:
        """Bytes that all its takes, older ones too, have on the disk."""
        found = 0
        for path in self.folder.glob("*.flac"):
            with suppress(OSError):  # gone meanwhile
                found += path.stat().st_size
        return found

    def put_file(self, name: str, content: bytes) -> Path:
        """Write a file of the set, whole or not at all."""
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, content, lasting=True)
        except OSError as error:
            raise self._unwritable(error) from error
        return path

    def _secret(self) -> bytes:
        """What the lines are named with; empty where there is none that can be read."""
        try:
            return (self.folder / _KEY_FILE).read_bytes()
        except OSError:
            return b""

    def _new_secret(self) -> bytes:
        """Make one, readable by its owner only. Nobody else may be changing the set."""
        secret = new_secret()
        self.put_file(_KEY_FILE, secret)
        return secret

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait until nobody else changes the index. The system lets go for a process that dies."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / _LOCK).open("a+b")
        except OSError as error:
            raise self._unwritable(error) from error
        with file:
            _lock(file.fileno())
            yield

    def _unwritable(self, error: OSError) -> SettingsError:
        what = f"the takes in {self.folder} cannot be written: {error.strerror or error}"
        return SettingsError(what, hint="make room or change its permissions; what was there is untouched")


if sys.platform == "win32":

    def _lock(handle: int) -> None:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
else:

    def _lock(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path) -> SoundError:
    hint = "put back an older copy of it, or import the recordings again under another name"
    return SoundError(f"{path} is damaged, or of a later version", hint=hint)
