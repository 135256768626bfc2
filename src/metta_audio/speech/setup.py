"""How voices are found and what they are told: known without loading anything that makes a sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GROUP = "metta_audio.voices"
"""Entry-point group: name of the engine = "module:object", the object being a ``speech.voice.MakeEngine``."""

AUTO = "auto"
"""The word for the best voice that is here."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a user has set up for engines: all that one is told before it opens a voice.

    ``voices`` is the folder where fetched voices lie, ``takes`` that of people's recordings; neither need be there.
    ``tables`` are the tables of the settings file that bear an engine's name. ``private`` work leaves this machine
    by no voice.
    """

    voices: Path = Path()
    takes: Path = Path()
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    private: bool = False
