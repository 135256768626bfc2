"""What the sound of a recording's pieces says about which lines they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Wave
from metta_audio.takes.likeness import WARPS, Shapes, bands, distances, shapes, spectra
from metta_audio.takes.split import Piece
from metta_audio.takes.ways import Logs, Reading, Step

Plausible = Mapping[Reading, NDArray[np.bool_]]
"""Runs of pieces, and which lines each may be."""

_SAMPLE = 12
"""Pieces by which the length of the reader's throat is judged: with as few, all of ten recordings got the same as with
all of their pieces, or a step next to it."""

_BATCH = 64
"""Sounds compared at a time: 7 MB."""

_OTHER, _OTHER_SPREAD = 0.72, 0.045
"""Distances of lines to what is no reading of theirs, before any are known: 0.68 to 0.75 were measured, and 0.039 to
0.052 as their spread."""

_PAIRS = 30
"""As many distances as which these count."""

_OWN, _OWN_SPREAD = 4.0, 0.9
"""Spreads by which a line is nearer to its own reading, and the spread of that as a share of the others', before any is
known: measured 4.6 to 6.4 with four voices, in a quiet room and with noise 20 dB below the voice, and 0.7 to 1.1."""

_MIDDLES, _SPREADS = 2, 8
"""As many readings as which these count: a middle is settled sooner than a spread."""

_NARROW, _WIDE = 0.4, 1.2
"""Limits of that share: whatever a few readings happen to be."""

_TELLS = 3.0
"""Spreads between own readings and others under which sound tells nothing. With another script, what is taken for a
reading of a line is nearer by 1.0 to 2.4."""

_SHORT = 12
"""Frames of a line whose distances spread more by four tenths: less is said by which to tell it."""

_UTMOST = 8.0
"""Logs that are believed at most either way, one in 3,000: somebody mispronounces a word, a door falls shut."""

_UNHEARD = -4.0
"""What counts for lines that were not compared, as their length is not that of the sound."""

_PARTS = (0.65, 0.75, 0.85)
"""Shares of a line that somebody may have said of it, or that is left of a sound without a false start."""

_SOFT = 0.92
"""And the share that is heard of a whole line whose last consonant is lost in the room."""

_NEARER = 0.02
"""By how much less a sound is apart from a part of its line than from the whole, to be taken for the part. Of 156 lines
that were cut by 15 to 35 % or begun twice, 9 were still called good; of 308 read as they stand, one was called cut."""

_MORE_LIKE = 0.3
"""Spreads by which a reading is nearer to another line than to its own, to be in doubt. Ten readings of other lines
were nearer by 0.9 to 1.8; of 315 right ones, one in 200 had another line within 0.4."""

_CLEAR = 1.0
"""Spreads by which it is nearer to its own than to any other, to be so beyond doubt: of 315 right readings, nine in ten
are."""

_LIKE = 6.0
"""Logs from which a sound is said to be like a line: one in 400 of other sounds is by chance."""


_NORMAL = 1.4826
"""Standard deviation of a normal distribution by its median deviation."""

Flaw = Literal["", "no beginning", "no end", "begun twice"]
"""What a reading sounds as if it had."""


@dataclass(frozen=True, slots=True)
class Impression:
    """What a reading sounds like: clearly like its line, or more like an ``other``; and what is wrong with it."""

    clear: bool = False
    other: bool = False
    flaw: Flaw = ""


@dataclass(frozen=True, slots=True)
class Apart:
    """How far pieces are from lines; NaN where that was not asked.

    ``frames`` are the lines' lengths. ``own`` and ``own_spread`` are of the distances of lines to their own readings,
    ``other`` and ``other_spread`` to what is no reading of theirs.
    """

    distances: Mapping[Reading, Logs]
    frames: NDArray[np.int64]
    own: float
    own_spread: float
    other: float
    other_spread: float

    @classmethod
    def of(cls, distances: Mapping[Reading, Logs], frames: NDArray[np.int64]) -> Apart:
        """Before any reading is known."""
        every = np.concatenate([each[np.isfinite(each)] for each in distances.values()] or [np.zeros(0)])
        middle = float(np.median(every)) if len(every) else 0.0
        # By the farther half: among the nearer are the lines themselves.
        scatter = _NORMAL * float(np.median(every[every >= middle] - middle)) if len(every) else 0.0
        other = _weighed(len(every), middle, _PAIRS, _OTHER)
        spread = _weighed(len(every), scatter, _PAIRS, _OTHER_SPREAD)
        return cls(distances, frames, other - _OWN * spread, _OWN_SPREAD * spread, other, spread)

    @property
    def tells(self) -> bool:
        """Whether sound tells these lines apart: whether they were read, by a voice that can be heard."""
        return (self.other - self.own) / self.other_spread > _TELLS

    def evidence(self) -> dict[Reading, Logs]:
        """How much more probable it is that each run of pieces sounds as it does if it is that line, as a logarithm."""
        return {run: self.evidence_of(run) for run in self.distances}

    def evidence_of(self, run: Reading) -> Logs:
        """The same for one run of pieces."""
        apart, wider = self.distances[run], np.sqrt(1 + _SHORT / self.frames)
        # Nearer than usual is not less like.
        own = np.maximum(0, apart - self.own) / (self.own_spread * wider)
        other = (apart - self.other) / (self.other_spread * wider)
        more = 0.5 * (other**2 - own**2) + math.log(self.other_spread / self.own_spread)
        return np.nan_to_num(np.clip(more, -_UTMOST, _UTMOST), nan=_UNHEARD)

    def learnt(self, path: Iterable[Step]) -> Apart:
        """With the distances of own readings as they are on ``path``."""
        compared = (
            self.distances[first, after][line] for line, first, after in path if (first, after) in self.distances
        )
        near = np.array([apart for apart in compared if np.isfinite(apart)])
        middle = float(np.median(near)) if len(near) else 0.0
        scatter = _NORMAL * float(np.median(np.abs(near - middle))) if len(near) else 0.0
        own = _weighed(len(near), middle, _MIDDLES, self.other - _OWN * self.other_spread)
        spread = _weighed(len(near), scatter, _SPREADS, _OWN_SPREAD * self.other_spread)
        return replace(
            self, own=own, own_spread=float(np.clip(spread, _NARROW * self.other_spread, _WIDE * self.other_spread))
        )

    def margin(self, step: Step) -> float:
        """Spreads by which the reading ``step`` is nearer to its own line than to any other; 0 where unknown."""
        apart = self.distances.get((step.first, step.after))
        if apart is None or np.isnan(apart[step.line]):
            return 0.0
        others = np.delete(apart, step.line)
        nearest = float(np.nanmin(others)) if np.isfinite(others).any() else self.other
        return (nearest - float(apart[step.line])) / self.other_spread

    def clear(self, step: Step) -> bool:
        """Whether the reading ``step`` sounds like its line, and like no other."""
        run = (step.first, step.after)
        return self.margin(step) > _CLEAR and bool(self.evidence_of(run)[step.line] > _LIKE)

    def known(self, lines: Collection[int]) -> set[int]:
        """Pieces that sound like one of ``lines``, and less like any other: the likest runs of pieces first."""
        runs = []
        for run, apart in self.distances.items():
            line = int(np.nanargmin(apart))
            if line in lines and self.evidence_of(run)[line] > 0:
                runs.append((float(apart[line]), Step(line, *run)))
        return {piece for step in _disjoint(runs) for piece in range(step.first, step.after)}

    def elsewhere(self, pieces: Set[int], lines: Collection[int]) -> dict[int, Step]:
        """Clear readings of ``lines`` among ``pieces``, wherever they stand; of each line the last."""
        runs = []
        for (first, after), apart in self.distances.items():
            step = Step(int(np.nanargmin(apart)), first, after)
            if step.line in lines and pieces >= set(range(first, after)) and self.clear(step):
                runs.append((float(apart[step.line]), step))
        return {step.line: step for step in sorted(_disjoint(runs), key=lambda step: step.first)}


def _disjoint(runs: Iterable[tuple[float, Step]]) -> list[Step]:
    """The likest of ``runs``, which come with how far they are from their lines; none shares a piece with another."""
    taken, found = set[int](), []
    for _, step in sorted(runs):
        pieces = set(range(step.first, step.after))
        if not pieces & taken:
            taken |= pieces
            found.append(step)
    return found


def _share(sound: Shapes, part: float) -> int:
    return max(1, round(part * len(sound)))


def _weighed(count: int, measured: float, before: int, expected: float) -> float:
    """The mean of what was measured ``count`` times and what was expected as if by ``before`` measurements."""
    return (count * measured + before * expected) / (count + before)


class Ear:
    """Compares pieces with lines.

    ``sound`` gives a piece as a mono wave, ``said`` is each line by a synthetic voice.
    """

    def __init__(self, pieces: Sequence[Piece], sound: Callable[[Piece], Wave], said: Sequence[Wave]) -> None:
        self._pieces, self._sound = pieces, sound
        self._lines = shapes([bands(spectra(wave)) for wave in said])
        self._heard: list[Shapes] = []

    def distances(self, plausible: Plausible) -> Apart:
        """How far each run of pieces is from each line that it may be."""
        warp = self._warp(plausible)
        self._heard = shapes([bands(spectra(self._sound(piece)), warp) for piece in self._pieces])
        return Apart.of(self._apart(plausible, self._heard), np.array([len(line) for line in self._lines]))

    def impression(self, apart: Apart, step: Step) -> Impression:
        """What the reading ``step`` sounds like, after all ``distances``: by then it is settled which line it is."""
        line, heard = self._lines[step.line], np.concatenate(self._heard[step.first : step.after])
        entire = (line, line[: _share(line, _SOFT)], line[-_share(line, _SOFT) :])
        whole = min(float(distances(each, [heard])[0]) for each in entire)
        flaws: dict[Flaw, float] = {
            "no end": min(distances(line[: _share(line, part)], [heard])[0] for part in _PARTS),
            "no beginning": min(distances(line[-_share(line, part) :], [heard])[0] for part in _PARTS),
            "begun twice": float(distances(line, [heard[-_share(heard, part) :] for part in _PARTS]).min()),
        }
        flaw = min(flaws, key=lambda each: flaws[each])
        flawed = flaws[flaw] < whole - _NEARER * math.sqrt(1 + _SHORT / len(line))
        return Impression(apart.clear(step), apart.margin(step) < -_MORE_LIKE, flaw if flawed else "")

    def _warp(self, plausible: Plausible) -> float:
        """The warp under which pieces are nearest to the nearest line: with it, one of them is what was said."""
        single = [reading for reading in plausible if reading[1] == reading[0] + 1]
        sample = single[:: max(1, len(single) // _SAMPLE)]
        asked = {(at, at + 1): plausible[reading] for at, reading in enumerate(sample)}
        sounds = [spectra(self._sound(self._pieces[first])) for first, _ in sample]

        def clear(warp: float) -> float:
            apart = self._apart(asked, shapes([bands(sound, warp) for sound in sounds]))
            return float(np.mean([np.nanmean(each) - np.nanmin(each) for each in apart.values()]))

        return max(WARPS, key=clear) if sample else 1.0

    def _apart(self, plausible: Plausible, heard: Sequence[Shapes]) -> dict[Reading, Logs]:
        found = {reading: np.full(len(self._lines), np.nan) for reading in plausible}
        for number, line in enumerate(self._lines):
            asked = [reading for reading, lines in plausible.items() if lines[number]]
            for at in range(0, len(asked), _BATCH):
                batch = asked[at : at + _BATCH]
                far = distances(line, [np.concatenate(heard[first:after]) for first, after in batch])
                for reading, value in zip(batch, far, strict=True):
                    found[reading][number] = value
        return found
