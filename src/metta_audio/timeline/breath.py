"""When each breath goes in, holds and out: exact sample positions, without any sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Literal

from metta_audio.script.model import Breath
from metta_audio.units import RATE, Samples, Seconds, to_samples

PhaseName = Literal["in", "sip", "hold", "out", "rest"]

_NAMES: tuple[PhaseName, ...] = ("in", "sip", "hold", "out", "rest")

_ROOM_TO_SPEAK = Fraction(4, 5)
"""Seconds a number needs before the phase ends: a word takes half a second, and must not run into the next."""

_LEAD = (Seconds(1.0), Seconds(3.0))
"""Shortest and longest preparation: an out-breath to let go of before the first breath in. Shorter is a start."""

_AFTER_SPEECH = Seconds(0.5)
"""From the last word to the preparation, so that nobody is spoken into it."""

_TAIL = (Seconds(0.5), Seconds(1.5))
"""Shortest and longest dying away after the last breath out: shorter is heard as cut off, and after the longest the
breath has gone its own way."""

_BEFORE_SPEECH = Seconds(0.3)
"""Silence between the tail and the next word."""


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


@dataclass(frozen=True, slots=True)
class Count:
    """A number to be spoken at ``start`` (samples from the first breath's beginning): 1 is the phase's own second."""

    phase: PhaseName
    number: int
    start: Samples


def counts(breath: Breath, rate: int = RATE) -> tuple[Count, ...]:
    """One count for each whole second of a phase that leaves time to speak; the first always.

    For "In, two, three, four. Hold, two, …".
    """
    room = to_samples(_ROOM_TO_SPEAK, rate)
    return tuple(
        Count(phase.name, number, Samples(start))
        for phase in phases(breath, rate)
        for number, start in enumerate(range(phase.start, phase.end, rate), 1)
        if number == 1 or phase.end - start >= room
    )


def preparation(gap: Samples) -> Samples:
    """How much sound fits into the pause of ``gap`` samples before a breath, to lead into it; 0 where too little."""
    shortest, longest = map(to_samples, _LEAD)
    lead = min(longest, gap - to_samples(_AFTER_SPEECH))
    return Samples(lead if lead >= shortest else 0)


def tail_room(gap: Samples) -> Samples:
    """How much sound fits into the pause of ``gap`` samples after a breath, to die away in; 0 where too little."""
    shortest, longest = map(to_samples, _TAIL)
    tail = min(longest, gap - to_samples(_BEFORE_SPEECH))
    return Samples(tail if tail >= shortest else 0)


def length(breath: Breath, rate: int = RATE) -> Samples:
    """Samples of all cycles together."""
    return to_samples(breath.cycles * sum(map(Fraction, breath.phases)), rate)


def _phases(breath: Breath, rate: int) -> Iterator[Phase]:
    inward, *others = map(Fraction, breath.phases)
    sip = Fraction(breath.sip)
    marks = tuple(accumulate((inward - sip, sip, *others), initial=Fraction(0)))
    for cycle in range(breath.cycles):
        edges = [to_samples(cycle * marks[-1] + mark, rate) for mark in marks]
        for name, start, end in zip(_NAMES, edges, edges[1:], strict=False):
            if end > start:
                yield Phase(name, cycle, start, end)
