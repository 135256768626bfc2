"""All ways to read the pieces of a recording as the lines of a sheet, how probable each is, and the best of them.

A person reads the lines in order. Now and then they leave one out, say one again, pause in the midst of one, cough, or
say "again". Each of these has a probability, and so has a length for its words; over all ways to read the pieces as
lines, the most probable is found, and each match is as sure as all ways together make it (forward and backward, as in
a hidden Markov model).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metta_audio.takes.split import Piece

Logs = NDArray[np.float64]
"""Logarithms of probabilities or densities."""

_SPREAD = 0.18
"""Standard deviation of the logarithm of a line's length against its words': one person, reading calmly."""

_SHORT_SPREAD = 0.35
"""As much again, divided by the words of a line: how "Rest." is drawn out is anybody's guess."""

_MISSED = math.log(0.02)
"""A line is left out: once on a page or two."""

_DOUBT_MISSED = math.log(0.05)
"""The same where it is asked how sure a match is: some people slip much more often, and who does is not known. A match
must be sure for them, too."""

_MISSED_MORE = math.log(0.6)
"""And so is the one after it: whoever skips, skips a paragraph."""

_UNREAD = math.log(0.2)
"""The recording begins later than the sheet, or ends before it; how many lines that is does not matter then."""

_UNREAD_MORE = math.log(0.97)
"""Per line that lies before the beginning, or after the end."""

_AGAIN = math.log(0.04)
"""A line is read once more."""

_DOUBT_AGAIN = math.log(0.1)
"""The same where it is asked how sure a match is."""

_NOISE = math.log(0.08)
"""A piece is no line: a cough, a chair, a false start."""

_NOISE_SECONDS, _NOISE_SPREAD = 0.6, 1.1
"""Such pieces last about so long, within a factor of nine either way: a tap, or half a line."""

_SOFT, _SOFTNESS = 12.0, 3.0
"""A piece so many dB under the usual one is hardly speech, less so with every so many more: a breath, a page turned."""

_MOST_PIECES = 10
"""Pieces that one line may have: commas in a long sentence, each with a breath."""

_LONGEST_PAUSE = 5.0
"""Seconds of silence that never lie within one line."""

_STEEP = 8.0
"""How sharply a pause within a line is told from one between two: at half or twice the limit, 1 : 256."""

_WITHIN = math.log(0.3)
"""A line goes on after a pause: most have none."""

_LIMITS = (0.6, 1.5)
"""Seconds between which that limit is sought, at half the usual pause between lines."""

_FAR = 4.0
"""Standard deviations beyond which a length is no line's: its sound need not be compared."""

_APART = -10.0
"""And so are pieces whose pauses make one line of them as improbable as this: two pauses between lines."""

_NEVER = -np.inf

Reading = tuple[int, int]
"""Pieces ``[first, after)`` that are one line, read once."""


@dataclass(frozen=True, slots=True)
class Slips:
    """Logs of how often a reader slips."""

    missed: float = _MISSED
    again: float = _AGAIN


USUAL = Slips()
DOUBTING = Slips(_DOUBT_MISSED, _DOUBT_AGAIN)


class Step(NamedTuple):
    """One reading: pieces ``[first, after)`` are ``line``."""

    line: int
    first: int
    after: int


class Ways:
    """All ways to read pieces as lines, for a speaker who takes ``per_word`` seconds for a word.

    Arrays over lines have one value more than there are lines: index ``j`` means that the last line read or missed is
    the ``j``-th, 0 that there was none. A noise never follows a missed line directly, as that would be the same as
    the other way round, counted twice.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        words: Sequence[float],
        per_word: float,
        heard: Mapping[Reading, Logs] | None = None,
        slips: Slips = USUAL,
    ) -> None:
        self.pieces, self.per_word, self._slips = pieces, per_word, slips
        self._heard = heard or {}
        self.words = np.asarray(words, np.float64)
        self.lines, self.count = len(words), len(pieces)
        self._expected = np.log(self.words * per_word)
        self._spread = np.sqrt(_SPREAD**2 + (_SHORT_SPREAD / self.words) ** 2)
        self._seconds = [max(piece.seconds, 1e-3) for piece in pieces]
        self._gaps = [_gap(first, second) for first, second in pairwise(pieces)]
        self._limit = _pause_limit(self._gaps, self.lines)
        # The upper quartile: of many breaths and few words, the words are louder.
        usual = float(np.percentile([piece.level for piece in pieces], 75))
        self._softness = [max(0.0, usual - _SOFT - piece.level) / _SOFTNESS for piece in pieces]

    def best(self) -> list[Step]:
        """``(line, first piece, after the last)`` of each reading, in order, on the most probable way."""
        read, missed = self._forward(np.maximum)
        at, line, reading = self.count, self.lines, bool(read[-1][-1] >= missed[-1][-1])
        path = []
        while at or line:
            if not reading:
                line = self._missed_from(read[at], at, line)
                reading = True
                continue
            step = self._step_to(read, missed, at, line)
            if step is None:
                at -= 1
                continue
            first, reading, again = step
            path.append(Step(line - 1, first, at))
            at, line = first, line if again else line - 1
        return path[::-1]

    def seconds(self, first: int, after: int) -> float:
        """How long the pieces ``[first, after)`` sound together, without the pauses between them."""
        return sum(self._seconds[first:after])

    def likelihood(self) -> float:
        """Log of the probability of what was recorded, over all ways."""
        read, missed = self._forward(np.logaddexp)
        return float(np.logaddexp(read[-1][-1], missed[-1][-1]))

    def plausible(self) -> dict[Reading, NDArray[np.bool_]]:
        """For every run of pieces that may be one line by its pauses: which lines it may be by its length."""
        found = {}
        for after in range(1, self.count + 1):
            for first in self._starts(after):
                lines = np.abs(self._off(first, after)) < _FAR
                if lines.any() and self._joined(first, after) > _APART:
                    found[first, after] = lines
        return found

    def _noise(self, piece: int) -> float:
        spread = math.log(self._seconds[piece] / _NOISE_SECONDS) / _NOISE_SPREAD
        return _NOISE - 0.5 * spread**2 - math.log(_NOISE_SPREAD)

    def _starts(self, after: int) -> Iterator[int]:
        """First pieces of what may be one line that ends before ``after``."""
        for first in range(after - 1, max(-1, after - 1 - _MOST_PIECES), -1):
            yield first
            if not first or self._gaps[first - 1] > _LONGEST_PAUSE:
                return

    def _fit(self, first: int, after: int) -> Logs:
        """Log density of the pieces ``[first, after)`` as a reading of each line."""
        fit: Logs = -0.5 * self._off(first, after) ** 2 - np.log(self._spread) + self._joined(first, after)
        heard = self._heard.get((first, after))
        return fit if heard is None else fit + heard

    def _off(self, first: int, after: int) -> Logs:
        """How far the length of these pieces is from each line's, in standard deviations."""
        off: Logs = (math.log(self.seconds(first, after)) - self._expected) / self._spread
        return off

    def _joined(self, first: int, after: int) -> float:
        """Log of the probability of the pauses in and before one line of these pieces, and of their levels."""
        pauses = sum(_WITHIN - _softplus(self._pause(gap)) for gap in self._gaps[first : after - 1])
        before = -_softplus(-self._pause(self._gaps[first - 1])) if first else 0.0
        return pauses + before - sum(self._softness[first:after])

    def _pause(self, gap: float) -> float:
        return _STEEP * math.log(max(gap, 1e-3) / self._limit)

    def _missing(self, at: int) -> tuple[Logs, float]:
        """After ``at`` pieces: the log probability that a run of missing lines opens after each line, and goes on."""
        opens = np.full(self.lines + 1, self._slips.missed)
        opens[0] = _UNREAD
        if at == self.count or (at > 0 and self.pieces[at - 1].recording != self.pieces[at].recording):
            return np.full(self.lines + 1, _UNREAD), _UNREAD_MORE
        return opens, _MISSED_MORE if at else _UNREAD_MORE

    def _missed(self, read: Logs, at: int, plus: Any) -> Logs:
        opens, more = self._missing(at)
        number = np.arange(self.lines + 1)
        missed = np.full(self.lines + 1, _NEVER)
        missed[1:] = plus.accumulate((read + opens - more * (number + 1))[:-1]) + more * number[1:]
        return missed

    def _forward(self, plus: Any) -> tuple[list[Logs], list[Logs]]:
        """For each count of pieces, all ways that end with a line read (or a noise after it), and with one missed.

        ``plus`` is ``logaddexp`` for the sum of all ways, or ``maximum`` for the best.
        """
        start = np.full(self.lines + 1, _NEVER)
        start[0] = 0.0
        read, missed = [start], [self._missed(start, 0, plus)]
        for after in range(1, self.count + 1):
            now = read[-1] + self._noise(after - 1)
            for first in self._starts(after):
                fit = self._fit(first, after)
                now[1:] = plus(now[1:], plus(read[first], missed[first])[:-1] + fit)
                now[1:] = plus(now[1:], read[first][1:] + fit + self._slips.again)
            read.append(now)
            missed.append(self._missed(now, after, plus))
        return read, missed

    def _backward(self) -> Logs:
        """For each count of pieces and each line just read, all ways on to the end that never read it again."""
        shape = (self.count + 1, self.lines + 1)
        read, last, missed = np.full(shape, _NEVER), np.full(shape, _NEVER), np.full(shape, _NEVER)
        number = np.arange(self.lines + 1)
        for at in range(self.count, -1, -1):
            if at == self.count:
                read[at][-1] = last[at][-1] = missed[at][-1] = 0.0
            else:
                read[at] = read[at + 1] + self._noise(at)
                last[at] = last[at + 1] + self._noise(at)
            for after in self._ends(at):
                onward = self._fit(at, after) + read[after][1:]
                missed[at][:-1] = np.logaddexp(missed[at][:-1], onward)
                read[at][1:] = np.logaddexp(read[at][1:], onward + self._slips.again)
            opens, more = self._missing(at)
            runs = np.logaddexp.accumulate((missed[at] + more * number)[::-1])[::-1]
            # On to the next line, or over some that are missing.
            on = np.logaddexp(missed[at][:-1], opens[:-1] + runs[1:] - more * number[1:])
            read[at][:-1] = np.logaddexp(read[at][:-1], on)
            last[at][:-1] = np.logaddexp(last[at][:-1], on)
        return last

    def _ends(self, first: int) -> Iterator[int]:
        """Pieces after the last of what may be one line that begins with ``first``."""
        for after in range(first + 1, min(self.count, first + _MOST_PIECES) + 1):
            if after - 1 > first and self._gaps[after - 2] > _LONGEST_PAUSE:
                return
            yield after

    def certainties(self, path: list[Step]) -> list[float]:
        """Share of all ways that read these pieces as this line, and never again, for each reading on ``path``."""
        read, missed = self._forward(np.logaddexp)
        onward = self._backward()
        whole = np.logaddexp(read[-1][-1], missed[-1][-1])
        certain = []
        for line, first, after in path:
            new = np.logaddexp(read[first][line], missed[first][line])
            again = read[first][line + 1] + self._slips.again
            way = np.logaddexp(new, again) + self._fit(first, after)[line] + onward[after][line + 1] - whole
            certain.append(float(np.clip(np.exp(way), 0.0, 1.0)))
        return certain

    def _missed_from(self, read: Logs, at: int, line: int) -> int:
        """The line after which the run of missing lines opened that ends with ``line``."""
        opens, more = self._missing(at)
        return int(np.argmax(read[:line] + opens[:line] - more * (np.arange(line) + 1)))

    def _step_to(self, read: list[Logs], missed: list[Logs], at: int, line: int) -> tuple[int, bool, bool] | None:
        """The best last step to ``line`` read after ``at`` pieces; None for a noise.

        As the first piece of the reading, whether it comes from a line read, and whether from this one.
        """
        best = read[at - 1][line] + self._noise(at - 1)
        found: tuple[int, bool, bool] | None = None
        for first in self._starts(at) if line else ():
            fit = self._fit(first, at)[line - 1]
            ways = (
                (read[first][line - 1] + fit, (first, True, False)),
                (missed[first][line - 1] + fit, (first, False, False)),
                (read[first][line] + fit + self._slips.again, (first, True, True)),
            )
            for way, step in ways:
                if way > best:
                    best, found = way, step
        return found


def _gap(first: Piece, second: Piece) -> float:
    """Seconds of silence between two pieces; endless between two recordings."""
    if first.recording != second.recording:
        return math.inf
    return (second.start - first.end) / first.rate


def _pause_limit(gaps: Sequence[float], lines: int) -> float:
    """The pause that may as well lie within a line as between two: half of what usually lies between two."""
    longest = sorted(filter(math.isfinite, gaps), reverse=True)[: max(1, lines - 1)]
    usual = float(np.median(longest)) if longest else 2.0
    return float(np.clip(usual / 2, *_LIMITS))


def _softplus(value: float) -> float:
    return value if value > 50 else math.log1p(math.exp(value))
