"""How a session is to sound: everything that is not said in the script, in one place, with its defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from metta_audio.sound.levels import BED_BELOW_SPEECH
from metta_audio.units import Decibels

if TYPE_CHECKING:
    from pydub import AudioSegment

    from metta_audio.sound.wave import Wave

NONE = "none"
"""The word for no bed and no bell."""

DEFAULT_BED = "drone"
"""For a script that names none: the least eventful one."""

DEFAULT_BELL = "bowl"
"""For a script that names none: the softest strike."""

Progress = Callable[[str, int, int], None]
"""Told the stage ("speaking", "mixing"), what is done of it, and how much there is."""


def silent_progress(_stage: str, _done: int, _total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of sound. ``None`` and empty leave each to the script, then to the settings.

    ``voice`` leads; other roles get voices that are easy to tell apart, unless ``roles`` names theirs. ``bed`` is a
    name, a file, "none", or a sound (a Wave or a pydub AudioSegment). ``bed_level`` is in dB against the voice, at
    most 0. ``bell`` is a name or "none". ``rate`` is articulation in words a minute. ``scripts`` is a shelf that is
    looked at first.
    """

    voice: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    bed: str | Path | Wave | AudioSegment | None = None
    bed_level: Decibels = BED_BELOW_SPEECH
    bell: str | None = None
    rate: float | None = None
    scripts: Path | None = None
