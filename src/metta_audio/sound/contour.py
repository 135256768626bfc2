"""How strong a breath is at every sample: straight lines between the corners of its phases."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.script.model import Breath
from metta_audio.timeline.breath import PhaseName, length, phases
from metta_audio.units import RATE, to_samples

_FIRST = 0.7
"""Strength where a second breath in begins: the sip then climbs steeper than the first, and tells itself apart."""

_LAST = 0.1
"""Strength where the last breath out ends when a tail follows: as steep as the breath itself, so no corner is heard."""

_LEAD = 0.5
"""Strength at the top of the preparation: a breath, but half of one, as it asks for nothing yet."""

_LEAD_RISE = 0.3
"""Share of the preparation in which it rises: it is a breath out, and most of it falls."""

_LEAD_REST = 0.25
"""Seconds of silence between the preparation and the first breath in: the turn of a breath."""

LEAST_LEAD = to_samples(1.0)
"""Samples of a preparation at least. In less than a second nobody lets go of a breath."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples ``[start, end)`` of strength ``begin + slope * x + bend * x²``, x from 0 to 1.

    ``fresh`` where a breath begins in silence.
    """

    start: int
    end: int
    begin: float
    slope: float
    bend: float = 0.0
    fresh: bool = False

    def strength(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Strength at these samples, 0 to 1."""
        x = self._share(frames)
        return self.begin + x * (self.slope + x * self.bend)

    def area(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds times strength from the start up to each of these samples: the integral."""
        x = self._share(frames)
        whole = (self.end - self.start) / RATE
        return whole * x * (self.begin + x * (self.slope / 2 + x * self.bend / 3))

    def _share(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        share: NDArray[np.float64] = (frames - self.start) / (self.end - self.start)
        return share


class Contour:
    """The strength of ``breath``, from ``lead`` samples before its first breath in until ``tail`` after its last out.

    0 to 1 while breathing in, steady while holding, back to 0 while breathing out, its corners on the very samples of
    ``timeline.breath.phases``. A lead of a second or more holds a preparation that falls to 0 before the first breath
    in. With a tail the last breath out does not stop but dies away.
    """

    def __init__(self, breath: Breath, lead: int = 0, tail: int = 0) -> None:
        self.pieces = tuple(_pieces(breath, lead, tail))
        self._ends = [piece.end for piece in self.pieces]

    @property
    def top(self) -> int:
        """Sample of the first breath's full strength."""
        return next(piece.end for piece in self.pieces if round(piece.begin + piece.slope, 6) == 1)

    @property
    def steepest(self) -> float:
        """Greatest change of strength in a second."""
        return max(abs(piece.slope) * RATE / (piece.end - piece.start) for piece in self.pieces)

    def within(self, start: int, frames: int) -> Iterator[tuple[int, Piece, NDArray[np.int64]]]:
        """Pieces that lie in ``[start, start + frames)``: each with its number, and its samples in there."""
        for number in range(bisect_right(self._ends, start), len(self.pieces)):
            piece = self.pieces[number]
            if piece.start >= start + frames:
                return
            yield number, piece, np.arange(max(start, piece.start), min(start + frames, piece.end))

    def strength(self, start: int, frames: int) -> NDArray[np.float64]:
        """Strength of samples ``[start, start + frames)``; 0 outside."""
        found = np.zeros(frames)
        for _, piece, at in self.within(start, frames):
            found[at[0] - start : at[-1] + 1 - start] = piece.strength(at)
        return found


def _pieces(breath: Breath, lead: int, tail: int) -> Iterator[Piece]:
    if lead >= LEAST_LEAD:
        top = round(_LEAD_RISE * lead)
        yield Piece(0, top, 0.0, _LEAD, fresh=True)
        yield Piece(top, lead - to_samples(_LEAD_REST), _LEAD, -_LEAD)
    first = _FIRST if breath.sip else 1.0
    course: dict[PhaseName, tuple[float, float]] = {
        "in": (0, first), "sip": (first, 1), "hold": (1, 1), "out": (1, 0), "rest": (0, 0),
    }  # fmt: skip
    last_out = length(breath)
    for phase in phases(breath):
        begin, end = course[phase.name]
        if phase.name == "out" and phase.cycle == breath.cycles - 1:
            last_out, end = phase.end, _LAST if tail else 0.0
        elif phase.name == "rest" and phase.cycle == breath.cycles - 1 and tail:
            continue  # the tail dies away in it
        yield Piece(lead + phase.start, lead + phase.end, begin, end - begin, fresh=phase.name == "in")
    if tail:
        yield Piece(lead + last_out, lead + last_out + tail, _LAST, -2 * _LAST, _LAST)
