from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metta_audio.speech.words import speaking_time, word_ranges, words_at

texts = st.text(alphabet="ab é.,—-'’\n😀1", max_size=60)


def test_a_word_keeps_its_punctuation_and_a_dash_is_none():
    text = "“May all be well,” — he said. 😀"
    assert [text[start:end] for start, end in word_ranges(text)] == ["“May", "all", "be", "well,”", "he", "said."]


@given(texts)
def test_words_are_in_order_and_hold_every_letter(text):
    ranges = word_ranges(text)
    assert list(ranges) == sorted(ranges)
    assert all(not any(map(str.isspace, text[start:end])) for start, end in ranges)
    covered = {at for start, end in ranges for at in range(start, end)}
    assert all(at in covered for at, character in enumerate(text) if character.isalnum())


def test_a_rate_is_words_a_minute():
    assert speaking_time(110, 110) == 60
    assert speaking_time(11, 110) == 6


@given(texts, st.data(), st.integers(0, 100_000))
def test_onsets_never_fall_and_stay_inside(text, data, frames):
    ranges = word_ranges(text)
    numbers = st.integers(0, max(0, len(ranges) - 1))
    known = data.draw(st.dictionaries(numbers, st.integers(0, frames))) if ranges else {}
    words = words_at(text, known, frames)
    onsets = [word.onset for word in words]
    assert [(word.start, word.end) for word in words] == list(ranges)
    assert onsets == sorted(onsets)
    assert all(0 <= onset <= frames for onset in onsets)


def test_known_onsets_are_kept_and_the_others_set_by_characters():
    words = words_at("aaaa bbbb cccc dddd", {0: 0, 2: 1000}, 4000)
    assert [word.onset for word in words] == [0, 500, 1000, 2666]
