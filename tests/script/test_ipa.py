"""IPA: every sign of it passes, every other is named with its place and with what was meant."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.script.ipa import _CONSONANTS, _MARKS, _MEANT, _OVER_AND_UNDER, _VOWELS, bad_symbol

SOUNDS = sorted(_CONSONANTS | _VOWELS)


@pytest.mark.parametrize(
    "ipa", ["ˈmɛtɑː", "t͡ʃiː", "ˈvɪʃʷə", "ç", "ɛ̃", "kʰa", "ˌnɑːt ˈhɑːn", "n̩", "ˈa.i", "ʔ", "˥˩ma", "d͜ʒ", "aɪ̯", "ɚ"]
)
def test_ipa_of_many_languages_passes(ipa: str) -> None:
    for form in ("NFC", "NFD"):
        assert bad_symbol(unicodedata.normalize(form, ipa)) is None


@given(st.text(st.sampled_from([*SOUNDS, *_MARKS, *_OVER_AND_UNDER]), min_size=1), st.sampled_from(SOUNDS))
def test_anything_made_of_its_signs_passes(ipa: str, sound: str) -> None:
    assert bad_symbol(sound + ipa) is None


@pytest.mark.parametrize(
    ("ipa", "index", "meant"),
    [
        ("'mɛtə", 0, "ˈ"),
        ("ˈmɛtɑ:", 5, "ː"),
        ("ɡəgə", 2, "ɡ"),
        ("mEtə", 1, "ɛ"),
        ("ʃɪ@", 2, "ə"),
        ("ʧi", 0, "tʃ"),
        ("mаma", 1, "a"),  # the second letter is Cyrillic
        ("ə,na", 1, "ˌ"),
    ],
)
def test_a_bad_symbol_is_named_with_what_was_meant(ipa: str, index: int, meant: str) -> None:
    bad = bad_symbol(ipa)
    assert bad is not None
    assert (bad.index, bad.what) == (index, f'"{ipa[index]}" is no IPA symbol')
    assert bad.hint == f'did you mean "{meant}"?'


@pytest.mark.parametrize("ipa", ["", " ", "ˈ", "ː.", "ˈ ˌ"])
def test_ipa_needs_a_sound(ipa: str) -> None:
    bad = bad_symbol(ipa)
    assert bad is not None
    assert bad.what == "this IPA holds no sound"


@pytest.mark.parametrize("ipa", ["/mɛtə/", "[mɛtə]"])
def test_nothing_stands_around_it(ipa: str) -> None:
    bad = bad_symbol(ipa)
    assert bad is not None
    assert "leave out the / and [ ]" in bad.hint


def test_a_mark_needs_something_to_stand_over() -> None:
    bad = bad_symbol("\u0303a")
    assert bad is not None
    assert bad.what == "a mark stands over nothing"


def test_what_no_terminal_shows_is_numbered() -> None:
    bad = bad_symbol("mɛ\u200btə")
    assert bad is not None
    assert "U+200B" in bad.what


def test_what_was_meant_is_ipa_and_what_stood_there_is_not() -> None:
    for written, meant in _MEANT.items():
        assert bad_symbol(f"a{meant}a") is None
        assert bad_symbol(f"a{written}a") is not None
