"""Secrets that names are made with, so that nobody can find out by trying what a name stands for."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from metta_audio.atomic import write_whole
from metta_audio.errors import SettingsError

_BYTES = 32
"""As many as sha256 takes in: a guess is hopeless."""


def new_secret() -> bytes:
    """A secret that nobody else has."""
    return secrets.token_bytes(_BYTES)


def machine_secret(file: Path) -> bytes:
    """The secret of this machine, made at first use and readable by its owner only.

    It lies apart from the clips: who gets hold of those alone cannot find out what is said in one by trying names.
    Raises SettingsError where it can neither be read nor written.
    """
    try:
        damaged = file.exists()
        found = _secret_in(file)
        if found is None:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Of two processes that find none, the one that comes later takes what the other wrote.
            write_whole(file, new_secret(), replace=damaged)
            found = _secret_in(file)
    except OSError as error:
        what = f"the secret that clips are named with cannot be kept in {file} ({error.strerror or error})"
        raise SettingsError(what, hint="make the folder writable") from error
    if found is None:
        raise SettingsError(f"{file} cannot be written whole", hint="make room on the disk")
    return found


def _secret_in(file: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        content = file.read_bytes()
        return content if len(content) == _BYTES else None
    return None
