"""Where the length of every silence is decided, in one pure function: ``pace``.

Three steps, each deterministic and each monotone in the target:

1. **Choose.** Sections that may drop or repeat are added one at a time in a fixed order, always the one that is
   furthest below its share of the time. That gives a chain of choices, each longer than the one before. The choice
   whose pauses need to change least (preferred length nearest to the target) is taken, among those that fit.
2. **Spread over sections.** What is left over, or missing, goes first to unguided silences, then to pauses. Between
   sections it is poured like water: the section lowest against its share fills first (the highest empties first).
3. **Spread inside a section.** Gaps grow or shrink in proportion to their weight times their preferred length, until
   a bound stops them.

Pouring is counted in whole samples, so the sum is exact. Everything is O(n log n) in the number of gaps; only where no
choice of the chain fits are all combinations of repeats searched.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from metta_audio.errors import Place
from metta_audio.units import Samples

SEARCH_LIMIT = 20_000
"""How many combinations of repeats the search behind the chain keeps. Real scripts need a handful; 20,000 take about
a second, and only a script whose sections are nearly all rigid can reach it."""


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
    chain = _chain(parts)
    fitting = [k for k, link in enumerate(chain) if link.low <= target <= link.high]
    if not fitting:
        return _search(parts, target)
    best = min(fitting, key=lambda k: abs(chain[k].preferred - target))
    choice = [0 if part.optional else part.repeat_min for part in parts]
    for link in chain[1 : best + 1]:
        choice[link.part] = link.times
    return tuple(choice)


@dataclass(frozen=True, slots=True)
class _Link:
    """One choice of the chain: lengths in all, and which part now sounds how many times."""

    low: int
    preferred: int
    high: int
    part: int
    times: int


def _chain(parts: Sequence[Part]) -> list[_Link]:
    """Choices from the least to the most, each adding to the one before what is furthest below its share."""
    times = [0 if part.optional else part.repeat_min for part in parts]
    shares = _shares(parts, [max(part.preferred * part.repeat_min, 1) for part in parts])
    low = sum(part.low * n for part, n in zip(parts, times, strict=True))
    preferred = sum(part.preferred * n for part, n in zip(parts, times, strict=True))
    high = sum(part.high * n for part, n in zip(parts, times, strict=True))
    chain = [_Link(low, preferred, high, -1, 0)]
    heap = [(Fraction(part.preferred * times[i]) / shares[i], i) for i, part in enumerate(parts)]
    heapq.heapify(heap)
    while heap:
        _, i = heapq.heappop(heap)
        part = parts[i]
        if times[i] >= part.repeat_max:
            continue
        more = 1 if times[i] else part.repeat_min
        times[i] += more
        low, preferred, high = low + part.low * more, preferred + part.preferred * more, high + part.high * more
        chain.append(_Link(low, preferred, high, i, times[i]))
        heapq.heappush(heap, (Fraction(part.preferred * times[i]) / shares[i], i))
    return chain


def _search(parts: Sequence[Part], target: int) -> Choice:
    """The first choice, over all combinations, that can have the target; DoesNotFit where there is none.

    Part by part, keeping for each partial choice the range of lengths it allows: a range inside another can never
    reach what the other cannot.
    """
    ranges: list[tuple[int, int, Choice]] = [(0, 0, ())]
    for part in parts:
        times = [0] * part.optional + list(range(part.repeat_min, part.repeat_max + 1))
        grown = sorted(
            ((low + part.low * n, high + part.high * n, (*choice, n)) for low, high, choice in ranges for n in times),
            key=lambda entry: (entry[0], -entry[1], entry[2]),
        )
        ranges = []
        for entry in grown:
            if entry[0] <= target and (not ranges or entry[1] > ranges[-1][1]):
                ranges.append(entry)
        ranges = ranges[:SEARCH_LIMIT]
    for low, high, choice in ranges:
        if low <= target <= high:
            return choice
    raise DoesNotFit
