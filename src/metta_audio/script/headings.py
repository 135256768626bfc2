"""A section heading: ``# Title {share=18 optional repeat=1..3}``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from metta_audio.errors import Place, ScriptError, did_you_mean

_REPEAT_LIMIT = 1_000
"""A three-hour recording of ten-second sections; more is a typing error."""

_OPTIONS = ("share", "optional", "repeat")
_BRACES = re.compile(r"(?<!\\)\{([^{}]*)\}\s*$")


@dataclass(frozen=True, slots=True)
class Heading:
    """Title and options of a section. ``share`` is a percentage of the whole."""

    title: str
    place: Place
    share: float | None = None
    optional: bool = False
    repeat_min: int = 1
    repeat_max: int = 1


def split_options(text: str) -> tuple[str, str, int]:
    """Split a heading's text into its title, what stands in the braces behind it, and where that begins."""
    match = _BRACES.search(text)
    return (text[: match.start()], match.group(1), match.start(1)) if match else (text, "", len(text))


def read_options(heading: Heading, options: str, at: Callable[[int], Place]) -> Heading:
    """Return ``heading`` with ``options`` read.

    ``at`` gives the place of a position in them. Raises ``ScriptError``.
    """
    seen: set[str] = set()
    for word in re.finditer(r"[^\s,]+", options):
        name, equals, value = word.group().partition("=")
        place = at(word.start())
        if name not in _OPTIONS:
            raise ScriptError(f'a section has no "{name}"', place=place, hint=did_you_mean(name, _OPTIONS))
        if name in seen:
            raise ScriptError(f"{name} is given twice", place=place, hint="keep one of them")
        seen.add(name)
        if name == "optional":
            if equals:
                raise ScriptError("optional takes no value", place=place, hint="write only optional")
            heading = replace(heading, optional=True)
        elif name == "share":
            heading = replace(heading, share=_share(value, place))
        else:
            low, high = _repeat(value, place)
            heading = replace(heading, repeat_min=low, repeat_max=high)
    return heading


def _share(value: str, place: Place) -> float:
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)%?", value)
    if match is None or not 0 < float(match.group(1)) <= 100:
        raise ScriptError(
            f'"{value}" is not a share', place=place, hint="write a percentage above 0, up to 100, such as share=18"
        )
    return float(match.group(1))


def _repeat(value: str, place: Place) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})(?:\.\.(\d{1,6}))?", value)
    if match is None:
        raise ScriptError(f'"{value}" is not a number of repeats', place=place, hint="write repeat=1..3 or repeat=2")
    low, high = int(match.group(1)), int(match.group(2) or match.group(1))
    if low > high:
        raise ScriptError("the bounds are reversed", place=place, hint=f"write repeat={high}..{low}")
    if low < 1:
        raise ScriptError("a section is heard at least once", place=place, hint="to let it be dropped write optional")
    if high > _REPEAT_LIMIT:
        raise ScriptError(f"{high} repeats are more than {_REPEAT_LIMIT:,}", place=place, hint="write a smaller number")
    return low, high
