"""How long to breathe in, hold, and out: a small data file for each pattern, with its cautions and its caps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from metta_audio.errors import ScriptError, did_you_mean
from metta_audio.script.front_matter import FrontMatter, read_front_matter
from metta_audio.script.model import NO_SIP
from metta_audio.units import LONGEST, Seconds

Phases = tuple[Seconds, Seconds, Seconds, Seconds]
"""Seconds in, hold, out, rest. In and out take time; a hold or a rest may be 0."""

PHASE_LIMIT = 60.0
"""Seconds. No one breathes in, holds or out for longer on a recording's word."""

CYCLES_LIMIT = 10_000
"""Three hours of the shortest breath that can be followed, about one second."""

_SHORTEST_SIP = 0.25
"""Seconds a second breath in takes at least: shorter, it is not told apart from the first."""

_KEYS = ("title", "phases", "sip", "summary", "caution", "most_breaths", "first_breaths", "most_minutes",
         "first_minutes", "no_hold")  # fmt: skip


@dataclass(frozen=True, slots=True)
class BreathPattern:
    """A named way to breathe. The last ``sip`` seconds of the in-phase are a second breath in, on top of the first.

    ``caution`` is one plain line. No more than ``most_breaths`` and ``most_minutes`` at a time, and no more than
    ``first_…`` while it is new; 0 is no cap. ``no_hold`` names a pattern for those who leave the hold out.
    """

    name: str
    title: str
    phases: Phases
    sip: Seconds = NO_SIP
    summary: str = ""
    caution: str = ""
    most_breaths: int = 0
    first_breaths: int = 0
    most_minutes: float = 0.0
    first_minutes: float = 0.0
    no_hold: str = ""

    def cautions(self, cycles: int, *, called: str = "") -> tuple[str, ...]:
        """What to tell about ``cycles`` breaths: the caution, and a sentence for each cap that they exceed.

        ``called`` is how the cue writes the pattern, where it does not by its name.
        """
        said = [self.caution] if self.caution else []
        return (*said, *self._exceeded(cycles, called or self.name))

    def _exceeded(self, cycles: int, called: str) -> Iterator[str]:
        minutes = cycles * sum(self.phases) / 60
        if self.most_breaths and cycles > self.most_breaths:
            yield f"{self.most_breaths} breaths of {called} at most; this cue has {cycles}"
        elif self.first_breaths and cycles > self.first_breaths:
            yield f"{self.first_breaths} breaths of {called} at most while it is new; this cue has {cycles}"
        # A tenth of a second is a rounding of cycles, not a longer practice.
        if self.most_minutes and minutes > self.most_minutes + 0.1 / 60:
            yield f"{self.most_minutes:g} minutes of {called} at most; this cue has {minutes:.1f}"
        elif self.first_minutes and minutes > self.first_minutes + 0.1 / 60:
            yield f"{self.first_minutes:g} minutes of {called} at most while it is new; this cue has {minutes:.1f}"


@lru_cache(maxsize=64)  # a loop may ask for one a thousand times
def read_pattern(text: str, *, name: str, file: str) -> BreathPattern:
    """Read a pattern from the ``text`` of its data file; ``file`` is its path as the user knows it.

    Raises ScriptError with the place for anything that is not as it should be.
    """
    try:
        front = read_front_matter(text, file=file, first_line=1)
    except ScriptError as error:
        what = error.what.replace("the front matter", "the pattern")
        raise ScriptError(what, place=error.place, hint=error.hint) from error
    for key in front.data:
        if key not in _KEYS:
            raise ScriptError(f'unknown key "{key}"', place=front.place((key,)), hint=did_you_mean(key, _KEYS))
    phases = _phases(front)
    sip = _number(front, "sip", 0.0, phases[0])
    if sip and not _SHORTEST_SIP <= sip <= phases[0] - _SHORTEST_SIP:
        hint = f"the in-phase includes it; leave {_SHORTEST_SIP:g} s or more for each of the two"
        raise ScriptError(f"a sip of {sip:g} s in {phases[0]:g} s", place=front.place(("sip",)), hint=hint)
    return BreathPattern(
        name=name,
        title=_text(front, "title") or name,
        phases=phases,
        sip=Seconds(sip),
        summary=_text(front, "summary"),
        caution=_text(front, "caution"),
        most_breaths=round(_number(front, "most_breaths", 0, CYCLES_LIMIT)),
        first_breaths=round(_number(front, "first_breaths", 0, CYCLES_LIMIT)),
        most_minutes=_number(front, "most_minutes", 0.0, LONGEST / 60),
        first_minutes=_number(front, "first_minutes", 0.0, LONGEST / 60),
        no_hold=_text(front, "no_hold"),
    )


def _phases(front: FrontMatter) -> Phases:
    given = front.data.get("phases")
    place = front.place(("phases",))
    hint = "write phases: [in, hold, out, rest] in seconds, as [4, 7, 8, 0]"
    if not isinstance(given, list) or len(given) != 4 or not all(_is_number(each) for each in given):
        raise ScriptError("a pattern needs four phases", place=place, hint=hint)
    inward, hold, outward, rest = (Seconds(float(each)) for each in given)
    if inward <= 0 or outward <= 0 or hold < 0 or rest < 0:
        raise ScriptError("breathing in and breathing out both take time", place=place, hint="only a hold may be 0")
    if max(inward, hold, outward, rest) > PHASE_LIMIT:
        raise ScriptError("a phase is too long for one breath", place=place, hint=f"stay below {PHASE_LIMIT:g} s")
    return inward, hold, outward, rest


def _number(front: FrontMatter, key: str, low: float, high: float) -> float:
    value = front.data.get(key)
    if value is None:
        return 0.0
    if not _is_number(value) or not low <= value <= high:
        what = f'"{key}" must be a number from {low:g} to {high:g}'
        raise ScriptError(what, place=front.place((key,)), hint="leave the line out where there is none")
    return float(value)


def _text(front: FrontMatter, key: str) -> str:
    value = front.data.get(key)
    if value is not None and not isinstance(value, str):
        raise ScriptError(f'"{key}" must be a text', place=front.place((key,)), hint="put it in quotes")
    return " ".join((value or "").split())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
