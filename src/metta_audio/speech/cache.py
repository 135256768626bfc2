"""Clips on disk, under a key of everything that changes the sound."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from metta_audio.errors import SettingsError
from metta_audio.script.model import Span
from metta_audio.sound.chain import PLAIN, Chain
from metta_audio.sound.wave import Wave
from metta_audio.speech.clip import VERSION, Clip
from metta_audio.speech.voice import Word
from metta_audio.units import RATE, Hertz, Samples, WordsPerMinute

MOST_BYTES = 2_000_000_000
"""Size above which the least recently used clips go. A recorded hour takes about 100 MB: room for twenty practices."""

_FORMAT = 1
"""Counts changes of the file format: part of the key, so that an old file is never misread."""

_SHIFT = 8
"""libsndfile reads and writes 24-bit samples in the upper bits of 32."""


def key(text: str, spans: Sequence[Span], fingerprint: str, rate: WordsPerMinute, chain: Chain = PLAIN) -> str:
    """Sha256, in hex, of all that changes a clip: what is said, by whom, how fast, and this package's own part."""
    shaping = [float(value) for value in astuple(chain)]
    whole = [_FORMAT, VERSION, shaping, fingerprint, float(rate), text, [astuple(span) for span in spans]]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


class ClipStore:
    """A folder of clips. Several processes may use it at once.

    Neither a file's name nor its content tells what is said in it, other than by its sound. A file that is damaged
    counts as missing. Raises SettingsError where the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise _unwritable(folder, error) from error

    def get(self, key: str) -> Clip | None:
        """Return the whole clip; None where there is none, or a damaged one."""
        path = self._path(key)
        try:
            with soundfile.SoundFile(path) as file:
                note = json.loads(file.comment)
                stored = file.read(dtype="int32", always_2d=False)
                rate = file.samplerate
            if rate != RATE or note["digest"] != _digest(stored):
                return None
            words = tuple(Word(start, end, Samples(onset)) for start, end, onset in note["words"])
            # Use keeps it from being pruned.
            os.utime(path)
        except (OSError, soundfile.LibsndfileError, ValueError, KeyError, TypeError):
            return None
        samples = ((stored >> _SHIFT) / float(1 << 23)).astype(np.float32)
        return Clip(Wave.mono(samples, Hertz(rate)), words)

    def put(self, key: str, clip: Clip) -> None:
        """Keep ``clip``: the file appears whole or not at all."""
        stored = np.round(clip.wave.samples[:, 0].astype(np.float64) * (1 << 23)).astype(np.int32) << _SHIFT
        note = {"digest": _digest(stored), "words": [[word.start, word.end, word.onset] for word in clip.words]}
        content = _flac(stored, json.dumps(note, separators=(",", ":")))
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as raw:
                    raw.write(content)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def prune(self, most_bytes: int = MOST_BYTES) -> None:
        """Delete the least recently used files until at most ``most_bytes`` are left."""
        files = []
        for path in self.folder.glob("*/*"):
            try:
                stat = path.stat()
            except OSError:
                continue  # another process was faster
            files.append((stat.st_mtime_ns, path.name, stat.st_size, path))
        total = sum(size for _, _, size, _ in files)
        for _, _, size, path in sorted(files):
            if total <= most_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size

    def _path(self, key: str) -> Path:
        # 256 folders: no folder grows so large that listing it takes time.
        return self.folder / key[:2] / f"{key}.flac"


def open_store(folder: Path) -> ClipStore:
    """The clips in ``folder``; where it cannot be written, in a temporary one that vanishes with the store.

    A cache costs time when it is missing, never the recording. Raises SettingsError where neither can be written.
    """
    try:
        return ClipStore(folder)
    except SettingsError:
        try:
            temporary = tempfile.TemporaryDirectory(prefix="metta-clips-")
        except OSError as error:
            raise _unwritable(folder, error) from error
        store = ClipStore(Path(temporary.name))
        weakref.finalize(store, temporary.cleanup)
        return store


def _digest(stored: NDArray[np.int32]) -> str:
    return hashlib.blake2b(stored.tobytes(), digest_size=16).hexdigest()


def _flac(stored: NDArray[np.int32], note: str) -> bytes:
    # In memory: libsndfile writes a Python file through callbacks, and an error in one of them, such as a full disk,
    # is printed as a traceback and lost.
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", RATE, 1, "PCM_24", format="FLAC", compression_level=0.0) as file:
        file.comment = note
        file.write(stored)
    return content.getvalue()


def _unwritable(folder: Path, error: Exception) -> SettingsError:
    return SettingsError(
        f"the speech cache {folder} cannot be written ({error})",
        hint="free some space there, or name another folder in METTA_CACHE",
    )
