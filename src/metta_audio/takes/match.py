"""Which piece of a recording is which line: by order, by length, and by sound, with how sure that is."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metta_audio.takes.hearing import Apart, Ear, Impression
from metta_audio.takes.split import Piece
from metta_audio.takes.ways import DOUBTING, Reading, Step, Ways
from metta_audio.units import WordsPerMinute

_RATES = (60.0, 220.0)
"""Words of average length a minute that people read at, slowly and in haste."""

_RATE, _RATE_SPREAD = 120.0, 0.35
"""What is expected before anything is measured, and the spread of its logarithm."""

_RATE_STEPS = 12
"""Rates that are tried: 11 % apart, half the spread of a line's length."""

_ROUNDS = 2
"""How often the pieces are matched anew by what the last match taught about the voice: then nothing changes."""


NOTHING = Impression()
"""Where nothing was listened to."""


@dataclass(frozen=True, slots=True)
class Match:
    """What was found of one line: its ``readings`` in order, of which the last counts; none where it is missing.

    ``seconds`` are of the last one without its pauses, ``expected`` by the speaker's own rate; ``certainty`` runs from
    0 to 1. ``heard`` is what the last one sounds like.
    """

    line: int
    expected: float
    readings: tuple[Reading, ...] = ()
    seconds: float = 0.0
    certainty: float = 0.0
    heard: Impression = NOTHING


@dataclass(frozen=True, slots=True)
class Matched:
    """A match for each line, the pieces that are none, and the speaker's rate in words of average length.

    ``heard`` says whether the pieces sound like the lines; None where nothing was listened to. ``elsewhere`` are lines
    that were read in another place than the order says, and found by their sound alone.
    """

    matches: tuple[Match, ...]
    left_out: tuple[int, ...]
    rate: WordsPerMinute
    heard: bool | None = None
    elsewhere: tuple[int, ...] = ()

    @property
    def smooth(self) -> bool:
        """Whether nothing seems amiss: each line was read once, each piece is part of one."""
        return not self.left_out and all(len(each.readings) == 1 for each in self.matches)


def match(pieces: Sequence[Piece], words: Sequence[float], ear: Ear | None = None, pace: float = 0.0) -> Matched:
    """Say which of ``pieces`` is which line; ``words`` tells each line's length (``lines.expected_words``).

    ``ear`` compares their sound; without it, order and length alone decide. ``pace`` is what this person usually takes
    for a word, in seconds; 0 where unknown. The same pieces give the same answer.
    """
    if not pieces or not words:
        return Matched(tuple(Match(line, 0.0) for line in range(len(words))), tuple(range(len(pieces))), _as_rate(0.5))
    per_word = pace or _pace(pieces, words)
    if ear is None:
        return _matched(Ways(pieces, words, per_word), Ways(pieces, words, per_word, slips=DOUBTING))
    apart = ear.distances(Ways(pieces, words, per_word).plausible())
    for _ in range(_ROUNDS):
        ways = Ways(pieces, words, per_word, apart.evidence())
        apart, per_word = apart.learnt(ways.best()), _measured(ways)
    heard = apart.evidence() if apart.tells else {}
    ways = Ways(pieces, words, per_word, heard)
    found = _matched(ways, Ways(pieces, words, per_word, heard, DOUBTING))
    return _listened(found, ways, apart, ear) if apart.tells else replace(found, heard=False)


def _listened(found: Matched, ways: Ways, apart: Apart, ear: Ear) -> Matched:
    """With lines that were read in another place, and with what each reading sounds like."""
    missing = [each.line for each in found.matches if not each.readings]
    elsewhere = apart.elsewhere(set(found.left_out), missing)

    def listened(each: Match) -> Match:
        step = elsewhere.get(each.line)
        if step is not None:
            run = (step.first, step.after)
            each = replace(each, readings=(run,), seconds=ways.seconds(*run), certainty=1.0)
        if not each.readings:
            return each
        return replace(each, heard=ear.impression(apart, Step(each.line, *each.readings[-1])))

    taken = {piece for step in elsewhere.values() for piece in range(step.first, step.after)}
    left = tuple(piece for piece in found.left_out if piece not in taken)
    return replace(
        found,
        matches=tuple(map(listened, found.matches)),
        left_out=left,
        heard=True,
        elsewhere=tuple(sorted(elsewhere)),
    )


def of_known_lines(
    pieces: Sequence[Piece], words: Sequence[float], known: Collection[int], ear: Ear, pace: float = 0.0
) -> set[int]:
    """Which of ``pieces`` are readings of ``known`` lines, by their sound alone: whatever the order."""
    if not pieces or not known:
        return set()
    return ear.distances(Ways(pieces, words, pace or _pace(pieces, words)).plausible()).known(known)


def _pace(pieces: Sequence[Piece], words: Sequence[float]) -> float:
    """Seconds a word, were the pieces these lines in this order."""
    tried = np.geomspace(60 / _RATES[1], 60 / _RATES[0], _RATE_STEPS)
    per_word = float(max(tried, key=lambda scale: _likelihood(Ways(pieces, words, float(scale)))))
    # Once by all matches of the best rate tried, once by all of that.
    for _ in range(2):
        per_word = _measured(Ways(pieces, words, per_word))
    return per_word


def _as_rate(per_word: float) -> WordsPerMinute:
    return WordsPerMinute(60 / per_word)


def _likelihood(ways: Ways) -> float:
    """Log of the probability of what was recorded, were this the speaker's rate."""
    prior = -0.5 * (math.log(_as_rate(ways.per_word) / _RATE) / _RATE_SPREAD) ** 2
    return ways.likelihood() + prior


def _measured(ways: Ways) -> float:
    """Seconds a word, as the most probable way has it; each line weighs as much as it has words."""
    path = ways.best()
    if not path:
        return ways.per_word
    found = sorted(
        (ways.seconds(step.first, step.after) / ways.words[step.line], ways.words[step.line]) for step in path
    )
    middle = np.cumsum([weight for _, weight in found])
    median = found[int(np.searchsorted(middle, middle[-1] / 2))][0]
    return float(np.clip(median, 60 / _RATES[1] / 2, 60 / _RATES[0] * 2))


def _matched(ways: Ways, doubting: Ways) -> Matched:
    """The most probable of ``ways``, and how sure ``doubting`` is of each match."""
    path = ways.best()
    readings: dict[int, list[Step]] = {}
    sure: dict[int, float] = {}
    for step, certainty in zip(path, doubting.certainties(path), strict=True):
        readings.setdefault(step.line, []).append(step)
        sure[step.line] = certainty
    matches = []
    for line, words in enumerate(ways.words):
        taken = tuple((step.first, step.after) for step in readings.get(line, ()))
        seconds = ways.seconds(*taken[-1]) if taken else 0.0
        matches.append(Match(line, float(words * ways.per_word), taken, seconds, sure.get(line, 0.0)))
    used = {piece for step in path for piece in range(step.first, step.after)}
    left = tuple(number for number in range(len(ways.pieces)) if number not in used)
    return Matched(tuple(matches), left, _as_rate(ways.per_word))
