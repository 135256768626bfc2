"""Lines read by a woman's voice and compared with a man's, with the slips that order and length cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from readings import spoken

from metta_audio.sound.wave import Wave
from metta_audio.takes.hearing import Ear
from metta_audio.takes.lines import expected_words
from metta_audio.takes.match import match, of_known_lines
from metta_audio.takes.reading import SURE
from metta_audio.takes.split import Piece
from metta_audio.units import Samples

LINES = (
    "Welcome. However you are sitting is fine.",
    "Your eyes may be open, or they may be closed.",
    "Let the floor carry the weight of your feet.",
    "There may be a sound nearby, or there is none.",
    "Notice the air where it touches your upper lip.",
    "Breathe out, and let the next breath come by itself.",
    "May I be safe.",
    "May I be well.",
    "May I be at ease.",
    "I see you, and I am not in a hurry.",
    "Someone may come to mind who was kind to you.",
    "Perhaps you move your fingers and your toes.",
    "Thank you for spending this time here.",
)
OTHERS = (
    "The train to the coast leaves at half past nine.",
    "Please put the blue bottle back on the shelf.",
    "Nobody had told him about the broken window.",
    "She bought four apples and a loaf of bread.",
    "Our neighbours keep chickens behind the garage.",
    "It rained so hard that the match was called off.",
    "Turn left.",
    "Stop here.",
    "Mind the gap.",
    "This key opens the door of the cellar.",
    "A letter came for you while you were away.",
    "The museum is closed on Mondays in winter.",
    "He never learnt how to ride a bicycle.",
)
WORDS = [expected_words(line) for line in LINES]
RATE = 22_050
ROOM = 0.001


class Read:
    """A recording of ``plan``, in which each item is the number of a line, or of its half, such as 2.5."""

    def __init__(self, plan, lines=LINES, seed=0, changed=None):
        random = np.random.default_rng(seed)
        parts, self.pieces = [np.zeros(0)], []
        for item in plan:
            parts.append(np.zeros(round(random.uniform(1.5, 2.5) * RATE)))
            start = sum(map(len, parts))
            whole = spoken(lines[int(item)], "en-us+f3", float(random.choice([100.0, 106.0, 112.0]))).samples[:, 0]
            whole = (changed or {}).get(item, lambda sound: sound)(whole)
            parts.append(whole if item == int(item) else whole[: len(whole) // 2])
            self.pieces.append(Piece(Samples(start), Samples(start + len(parts[-1])), RATE, -20.0))
        heard = np.concatenate(parts)
        self.sound = heard + random.standard_normal(len(heard)) * ROOM

    def __call__(self, *, listen=True):
        ear = Ear(self.pieces, self.wave, [spoken(line) for line in LINES]) if listen else None
        return match(self.pieces, WORDS, ear)

    def wave(self, piece):
        return Wave.mono(self.sound[piece.start : piece.end], RATE)


def last_readings(plan):
    return {int(item): (at, at + 1) for at, item in enumerate(plan) if item == int(item)}


def certain(found):
    return {each.line: each.readings[-1] for each in found.matches if each.certainty >= SURE}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "plan",
    [
        range(13),
        [*range(4), *range(5, 13)],
        [0, 1, 2, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12],
        [0, 1, 2.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        [5, 6, 7, 8, 9, 10],
    ],
    ids=["whole", "one missing", "a repeat and an omission", "a false start", "the middle"],
)
def test_each_line_is_found_where_it_was_said(plan, seed):
    found = Read(plan, seed=seed)()
    wanted = last_readings(plan)
    sure = certain(found)
    assert {line: sure.get(line) for line in wanted} == wanted
    assert found.heard
    assert set(sure) == set(wanted)


def test_without_listening_a_repeat_and_an_omission_are_in_doubt():
    plan = [0, 1, 2, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]
    assert len(certain(Read(plan)(listen=False))) < len(last_readings(plan))


@pytest.mark.parametrize("seed", range(3))
def test_another_script_is_not_heard_as_this_one(seed):
    found = Read(range(13), OTHERS, seed)()
    assert found.heard is False
    assert found.elsewhere == ()


def test_lines_read_in_another_order_are_found_by_their_sound():
    plan = [*range(6, 13), *range(6)]
    found = Read(plan)()
    read = {each.line: each.readings[-1] for each in found.matches if each.readings}
    assert read.items() <= last_readings(plan).items()
    assert len(read) >= 11
    assert len(found.elsewhere) >= 5


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (lambda sound: sound[: round(0.72 * len(sound))], "no end"),
        (lambda sound: sound[round(0.3 * len(sound)) :], "no beginning"),
        (lambda sound: np.concatenate([sound[: len(sound) // 2], np.zeros(RATE // 4), sound]), "begun twice"),
    ],
    ids=["cut off", "begun too late", "begun twice"],
)
def test_a_line_that_is_not_whole_is_heard(change, flaw):
    cut = (1, 3, 5, 10, 11)
    found = Read(range(13), changed=dict.fromkeys(cut, change))()
    heard = {each.line: each.heard.flaw for each in found.matches}
    assert sum(heard[line] == flaw for line in cut) >= 4
    assert not any(heard[line] for line in range(13) if line not in cut)


def test_another_line_in_a_lines_place_is_heard():
    plan = [0, 1, 2, 3, 9, 5, 6, 7, 8, 4, 10, 11, 12]
    found = Read(plan)()
    read = {each.line: each.readings[-1] for each in found.matches if each.readings and not each.heard.other}
    assert read.items() <= last_readings(plan).items()
    assert len(read) >= 11


def test_sounds_of_known_lines_are_told_whatever_their_order():
    plan = [5, 1, 12, 0, 3, 2, 4]
    read = Read(plan)
    ear = Ear(read.pieces, read.wave, [spoken(line) for line in LINES])
    assert of_known_lines(read.pieces, WORDS, {0, 1, 2, 3}, ear) == {1, 3, 4, 5}
    assert of_known_lines(read.pieces, WORDS, set(), ear) == set()


def test_who_goes_back_two_lines_is_never_misheard():
    plan = [0, 1, 2, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12]
    wanted = last_readings(plan)
    sure = certain(Read(plan)())
    assert len(sure) >= 8
    assert {line: wanted[line] for line in sure} == sure


def test_a_few_lines_are_enough():
    for count in (1, 2):
        plan = list(range(count))
        read = Read(plan)
        found = match(read.pieces, WORDS[:count], Ear(read.pieces, read.wave, [spoken(line) for line in LINES[:count]]))
        assert found.heard
        assert certain(found) == last_readings(plan)
