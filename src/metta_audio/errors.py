"""Everything that can go wrong, as one tree.

::

    MettaError                what, where and what to do, in one line
    ├── ScriptError           a practice script is at fault (always carries a place)
    ├── PacingError           the asked length cannot be met
    ├── VoiceError            a voice is unknown, cannot run, or cannot say this
    │   └── MissingTake       the voice is a person's recordings, and the line is none of them
    ├── SoundError            a bed, bell or sound file is unknown or unreadable
    ├── EncodeError           a format is unknown, or writing or reading a finished file failed
    ├── ShelfError            a practice, pack or sound is on no shelf
    └── SettingsError         an option, a parameter file or a folder is unusable

Nothing below ``cli`` prints or exits: it raises one of these.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in an author's own file. ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class MettaError(Exception):
    """Base of all errors a user can cause.

    ``what`` says what is wrong, ``place`` where, ``hint`` what to do about it. ``str()`` gives
    ``file:line:column: what; hint`` on one line.
    """

    def __init__(self, what: str, *, place: Place | None = None, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        hint = f"; {self.hint}" if self.hint else ""
        return " ".join(f"{where}{self.what}{hint}".split())


class ScriptError(MettaError):
    """A practice script is at fault."""


class PacingError(MettaError):
    """The asked length cannot be met."""


class VoiceError(MettaError):
    """A voice is unknown, cannot run on this machine, or cannot say what it was given."""


class MissingTake(VoiceError):  # noqa: N818 - it says what is missing
    """The voice is a person's recordings, and the line is none of them."""


class SoundError(MettaError):
    """A bed, bell or sound file is unknown or unreadable."""


class EncodeError(MettaError):
    """A container format is unknown, or a finished file could not be written or read."""


class ShelfError(MettaError):
    """A practice, phrase pack or sound is on no shelf, or lies outside all of them."""


class SettingsError(MettaError):
    """An option, setting or folder is unusable."""


@contextmanager
def at(place: Place | None) -> Iterator[None]:
    """Tell of every error of ours that leaves the block, and has no place of its own, that it stands at ``place``."""
    try:
        yield
    except MettaError as error:
        error.place = error.place or place
        raise


MANY, _FEW = 30, 5
"""Choices from which on a hint names only a few: a line of more is read by nobody."""


def did_you_mean(word: str, choices: Iterable[str], otherwise: str | None = None) -> str:
    """A hint that names the nearest of ``choices``; when none is near, ``otherwise``, or a list of them.

    >>> did_you_mean("rian", ["rain", "drone"])
    'did you mean "rain"?'
    >>> did_you_mean("xyz", ["rain", "drone"])
    'choose from: drone, rain'
    >>> did_you_mean("xyz", ["rain", "drone"], "metta sounds lists all")
    'metta sounds lists all'
    >>> did_you_mean("xyz", [])
    ''
    """
    known = sorted(set(choices))
    lowered = {choice.lower(): choice for choice in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{lowered[near[0]]}"?'
    if otherwise is not None:
        return otherwise
    if len(known) > MANY:
        return f"there are {len(known)}, such as {', '.join(known[:_FEW])}"
    return f"choose from: {', '.join(known)}" if known else ""
