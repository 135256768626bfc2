"""Why a length cannot be met, and what would help: the words of a PacingError."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from metta_audio.errors import PacingError, Place
from metta_audio.timeline.pace import Part, extremes
from metta_audio.units import LONGEST, RATE, Samples, clock

MOST_CHANGES = 3
"""How many changes are proposed: more than three is a lecture."""

WORTH_NAMING = 2 * RATE
"""A change that wins less than two seconds is not worth an author's time."""


def explain(parts: Sequence[Part], target: Samples) -> PacingError:
    """The error for a target that no choice of repeats can meet.

    It names the shortest and longest possible lengths and the changes that would help most.
    """
    shortest, longest = extremes(parts)
    if target < shortest:
        changes = [
            *_another_length(ceil(shortest / RATE / 60), shortest, longest),
            *_ways_to_shorten(parts, shortest - target),
        ]
    elif target > longest:
        changes = [
            *_another_length(longest // RATE // 60, shortest, longest),
            *_ways_to_lengthen(parts, target - longest),
        ]
    else:
        changes = ["no number of repeats was found that makes just this length: let a section have more silence"]
    # Rounded inward: what is named can be asked for.
    possible = f"the shortest possible is {_minutes(ceil(shortest / RATE) * RATE)}, the longest {_minutes(longest)}"
    return PacingError(
        f"{_minutes(target)} cannot be met: {possible}",
        hint=", or ".join(changes[:MOST_CHANGES]) or "ask for a length between the two",
    )


def _another_length(minutes: int, shortest: int, longest: int) -> list[str]:
    """The nearest whole minute that is possible; none where no whole minute is."""
    samples = minutes * 60 * RATE
    plural = "s" if minutes != 1 else ""
    return [f"ask for {minutes} minute{plural}"] if shortest <= samples <= min(longest, LONGEST * RATE) else []


def _minutes(samples: int) -> str:
    return clock(samples / RATE).partition(".")[0]


def _at(place: Place | None) -> str:
    return f" ({place})" if place else ""


def _ways_to_shorten(parts: Sequence[Part], missing: int) -> list[str]:
    ways: list[tuple[int, str]] = []
    for index, part in enumerate(parts):
        # Parts are lead-in, sections, lead-out. The first section carries permission, the last the way back: both stay.
        may_drop = 2 <= index < len(parts) - 2
        if may_drop and not part.optional and part.low >= WORTH_NAMING:
            saved = part.low * part.repeat_min
            ways.append((saved, f'make "{part.title}" {{optional}}{_at(part.place)}: saves {_minutes(saved)}'))
        ways += [
            (gap.low * part.repeat_min, f"shorten the lower bound{_at(gap.place)}: saves up to {_minutes(gap.low)}")
            for gap in part.gaps
            if gap.place and gap.low >= WORTH_NAMING and not part.optional
        ]
    # The smallest change that is enough by itself comes first, then the largest ones.
    ways.sort(key=lambda way: (way[0] < missing, way[0] if way[0] >= missing else -way[0], way[1]))
    return [text for _, text in ways]


def _ways_to_lengthen(parts: Sequence[Part], missing: int) -> list[str]:
    ways: list[tuple[int, str]] = []
    # An opening or a goodbye said twice is no help, where there is anything between them.
    for part in parts[2:-2] or parts[1:-1]:
        if part.high >= WORTH_NAMING:
            times = part.repeat_max + ceil(missing / part.high)
            gained = part.high * (times - part.repeat_max)
            ways.append(
                (
                    part.high,
                    f'let "{part.title}" repeat up to {times} times with {{repeat={part.repeat_min}..{times}}}'
                    f"{_at(part.place)}: adds up to {_minutes(gained)}",
                )
            )
    ways.sort(key=lambda way: (-way[0], way[1]))
    ways = ways[:1]
    silences = [(gap.high, gap, part) for part in parts for gap in part.gaps if gap.place and gap.unguided]
    if silences:
        high, gap, part = max(silences, key=lambda entry: (entry[0], str(entry[1].place)))
        enough = high + ceil(missing / part.repeat_max)
        ways.append((high, f"raise the silence{_at(gap.place)} to {_minutes(enough)}"))
    else:
        ways.append((0, f"add an unguided [silence 30s..{ceil(missing / RATE / 60) + 1}m]"))
    return [text for _, text in ways]
