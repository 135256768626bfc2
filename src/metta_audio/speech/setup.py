"""How voices are found and what they are told: known without loading anything that makes a sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from metta_audio.errors import Place

GROUP = "metta_audio.voices"
"""Entry-point group: name of the engine = "module:object", the object being a ``speech.voice.MakeEngine``."""

AUTO = "auto"
"""The word for the best voice that is here."""


@cache  # what is installed does not change, and looking through it takes milliseconds
def engine_points() -> Mapping[str, EntryPoint]:
    """The entry point of every engine installed, by its name, in alphabetical order."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


@dataclass(frozen=True, slots=True)
class Setup:
    """What a user has set up for engines: all that one is told before it opens a voice.

    ``voices`` is the folder where fetched voices lie, ``takes`` that of people's recordings; neither need be there.
    ``tables`` are the tables of the settings file that bear an engine's name, ``places`` where what stands there is
    written, by the names that lead to it: ("http", "url"). ``private`` work leaves this machine by no voice. In the
    folder ``kept`` an engine may keep what takes long to find out; None where nothing may stay.
    """

    voices: Path = Path()
    takes: Path = Path()
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    private: bool = False
    places: Mapping[tuple[str, ...], Place] = field(default_factory=dict)
    kept: Path | None = None

    def place(self, *names: str) -> Place | None:
        """Where the value that ``names`` lead to is written, or what it stands in: for errors about it."""
        known = (self.places.get(names[:depth]) for depth in range(len(names), 0, -1))
        return next(filter(None, known), None)
