"""Where a person's takes are kept: a folder of FLAC files named by what they hold, and an index of which is which.

No take is ever overwritten or deleted. A new one of the same line becomes the current one, and the older ones stay.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile

from metta_audio.errors import SettingsError, SoundError, VoiceError, did_you_mean
from metta_audio.sound.wave import Wave
from metta_audio.units import Hertz, Samples, Seconds

SCHEMA = "metta_audio.takes/1"

DEFAULT_NAME = "mine"
"""What a set of takes is called by who has but one."""

_INDEX = "index.json"
_LOCK = ".lock"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

_LARGEST_INDEX = 1 << 25
"""Bytes: a hundred thousand takes. What is larger is not ours."""

_FULL = float(1 << 23)
_SHIFT = 8
"""libsndfile writes 24-bit samples from the upper bits of 32."""


@dataclass(frozen=True, slots=True)
class Take:
    """One recording of one line.

    ``digest`` is the sha256 of its file. ``spoken`` is how long somebody speaks in it, in seconds, and ``words`` how
    long its text is (``lines.expected_words``). ``script`` and ``number`` say where it was read. A ``doubtful`` one was
    matched without certainty.
    """

    digest: str
    rate: Hertz
    frames: Samples
    spoken: Seconds
    words: float
    script: str
    number: int
    doubtful: bool = False

    @property
    def file(self) -> str:
        """Name of its file: half of its digest is enough to tell it from all others."""
        return f"{self.digest[:32]}.flac"

    @property
    def seconds(self) -> Seconds:
        """Its length."""
        return Seconds(self.frames / self.rate)


@dataclass(frozen=True, slots=True)
class Entry:
    """All takes of one line: the ``current`` one, None where it was dropped, and the ``older`` ones, newest last."""

    current: Take | None = None
    older: tuple[Take, ...] = ()

    def with_take(self, take: Take) -> Entry:
        """With another current one; what it replaces stays, once."""
        if self.current is not None and self.current.digest == take.digest:
            return replace(self, current=take)
        kept = tuple(each for each in self.dropped().older if each.digest != take.digest)
        return Entry(take, kept)

    def dropped(self) -> Entry:
        """Without a current one."""
        return Entry(None, self.older + ((self.current,) if self.current else ()))

    def undone(self) -> Entry:
        """The newest of the older ones again; the current one goes to their end, so that nothing is lost."""
        if not self.older:
            return self
        return Entry(self.older[-1], ((self.current,) if self.current else ()) + self.older[:-1])

    def accepted(self) -> Entry:
        """With a current one that is not doubtful."""
        return self if self.current is None else replace(self, current=replace(self.current, doubtful=False))


@dataclass(frozen=True, slots=True)
class Index:
    """What stands in a set: an entry for each line's key, and the ``languages`` it was read in (BCP 47)."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    languages: tuple[str, ...] = ()

    def current(self, key: str) -> Take | None:
        """The take of the line with that key."""
        return self.entries.get(key, Entry()).current

    @property
    def takes(self) -> dict[str, Take]:
        """Every current take by its key."""
        return {key: entry.current for key, entry in self.entries.items() if entry.current is not None}

    @property
    def fingerprint(self) -> str:
        """Hash of all that the set would speak."""
        spoken = sorted((key, take.digest) for key, take in self.takes.items())
        return hashlib.sha256(json.dumps(spoken).encode()).hexdigest()


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
    def existing(cls, root: Path, name: str) -> TakeSet:
        """The set of that name. Raises VoiceError with a suggestion where there is none."""
        found = cls(root, name)
        names = set_names(root)
        if name not in names:
            hint = did_you_mean(name, names) or "metta takes import makes one from a recording"
            raise VoiceError(f'there are no takes called "{name}"', hint=hint)
        return found

    def index(self) -> Index:
        """What is in it now; nothing where there is no such folder yet. Raises SoundError for an index at fault."""
        path = self.folder / _INDEX
        try:
            if path.stat().st_size > _LARGEST_INDEX:
                raise ValueError("too large")
            return _read_index(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Index()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            hint = "put back an older copy of it, or import the recordings again under another name"
            raise SoundError(f"{path} is damaged, or of a later version", hint=hint) from error

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
            index = change(self.index())
            text = json.dumps(_to_json(index), indent=1, sort_keys=True)
            self.put_file(_INDEX, text.encode())
        return index

    def change(self, key: str, how: Callable[[Entry], Entry]) -> Entry:
        """Change the entry of one line."""
        index = self.update(lambda index: replace(index, entries={**index.entries, key: how(index.entries[key])}))
        return index.entries[key]

    def read(self, take: Take) -> Wave:
        """The sound of a take, mono at its own rate. Raises SoundError where its file is gone or was changed."""
        path = self.folder / take.file
        where = f'the take of line {take.number} of {take.script} in "{self.name}"'
        hint = f"put {take.file} back, or record line {take.number} again: metta takes import --line {take.number}"
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
            handle, temporary = tempfile.mkstemp(suffix=".part", dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as raw:
                    raw.write(content)
                    raw.flush()
                    os.fsync(raw.fileno())
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._unwritable(error) from error
        return path

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


def _to_json(index: Index) -> dict[str, object]:
    lines = {
        key: {
            "current": None if entry.current is None else asdict(entry.current),
            "older": [asdict(take) for take in entry.older],
        }
        for key, entry in index.entries.items()
    }
    return {"schema": SCHEMA, "languages": list(index.languages), "lines": lines}


def _read_index(record: dict[str, object]) -> Index:
    if record["schema"] != SCHEMA:
        raise ValueError("another schema")
    lines, languages = record["lines"], record["languages"]
    if not isinstance(lines, dict) or not isinstance(languages, list):
        raise TypeError("no lines")
    entries = {
        str(key): Entry(
            None if entry["current"] is None else _read_take(entry["current"]),
            tuple(_read_take(take) for take in entry["older"]),
        )
        for key, entry in lines.items()
    }
    return Index(entries, tuple(map(str, languages)))


def _read_take(record: dict[str, object]) -> Take:
    take = Take(**record)  # type: ignore[arg-type]
    # Its name becomes a path: nothing else may.
    if not _DIGEST.fullmatch(take.digest) or take.rate <= 0:
        raise ValueError("no digest")
    return take
