"""Files of models: where a user has them, whether they are there, and what they are."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from metta_audio.errors import VoiceError, at, did_you_mean
from metta_audio.speech.voice import Setup

_FIRST = b"\x08"
"""The first byte of every ONNX model: field 1 of ModelProto, ``ir_version``, a varint. Writers of protocol buffers put
the fields in the order of their numbers, and this one is in each model."""


def present(path: Path, advice: str) -> Path:
    """Return ``path``. Raises VoiceError with ``advice`` where there is no such file, or it is empty."""
    try:
        if path.is_file() and path.stat().st_size:
            return path
        what = f"{path} is empty" if path.is_file() else f"there is no file {path}"
    except OSError as error:
        what = f"cannot read {path}: {error.strerror}"
    raise VoiceError(what, hint=advice)


def onnx_file(path: Path, advice: str) -> Path:
    """Return ``path``. Raises VoiceError where there is no such file, or its first byte shows that it is no ONNX model.

    A model that is cut off passes: what is wrong with it shows once it is loaded.
    """
    try:
        with present(path, advice).open("rb") as file:
            if file.read(1) == _FIRST:
                return path
        what = f"{path} does not work as a model (it is no ONNX file)"
    except OSError as error:
        what = f"cannot read {path}: {error.strerror}"
    raise VoiceError(what, hint=advice)


def digest(path: Path, advice: str) -> str:
    """The sha256 of a file's bytes, worked out once while it stays as it is. Raises VoiceError."""
    try:
        about = path.stat()
        return _digest(path, about.st_size, about.st_mtime_ns)
    except OSError as error:
        raise VoiceError(f"cannot read {path}: {error.strerror}", hint=advice) from error


@functools.lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    del size, changed  # part of the key
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def version(package: str) -> str:
    """The version of an installed package; empty where it is missing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def own_paths(setup: Setup, engine: str, keys: Sequence[str]) -> dict[str, Path]:
    """Paths that the user's table of ``engine`` gives. Raises VoiceError for an unknown key and for no text."""
    found = {}
    for key, value in setup.tables.get(engine, {}).items():
        with at(setup.place(engine, key)):
            if key not in keys:
                raise VoiceError(f'the settings [{engine}] have no "{key}"', hint=did_you_mean(key, keys))
            if not isinstance(value, str) or not value or "\0" in value:
                raise VoiceError(f'"{key}" in the settings [{engine}] must be a path', hint=f'write {key} = "…"')
            found[key] = home(value)
    return found


def home(path: str) -> Path:
    """The path with its ``~`` written out. Raises VoiceError for a home that is nobody's."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise VoiceError(f"{path} is in nobody's home folder", hint="write the whole path") from error
