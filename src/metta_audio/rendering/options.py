"""How a session is to sound: everything that is not said in the script, in one place, with its defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from metta_audio.errors import SettingsError
from metta_audio.script.model import RATES
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

BED_LEVELS = (-60.0, 0.0)
"""dB against the voice. Below, nothing is heard, and --bed none says what is meant; above, it is no bed any more."""

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
    looked at first. Raises SettingsError for what is of a wrong type or out of range.
    """

    voice: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    bed: str | Path | Wave | AudioSegment | None = None
    bed_level: Decibels = BED_BELOW_SPEECH
    bell: str | None = None
    rate: float | None = None
    scripts: Path | None = None

    def __post_init__(self) -> None:
        """Raise SettingsError for what is of a wrong type or out of range."""
        for name in ("voice", "bell"):
            _check(name, getattr(self, name), _is_text, "a name")
        _check("roles", self.roles, _is_cast, "a mapping from role to voice")
        _check("bed", self.bed, _is_bed, "a name, a file, or a sound")
        _check("scripts", self.scripts, lambda value: isinstance(value, Path), "a pathlib.Path")
        _check_number("a bed level", self.bed_level, BED_LEVELS, "dB", "0 is as loud as the voice")
        if self.rate is not None:
            _check_number("a rate", self.rate, RATES, "words a minute", "110 is calm")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_cast(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_text(part) for pair in value.items() for part in pair)


def _is_bed(value: object) -> bool:
    from metta_audio.sound.wave import Wave

    # A segment is known by what is asked of it: pydub need not be imported to see that this is none.
    return isinstance(value, str | Path | Wave) or hasattr(value, "get_array_of_samples")


def _check(name: str, value: object, fits: Callable[[object], bool], wanted: str) -> None:
    if value is not None and not fits(value):
        raise SettingsError(f"the option {name} cannot be of type {type(value).__name__}", hint=f"give {wanted}")


def _check_number(name: str, value: object, bounds: tuple[float, float], unit: str, advice: str) -> None:
    low, high = bounds
    if isinstance(value, bool) or not isinstance(value, int | float):
        what = f"{name} cannot be of type {type(value).__name__}"
    elif not low <= value <= high:
        what = f"{name} of {value:g} {unit} is out of range"
    else:
        return
    raise SettingsError(what, hint=f"choose from {low:g} to {high:g} {unit}; {advice}")
