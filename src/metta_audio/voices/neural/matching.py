"""Which word is where among the phonemes: what word times of neural voices stand on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from metta_audio.speech.words import word_ranges
from metta_audio.voices.neural.reading import is_sound

_CLAUSE_END = re.compile(r"[,.;:!?…][^\w\s]*$")


def word_starts(text: str, phonemes: Sequence[str]) -> list[tuple[int, int]]:
    """``(offset of a word in text, index of its first phoneme)``, as far as that can be told.

    Phonemisers run some words together ("of the") and make several of others ("2026"): in each clause, as many letters
    as sounds are matched as can be. Of words run together the first is known.

    >>> word_starts("Of the two, one", list("ʌvðə tuː, wʌn"))
    [(0, 0), (7, 5), (12, 10)]
    """
    words = _clauses([(text[start:end], start) for start, end in word_ranges(text)])
    groups = _clauses(list(_groups(phonemes)))
    if len(words) != len(groups):
        words, groups = [list(itertools.chain(*words))], [list(itertools.chain(*groups))]
    pairs = itertools.chain.from_iterable(map(_matched, words, groups))
    return [(word[1], group[1]) for word, group in pairs]


def _groups(phonemes: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Phonemes between spaces, joined, with the index of the first; those without a sound are left out."""
    for space, group in itertools.groupby(enumerate(phonemes), key=_is_space):
        symbols = list(group)
        if not space and any(is_sound(symbol) for _, symbol in symbols):
            yield "".join(symbol for _, symbol in symbols), symbols[0][0]


def _is_space(numbered: tuple[int, str]) -> bool:
    return numbered[1] == " "


_Token = tuple[str, int]

_STEPS = ((1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (1, 4))
"""How many words may become how many groups of sounds: three at most are run together, and a number has up to four in
this account; longer ones shift their neighbours a little."""


_DIGIT = 6
"""Sounds that a digit stands for in a number read out, about."""


def _matched(words: Sequence[_Token], groups: Sequence[_Token]) -> list[tuple[_Token, _Token]]:
    """The first word and the first group of each match, by the least difference between letters and sounds."""
    if len(words) == len(groups):
        return list(zip(words, groups, strict=True))
    letters, sounds = _counts(words), _counts(groups)
    share = letters[-1] / max(sounds[-1], 1)
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for at in itertools.product(range(len(words) + 1), range(len(groups) + 1)):
        for step in _STEPS:
            before = (at[0] - step[0], at[1] - step[1])
            if before in best:
                written = letters[at[0]] - letters[before[0]]
                cost = best[before][0] + abs(written - share * (sounds[at[1]] - sounds[before[1]])) ** 2
                if at not in best or cost < best[at][0]:
                    best[at] = (cost, before)
    end = (len(words), len(groups))
    if end not in best:
        return [(words[0], groups[0])] if words and groups else []
    matches = []
    while end != (0, 0):
        end = best[end][1]
        matches.append((words[end[0]], groups[end[1]]))
    return matches[::-1]


def _counts(tokens: Sequence[_Token]) -> list[int]:
    """Letters, digits or sounds before each token, and in all."""
    weights = (sum(_DIGIT if each.isdigit() else is_sound(each) for each in text) for text, _ in tokens)
    return list(itertools.accumulate((weight or 1 for weight in weights), initial=0))


def _clauses(tokens: Sequence[_Token]) -> list[list[_Token]]:
    clauses: list[list[_Token]] = [[]]
    for token in tokens:
        clauses[-1].append(token)
        if _CLAUSE_END.search(token[0]):
            clauses.append([])
    return [clause for clause in clauses if clause]
