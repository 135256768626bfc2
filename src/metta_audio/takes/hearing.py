"""What the sound of a recording's pieces says about which lines they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Wave
from metta_audio.takes.likeness import WARPS, Shapes, bands, distances, shapes
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

_LIKE = 6.0
"""Logs from which a sound is said to be like a line: one in 400 of other sounds is by chance."""


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
        wider = np.sqrt(1 + _SHORT / self.frames)
        found = {}
        for reading, apart in self.distances.items():
            # Nearer than usual is not less like.
            own = np.maximum(0, apart - self.own) / (self.own_spread * wider)
            other = (apart - self.other) / (self.other_spread * wider)
            more = 0.5 * (other**2 - own**2) + math.log(self.other_spread / self.own_spread)
            found[reading] = np.nan_to_num(np.clip(more, -_UTMOST, _UTMOST), nan=_UNHEARD)
        return found

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

    def elsewhere(self, pieces: Iterable[int], lines: Collection[int]) -> dict[int, int]:
        """Which of ``pieces``, each by itself, sounds like one of ``lines``: the number of the likest."""
        evidence, found = self.evidence(), {}
        for piece in pieces:
            heard = evidence.get((piece, piece + 1))
            line = max(lines, key=lambda line: heard[line]) if heard is not None and lines else None
            if heard is not None and line is not None and heard[line] > _LIKE:
                found[piece] = line
        return found


_NORMAL = 1.4826
"""Standard deviation of a normal distribution by its median deviation."""


def _weighed(count: int, measured: float, before: int, expected: float) -> float:
    """The mean of what was measured ``count`` times and what was expected as if by ``before`` measurements."""
    return (count * measured + before * expected) / (count + before)


class Ear:
    """Compares pieces with lines.

    ``sound`` gives a piece as a mono wave, ``said`` is each line by a synthetic voice.
    """

    def __init__(self, pieces: Sequence[Piece], sound: Callable[[Piece], Wave], said: Sequence[Wave]) -> None:
        self._pieces, self._sound = pieces, sound
        self._lines = shapes([bands(wave) for wave in said])

    def distances(self, plausible: Plausible) -> Apart:
        """How far each run of pieces is from each line that it may be."""
        warp = self._warp(plausible)
        heard = shapes([bands(self._sound(piece), warp) for piece in self._pieces])
        return Apart.of(self._apart(plausible, heard), np.array([len(line) for line in self._lines]))

    def _warp(self, plausible: Plausible) -> float:
        """The warp under which pieces are nearest to the nearest line: with it, one of them is what was said."""
        single = [reading for reading in plausible if reading[1] == reading[0] + 1]
        sample = single[:: max(1, len(single) // _SAMPLE)]
        asked = {(at, at + 1): plausible[reading] for at, reading in enumerate(sample)}
        waves = [self._sound(self._pieces[first]) for first, _ in sample]

        def clear(warp: float) -> float:
            apart = self._apart(asked, shapes([bands(wave, warp) for wave in waves]))
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
