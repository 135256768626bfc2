from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import metta_audio
from metta_audio.rendering.takes import Takes
from metta_audio.script.model import Span
from metta_audio.takes.lines import COUNTS, expected_words, key, sheet_lines

TEXTS = st.text(st.characters(categories=("L", "N", "P", "Z")), min_size=1, max_size=60).filter(
    lambda text: any(map(str.isalnum, text))
)


@given(TEXTS, st.sampled_from(["", " ", "…", ".", "! ", "\t", "— "]), st.sampled_from(["", "“", " ", "(", "– "]))
def test_white_space_and_punctuation_around_a_line_change_no_key(text, after, before):
    assert key(before + text + after) == key(text)


@given(st.lists(st.sampled_from(["may", "you", "rest", "now", "Karuna"]), min_size=1, max_size=8))
def test_case_and_inner_white_space_change_no_key(words):
    assert key("  ".join(words).upper()) == key(" ".join(words))


def test_what_is_said_differently_has_another_key():
    texts = ["May I rest.", "May you rest.", "May I rest now.", "May, I rest.", "12", "1 2"]
    assert len({key(text) for text in texts}) == len(texts)
    assert key("It’s “here”") == key('it\'s "here"')


@given(TEXTS, TEXTS)
def test_more_words_take_longer(one, two):
    assert expected_words(f"{one} {two}") > max(expected_words(one), expected_words(two)) > 0


def test_slow_words_take_longer_and_fast_ones_less():
    text = "Breathe in, and rest."
    plain = expected_words(text)
    assert expected_words(text, [Span(0, len(text), "slow")]) > plain > expected_words(text, [Span(0, 8, "fast")])


def test_each_line_stands_once_in_the_order_in_which_it_is_first_said(fill):
    takes = fill("# One\n\nBe here. Rest. Be here!\n\nSelf: be here.\n\n# Two\n\nRest. Go on.\n")
    assert [(line.number, line.text, line.section) for line in takes.lines] == [
        (1, "Be here.", "One"),
        (2, "Rest.", "One"),
        (3, "Go on.", "Two"),
    ]
    assert takes.lines[0].roles == ("guide", "self")


def test_the_same_parameters_give_the_same_numbers(home):
    for practice in ("metta-classic", "body-scan", "ifs-protector"):
        script = metta_audio.load(practice)
        first, second = (sheet_lines(metta_audio.fill(script, minutes=15, seed=3)) for _ in range(2))
        assert first == second
        assert len({line.key for line in first}) == len(first)


@pytest.mark.parametrize(("breath", "words"), [(None, 0), ("tone", 0), ("count", 8)])
def test_counted_breaths_are_read_too(fill, breath, words):
    takes = fill("# One\n\nBe here.\n\n[breath 4-4-6 x3]\n")
    counted = [line for line in Takes(takes.session, breath=breath).lines if line.section == COUNTS]
    assert len(counted) == words
    assert all(line.roles == ("counter",) for line in counted)


def test_signs_that_are_syllables_last_longer_than_letters():
    assert expected_words("愿我平安") > 1.5 * expected_words("rest")
