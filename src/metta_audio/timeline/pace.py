"""Where the length of every silence is decided, in one pure function: ``pace``.

Three steps, each deterministic:

1. **Choose** which optional sections sound and how often the others repeat, so that pauses stay nearest to their
   preferred lengths. Choices that come within 2 % of the target of each other are heard as equal: among them the one
   that keeps the sections nearest to their shares wins. A longer target never gets less to hear.
2. **Spread over sections.** What is left over, or missing, goes first to unguided silences, then to pauses. Between
   sections it is poured like water: the section lowest against its share fills first (the highest empties first).
3. **Spread inside a section.** Gaps grow or shrink in proportion to their weight times their preferred length, until
   a bound stops them.

Pouring is counted in whole samples, so the sum is exact, and for one choice no gap shrinks when the target grows.
Spreading is O(n log n) in the number of gaps. Few choices are all compared; of many, those on a chain are, in which
each step adds the section furthest below its share.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import prod

from metta_audio.errors import Place
from metta_audio.units import Samples

FEW_CHOICES = 4_096
"""Up to so many choices are all compared: 12 optional sections, or two that may sound up to 64 times."""

HEARD_AS_EQUAL = 50
"""A fiftieth of the target: pauses stretched by 2 % more or less cannot be told apart, sections out of balance can."""

SEARCH_LIMIT = 100_000
"""Partial choices that the search for any fitting choice looks at. Real scripts need a few hundred; so many take under
a second. Only a script of many rigid sections reaches it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence to be decided: ``low <= preferred <= high`` in samples. ``unguided`` ones take up slack first."""

    low: Samples
    preferred: Samples
    high: Samples
    weight: float = 1.0
    unguided: bool = False
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A section as pacing sees it: ``rigid`` samples that never stretch, and its gaps, for one time through."""

    title: str
    rigid: Samples
    gaps: tuple[Gap, ...]
    share: float | None = None
    repeat_min: int = 1
    repeat_max: int = 1
    optional: bool = False
    place: Place | None = None

    @property
    def low(self) -> int:
        """Shortest length of one time through, in samples."""
        return self.rigid + sum(gap.low for gap in self.gaps)

    @property
    def preferred(self) -> int:
        """Preferred length of one time through, in samples."""
        return self.rigid + sum(gap.preferred for gap in self.gaps)

    @property
    def high(self) -> int:
        """Longest length of one time through, in samples."""
        return self.rigid + sum(gap.high for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Pacing:
    """The decision.

    ``repeats[i]`` is how often part i sounds (0: dropped); ``gaps[i]`` holds ``repeats[i]`` times the lengths of its
    gaps, in order, in samples.
    """

    repeats: tuple[int, ...]
    gaps: tuple[tuple[Samples, ...], ...]


class DoesNotFit(Exception):  # noqa: N818 - a result for `plan` to explain, never shown to a user
    """No choice of repeats can have the asked length."""


Choice = tuple[int, ...]


def pace(parts: Sequence[Part], target: Samples) -> Pacing:
    """Decide every gap and every repeat so that the whole is ``target`` samples exactly.

    Raises DoesNotFit when no choice of repeats and optional parts can be that long.
    """
    repeats = _choose(parts, target)
    gaps = [[gap for _ in range(times) for gap in part.gaps] for part, times in zip(parts, repeats, strict=True)]
    totals = [part.preferred * times for part, times in zip(parts, repeats, strict=True)]
    shares = _shares(parts, totals)
    slack = target - sum(totals)
    lengths: list[list[int]] = [[gap.preferred for gap in row] for row in gaps]
    for unguided in (True, False):
        if slack >= 0:
            room = [[gap.high - gap.preferred if gap.unguided == unguided else 0 for gap in row] for row in gaps]
            slack -= _spread(room, gaps, totals, shares, lengths, slack, sign=1)
        else:
            room = [[gap.preferred - gap.low if gap.unguided == unguided else 0 for gap in row] for row in gaps]
            slack += _spread(room, gaps, totals, shares, lengths, -slack, sign=-1)
    return Pacing(repeats, tuple(tuple(Samples(n) for n in row) for row in lengths))


def extremes(parts: Sequence[Part]) -> tuple[Samples, Samples]:
    """The shortest and the longest length that the parts can have, in samples."""
    shortest = sum(part.low * (0 if part.optional else part.repeat_min) for part in parts)
    longest = sum(part.high * part.repeat_max for part in parts)
    return Samples(shortest), Samples(longest)


def pour(starts: Sequence[int], rooms: Sequence[int], weights: Sequence[Fraction], amount: int) -> list[int]:
    """Share ``amount`` units among containers, water finding its level, in whole units.

    Container i stands at level ``starts[i] / weights[i]``, rises by ``1 / weights[i]`` with each unit, and takes at
    most ``rooms[i]``. Each unit goes where the level after it is lowest, the first container on a tie. So what
    ``amount`` gives, ``amount + 1`` gives too, and one more. ``amount`` may not exceed ``sum(rooms)``.
    """
    open_ones = [i for i, room in enumerate(rooms) if room > 0]
    level = _level(starts, rooms, weights, open_ones, amount)
    given = [0] * len(rooms)
    for i in open_ones:
        given[i] = max(0, min(rooms[i], int(level * weights[i] // 1) - starts[i]))
    heap = [(Fraction(starts[i] + given[i] + 1) / weights[i], i) for i in open_ones if given[i] < rooms[i]]
    heapq.heapify(heap)
    for _ in range(amount - sum(given)):
        _, i = heapq.heappop(heap)
        given[i] += 1
        if given[i] < rooms[i]:
            heapq.heappush(heap, (Fraction(starts[i] + given[i] + 1) / weights[i], i))
    return given


def _level(
    starts: Sequence[int], rooms: Sequence[int], weights: Sequence[Fraction], open_ones: Sequence[int], amount: int
) -> Fraction:
    """The water level at which the containers hold ``amount`` between them, were units divisible."""
    turns: list[tuple[Fraction, Fraction]] = []
    for i in open_ones:
        turns.append((Fraction(starts[i]) / weights[i], weights[i]))
        turns.append((Fraction(starts[i] + rooms[i]) / weights[i], -weights[i]))
    turns.sort()
    held, flow = Fraction(0), Fraction(0)
    for (level, change), (following, _) in pairwise(turns):
        flow += change
        more = flow * (following - level)
        if held + more >= amount:
            return level + (amount - held) / flow if flow else level
        held += more
    return turns[-1][0] if turns else Fraction(0)


def _spread(
    room: list[list[int]],
    gaps: list[list[Gap]],
    totals: list[int],
    shares: list[Fraction],
    lengths: list[list[int]],
    amount: int,
    *,
    sign: int,
) -> int:
    """Give (sign 1) or take (sign -1) up to ``amount`` samples, in ``totals`` and ``lengths``; returns how many."""
    rooms = [sum(row) for row in room]
    amount = min(amount, sum(rooms))
    # Taking is giving in a mirror: the fullest section stands lowest there.
    per_part = pour([sign * total for total in totals], rooms, shares, amount)
    for i, given in enumerate(per_part):
        weights = [Fraction(gap.weight) * max(gap.preferred, 1) for gap in gaps[i]]
        for k, units in enumerate(pour([0] * len(room[i]), room[i], weights, given)):
            lengths[i][k] += sign * units
        totals[i] += sign * given
    return amount


def _shares(parts: Sequence[Part], totals: Sequence[int]) -> list[Fraction]:
    """Shares on one scale: given ones keep their proportions, a part without one counts for what it takes anyway."""
    given = [i for i, part in enumerate(parts) if part.share is not None and totals[i]]
    asked = sum((Fraction(parts[i].share or 0) for i in given), Fraction(0))
    scale = sum(totals[i] for i in given) / asked if asked else Fraction(1)
    return [
        Fraction(part.share) * scale if part.share is not None and total else Fraction(max(total, 1))
        for part, total in zip(parts, totals, strict=True)
    ]


def _choose(parts: Sequence[Part], target: int) -> Choice:
    """Repeats whose preferred length is nearest to the target, among those that can have it."""
    shortest, longest = extremes(parts)
    if not shortest <= target <= longest:
        raise DoesNotFit
    count = prod(len(_times(part)) for part in parts)
    choices = product(*map(_times, parts)) if count <= FEW_CHOICES else _chain(parts)
    fitting = [choice for choice in choices if _fits(parts, choice, target)]
    if not fitting:
        return _search(parts, target)
    shares = _shares(parts, [part.preferred * part.repeat_min for part in parts])

    def off(choice: Choice) -> int:
        preferred = sum(part.preferred * times for part, times in zip(parts, choice, strict=True))
        return abs(preferred - target) * HEARD_AS_EQUAL // max(target, 1)

    def imbalance(choice: Choice) -> Fraction:
        levels = [part.preferred * n / share for part, n, share in zip(parts, choice, shares, strict=True)]
        return max(levels) - min(levels)

    least = min(map(off, fitting))
    return min((choice for choice in fitting if off(choice) == least), key=imbalance)


def _times(part: Part) -> list[int]:
    """How often a part may sound, fewest first."""
    return [0] * part.optional + list(range(part.repeat_min, part.repeat_max + 1))


def _fits(parts: Sequence[Part], choice: Choice, target: int) -> bool:
    low = sum(part.low * times for part, times in zip(parts, choice, strict=True))
    high = sum(part.high * times for part, times in zip(parts, choice, strict=True))
    return low <= target <= high


def _chain(parts: Sequence[Part]) -> Iterator[Choice]:
    """Choices from the least to the most, each adding to the one before what is furthest below its share."""
    times = [0 if part.optional else part.repeat_min for part in parts]
    shares = _shares(parts, [part.preferred * part.repeat_min for part in parts])
    yield tuple(times)
    heap = [(Fraction(part.preferred * times[i]) / shares[i], i) for i, part in enumerate(parts)]
    heapq.heapify(heap)
    while heap:
        _, i = heapq.heappop(heap)
        if times[i] < parts[i].repeat_max:
            times[i] = times[i] + 1 if times[i] else parts[i].repeat_min
            yield tuple(times)
            heapq.heappush(heap, (Fraction(parts[i].preferred * times[i]) / shares[i], i))


def _search(parts: Sequence[Part], target: int) -> Choice:
    """Any choice, over all combinations, that can have the target; DoesNotFit where none is found.

    Part by part, largest first, keeping for each partial choice the range of lengths it allows. What the parts to come
    can no longer bring to the target goes, and so does a range inside another: it cannot reach what the other cannot.
    """
    order = sorted(range(len(parts)), key=lambda i: (-parts[i].high * parts[i].repeat_max, i))
    low_to_come = sum(parts[i].low * min(_times(parts[i])) for i in order)
    high_to_come = sum(parts[i].high * max(_times(parts[i])) for i in order)
    ranges: list[tuple[int, int, Choice]] = [(0, 0, ())]
    looked_at = 0
    for i in order:
        part = parts[i]
        low_to_come -= part.low * min(_times(part))
        high_to_come -= part.high * max(_times(part))
        grown = []
        for low, high, choice in ranges:
            for n in _times(part):
                looked_at += 1
                if low + part.low * n + low_to_come > target:
                    break
                if high + part.high * n + high_to_come >= target:
                    grown.append((low + part.low * n, high + part.high * n, (*choice, n)))
            if looked_at > SEARCH_LIMIT:
                raise DoesNotFit
        grown.sort(key=lambda entry: (entry[0], -entry[1], entry[2]))
        ranges = []
        for entry in grown:
            if not ranges or entry[1] > ranges[-1][1]:
                ranges.append(entry)
    if not ranges:
        raise DoesNotFit
    times = dict(zip(order, ranges[0][2], strict=True))
    return tuple(times[i] for i in range(len(parts)))
