"""How a session is to sound: everything that is not said in the script, in one place, with its defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from metta_audio.errors import Place, ScriptError, SettingsError, did_you_mean
from metta_audio.script.cues import read_cue
from metta_audio.script.model import BREATH_SOUNDS, RATES, Bell
from metta_audio.sound.levels import BED_BELOW_SPEECH, LOUDNESS, TARGETS
from metta_audio.units import LONGEST, Decibels, Lufs, Seconds, parse_duration

if TYPE_CHECKING:
    from pydub import AudioSegment

    from metta_audio.sound.wave import Wave

NONE = "none"
"""The word for no bed and no bell."""

RANDOM = "random"
"""The word for whatever the seed chooses."""

DEFAULT_BED = "drone"
"""For a script that names none: the least eventful one."""

DEFAULT_BELL = "bowl"
"""For a script that names none: the softest strike."""

INTERVALS = (Seconds(30.0), LONGEST)
"""Seconds between interval bells: more often, a bell is no sign any more but a clock."""

BED_LEVELS = (-60.0, 0.0)
"""dB against the voice. Below, nothing is heard, and --bed none says what is meant; above, it is no bed any more."""

_ON_REQUEST = Place("", 1)
"""Where a bell stands that no script asks for."""

Progress = Callable[[str, int, int], None]
"""Told the stage ("speaking", "mixing"), what is done of it, and how much there is."""


def silent_progress(_stage: str, _done: int, _total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of sound. ``None`` and empty leave each to the script, then to the settings.

    ``voice`` leads; other roles get voices that are easy to tell apart, unless ``roles`` names theirs. ``bed`` is a
    name, layers ("ocean:-3+drone"), a file, "random", "none", or a sound (a Wave or a pydub AudioSegment).
    ``bed_level`` is in dB against the voice, at most 0. ``exclude`` names beds, bells, sounds and families of them
    that must not sound. ``bell`` is a name, "random" or "none". ``start_bell`` and ``end_bell`` are what stands in a
    bell cue ("bowl x3") or "none"; ``interval_bell`` is a duration and such a cue ("5m", "5m chime"). ``breath`` is
    the sound that leads a breath, one of BREATH_SOUNDS. ``loudness`` is one of levels.TARGETS or a number in LUFS.
    ``fallback`` is the voice for lines that a person has not recorded. ``private`` keeps no spoken clip and lets no
    text leave this machine. ``plain`` leaves voices as their engines made them. ``rate`` is articulation in words a
    minute. ``scripts`` is a shelf that is looked at first. Raises SettingsError for what is of a wrong type or out of
    range.
    """

    voice: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    fallback: str | None = None
    private: bool = False
    bed: str | Path | Wave | AudioSegment | None = None
    bed_level: Decibels = BED_BELOW_SPEECH
    exclude: Sequence[str] = ()
    bell: str | None = None
    start_bell: str | None = None
    end_bell: str | None = None
    interval_bell: str | None = None
    breath: str | None = None
    loudness: str | float | None = None
    plain: bool = False
    rate: float | None = None
    scripts: Path | None = None

    def __post_init__(self) -> None:
        """Raise SettingsError for what is of a wrong type or out of range."""
        for name in ("voice", "fallback", "bell", "start_bell", "end_bell", "interval_bell", "breath"):
            _check(name, getattr(self, name), _is_text, "a name")
        _check("exclude", self.exclude, _is_names, "a list of names")
        for name in ("plain", "private"):
            _check(name, getattr(self, name), lambda value: isinstance(value, bool), "True or False")
        if self.breath is not None and self.breath not in BREATH_SOUNDS:
            raise SettingsError(
                f'"{self.breath}" is no sound that leads a breath', hint=did_you_mean(self.breath, BREATH_SOUNDS)
            )
        if self.loudness is not None:
            loudness_target(self.loudness)
        bell_cue(self.start_bell)
        bell_cue(self.end_bell)
        interval(self.interval_bell)
        _check("roles", self.roles, _is_cast, "a mapping from role to voice")
        _check("bed", self.bed, _is_bed, "a name, a file, or a sound")
        _check("scripts", self.scripts, lambda value: isinstance(value, Path), "a pathlib.Path")
        _check_number("a bed level", self.bed_level, BED_LEVELS, "dB", "0 is as loud as the voice")
        if self.rate is not None:
            _check_number("a rate", self.rate, RATES, "words a minute", "110 is calm")


def loudness_target(value: str | float) -> Lufs:
    """The integrated loudness that a name or a number asks for. Raises SettingsError."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in TARGETS:
            return TARGETS[word]
        try:
            value = float(word.removesuffix("lufs"))
        except ValueError:
            hint = f"{did_you_mean(word, TARGETS).rstrip('?')}, or a number such as -16"
            raise SettingsError(f'unknown loudness "{value}"', hint=hint) from None
    _check_number("a loudness", value, LOUDNESS, "LUFS", "podcasts have -16")
    return Lufs(float(value))


def bell_cue(text: str | None) -> Bell | None:
    """The bell that ``text`` asks for, as in a cue; None for "none" and nothing. Raises SettingsError."""
    if text is None or text.strip().lower() == NONE:
        return None
    try:
        return cast("Bell", read_cue(f"bell {text}", _ON_REQUEST))
    except ScriptError as error:
        raise SettingsError(error.what, hint=error.hint) from None


def interval(text: str | None) -> tuple[Seconds, Bell] | None:
    """How often a bell is asked for, and which; None for "none" and nothing. Raises SettingsError."""
    if text is None or text.strip().lower() == NONE:
        return None
    length, _, rest = text.strip().partition(" ")
    try:
        every = parse_duration(length)
    except ValueError as error:
        raise SettingsError(f"an interval bell: {error}", hint='write for example 5m, or "5m chime"') from None
    _check_number("an interval", every, INTERVALS, "s", "5m is usual")
    bell = bell_cue(rest or "")
    if bell is None:
        raise SettingsError("an interval bell without a bell", hint="leave the interval out")
    return every, bell


def _is_names(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(_is_text(each) for each in value)


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
