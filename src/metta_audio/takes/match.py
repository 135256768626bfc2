"""Which piece of a recording is which line: by order, by length, and by sound, with how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from metta_audio.takes.hearing import Ear
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


@dataclass(frozen=True, slots=True)
class Match:
    """What was found of one line: its ``readings`` in order, of which the last counts; none where it is missing.

    ``seconds`` are of the last one without its pauses, ``expected`` by the speaker's own rate; ``certainty`` runs from
    0 to 1.
    """

    line: int
    expected: float
    readings: tuple[Reading, ...] = ()
    seconds: float = 0.0
    certainty: float = 0.0


@dataclass(frozen=True, slots=True)
class Matched:
    """A match for each line, the pieces that are none, and the speaker's rate in words of average length.

    ``heard`` says whether the pieces sound like the lines; None where nothing was listened to. ``elsewhere`` tells of
    pieces left out which line they sound like, of those that are missing.
    """

    matches: tuple[Match, ...]
    left_out: tuple[int, ...]
    rate: WordsPerMinute
    heard: bool | None = None
    elsewhere: Mapping[int, int] = field(default_factory=dict)

    @property
    def smooth(self) -> bool:
        """Whether nothing seems amiss: each line was read once, each piece is part of one."""
        return not self.left_out and all(len(each.readings) == 1 for each in self.matches)


def match(pieces: Sequence[Piece], words: Sequence[float], ear: Ear | None = None) -> Matched:
    """Say which of ``pieces`` is which line; ``words`` tells each line's length (``lines.expected_words``).

    ``ear`` compares their sound; without it, order and length alone decide. The same pieces give the same answer.
    """
    if not pieces or not words:
        return Matched(tuple(Match(line, 0.0) for line in range(len(words))), tuple(range(len(pieces))), _as_rate(0.5))
    tried = np.geomspace(60 / _RATES[1], 60 / _RATES[0], _RATE_STEPS)
    per_word = float(max(tried, key=lambda scale: _likelihood(Ways(pieces, words, float(scale)))))
    # Once by all matches of the best rate tried, once by all of that.
    for _ in range(2):
        per_word = _measured(Ways(pieces, words, per_word))
    if ear is None:
        return _matched(Ways(pieces, words, per_word), Ways(pieces, words, per_word, slips=DOUBTING))
    apart = ear.distances(Ways(pieces, words, per_word).plausible())
    for _ in range(_ROUNDS):
        ways = Ways(pieces, words, per_word, apart.evidence())
        apart, per_word = apart.learnt(ways.best()), _measured(ways)
    heard = apart.evidence() if apart.tells else {}
    found = _matched(Ways(pieces, words, per_word, heard), Ways(pieces, words, per_word, heard, DOUBTING))
    missing = [each.line for each in found.matches if not each.readings]
    elsewhere = apart.elsewhere(found.left_out, missing) if apart.tells else {}
    return replace(found, heard=apart.tells, elsewhere=elsewhere)


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
