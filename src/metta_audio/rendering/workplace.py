"""Where files are made before they are whole: in the cache folder, or, for private work, beside where they will lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from metta_audio.encode.staging import Staging
from metta_audio.settings import read_settings

PRIVATE_WORK = ".metta-private-work"
"""Folder beside a private file in which it is made, so that a kill leaves nothing of it elsewhere. What is in it is
swept by the next private work there; nothing outside of it is ever touched."""


@contextmanager
def workplace(folder: Path, *, private: bool = False) -> Iterator[Staging]:
    """A place to make files that belong into ``folder``: all of them appear there at ``commit``, or none.

    Work is private where it is said to be so, or where the settings say it of all. Raises EncodeError.
    """
    settings = read_settings()
    apart = folder / PRIVATE_WORK if private or settings.private else None
    try:
        with Staging(folder, apart or settings.work) as staging:
            yield staging
    finally:
        if apart is not None:
            with suppress(OSError):  # other private work is being done here
                apart.rmdir()
