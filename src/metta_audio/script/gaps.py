"""Silence that a script asks for without a number, and the bounds around a number it gives.

Every gap is elastic: pacing later chooses each length between its bounds. Here stand the defaults, once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from metta_audio.errors import Place
from metta_audio.script.model import BedChange, Bell, Breath, GapKind, Item, Line, Pause, SoundCue
from metta_audio.units import LONGEST, Seconds

Boundary = Literal["sentence", "paragraph"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Shortest, preferred and longest length of a gap, in seconds."""

    low: Seconds
    preferred: Seconds
    high: Seconds


def _bounds(low: float, preferred: float, high: float) -> Bounds:
    return Bounds(Seconds(low), Seconds(preferred), Seconds(high))


SENTENCE = _bounds(0.7, 1.0, 2.0)
"""Between two sentences. Guided recordings keep 0.8–1.2 s; under 0.7 s sentences run together, past 2 s one waits."""

PARAGRAPH = _bounds(1.5, 3.0, 6.0)
"""Between two paragraphs, or before another speaker: clearly more than a sentence; time to do what was said (3–5 s)."""

SECTION = _bounds(4.0, 6.0, 10.0)
"""After a section. Published practices leave 5–8 s; 4 s still reads as an ending, 10 s needs no word of warning."""

PAUSE = _bounds(3.0, 5.0, 10.0)
"""A bare ``[pause]``. 3 s is the least for an instruction, 5 s for an image, 8–10 s for a deep one."""

SILENCE = _bounds(15.0, 30.0, 60.0)
"""A bare ``[silence]``. Beginners are left unguided for at most 30 s; half and double as for any silence."""

STRETCH = 2.0
"""A pause of a stated length may be halved or doubled: within a factor of two it still feels like the same pause."""


def around(preferred: Seconds) -> Bounds:
    """Bounds around a stated length, half to double, no longer than any duration may be."""
    return _bounds(preferred / STRETCH, preferred, max(preferred, min(preferred * STRETCH, LONGEST)))


def between_bounds(low: Seconds, high: Seconds) -> Bounds:
    """Bounds without a stated preference: their geometric mean, because lengths are felt as ratios.

    >>> between_bounds(Seconds(4.0), Seconds(9.0)).preferred
    6.0
    """
    return _bounds(low, min(high, max(low, math.sqrt(low * high))), high)


def gap(kind: GapKind, bounds: Bounds, place: Place) -> Pause:
    """Make a gap of these bounds."""
    return Pause(bounds.low, bounds.preferred, bounds.high, kind, place)


def implied_gap(before: Item, after: Item, boundary: Boundary) -> Pause | None:
    """Return the gap that belongs between two neighbours in one section, where the script states none.

    ``boundary`` says what ended between them. A bed change is no neighbour; leave it out.

    - A gap that the author wrote is the only gap: nothing is added beside it.
    - Two lines: as long as what ended; another speaker counts as a paragraph.
    - A line beside a breath exercise or a sound: a paragraph, so that nobody speaks over the last out-breath.
    - A line before a bell: a paragraph, so that the strike does not startle. After a bell nothing: it rings out.
    """
    if isinstance(before, Pause) or isinstance(after, Pause):
        return None
    if isinstance(before, Line) and isinstance(after, Line):
        if boundary == "paragraph" or before.role != after.role:
            return gap("paragraph", PARAGRAPH, after.place)
        return gap("sentence", SENTENCE, after.place)
    if isinstance(before, Line) and isinstance(after, Bell | Breath | SoundCue):
        return gap("paragraph", PARAGRAPH, after.place)
    if isinstance(before, Breath | SoundCue) and isinstance(after, Line):
        return gap("paragraph", PARAGRAPH, after.place)
    return None


def with_implied_gaps(items: list[tuple[Item, Boundary]]) -> list[Item]:
    """Put the implied gaps between the items of one section. Each item comes with what ended before it."""
    spaced: list[Item] = []
    before: Item | None = None
    boundary: Boundary = "sentence"
    for item, ended in items:
        boundary = "paragraph" if "paragraph" in {boundary, ended} else "sentence"
        if isinstance(item, BedChange):
            spaced.append(item)
            continue
        if before is not None and (implied := implied_gap(before, item, boundary)) is not None:
            spaced.append(implied)
        spaced.append(item)
        before, boundary = item, "sentence"
    return spaced


def closing_gap(items: list[Item]) -> Pause | None:
    """Return the gap that sets a section apart from what follows, or from its own repeat; None where it has one."""
    last = next((item for item in reversed(items) if not isinstance(item, BedChange)), None)
    if last is None or isinstance(last, Pause):
        return None
    return gap("section", SECTION, last.place)
