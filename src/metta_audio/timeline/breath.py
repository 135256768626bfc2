"""When each breath goes in, holds and out: exact sample positions, without any sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Literal

from metta_audio.script.model import Breath
from metta_audio.units import RATE, Samples, to_samples

PhaseName = Literal["in", "hold", "out", "rest"]

_NAMES: tuple[PhaseName, ...] = ("in", "hold", "out", "rest")


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of one breath, ``[start, end)`` in samples from the first breath's beginning; never empty."""

    name: PhaseName
    cycle: int
    start: Samples
    end: Samples


def phases(breath: Breath, rate: int = RATE) -> tuple[Phase, ...]:
    """All phases of all cycles in order, contiguous from sample 0; phases of no length are left out.

    Every boundary is rounded once, from the exact time since the start: nothing adds up, however many the cycles.
    """
    return tuple(_phases(breath, rate))


def length(breath: Breath, rate: int = RATE) -> Samples:
    """Samples of all cycles together."""
    return to_samples(breath.cycles * sum(map(Fraction, breath.phases)), rate)


def _phases(breath: Breath, rate: int) -> Iterator[Phase]:
    marks = tuple(accumulate(map(Fraction, breath.phases), initial=Fraction(0)))
    for cycle in range(breath.cycles):
        edges = [to_samples(cycle * marks[-1] + mark, rate) for mark in marks]
        for name, start, end in zip(_NAMES, edges, edges[1:], strict=False):
            if end > start:
                yield Phase(name, cycle, start, end)
