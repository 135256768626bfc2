"""``lexicon`` in the front matter: what it may hold, and where its faults are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import Place, ScriptError
from metta_audio.script.model import Pronunciation, Script
from metta_audio.script.parse import parse_script
from metta_audio.script.pronunciation import folded, phrase_of, words_of


def script(lexicon: str) -> Script:
    text = f"---\ntitle: Names\nlexicon:{lexicon}\n---\nHello.\n"
    return parse_script(text.encode(), name="names", file="names.md")


def test_an_entry_is_a_respelling_or_both_or_off() -> None:
    entries = (
        "Ana: AH-nah",
        "mettā: {ipa: ˈmɛtɑː, say: mettah}",
        "sati: false",
        "loving-kindness: {ipa: ˈlʌvɪŋ ˈkaɪndnəs}",
    )
    header = script("".join(f"\n  {entry}" for entry in entries)).header
    assert header.lexicon == {
        "ana": Pronunciation(say="AH-nah"),
        "metta": Pronunciation("ˈmɛtɑː", "mettah"),
        "sati": Pronunciation(),
        "loving kindness": Pronunciation("ˈlʌvɪŋ ˈkaɪndnəs"),
    }


@pytest.mark.parametrize("lexicon", ["", " {}"])
def test_a_lexicon_may_be_empty(lexicon: str) -> None:
    assert script(lexicon).header.lexicon == {}


@pytest.mark.parametrize(
    ("lexicon", "line", "column", "message"),
    [
        ("\n  Ana: {ipa: 'ˈɑːnɑ:'}", 4, 20, '":" is no IPA symbol (character 6); did you mean "ː"?'),
        ('\n  metta: x\n  Ana: {say: a, ipa: "  Ana"}', 5, 25, '"A" is no IPA symbol (character 3); did you mean "ɑ"?'),
        ("\n  Ana: {ipa: ˈɑːnɑː, spell: ahna}", 4, 22, 'unknown key "spell"; choose from: at, ipa, say'),
        ("\n  Ana: {sai: ahna}", 4, 9, 'did you mean "say"?'),
        ("\n  Ana: 5", 4, 3, '"Ana" has no pronunciation'),
        ("\n  Ana: true", 4, 3, '"Ana" has no pronunciation'),
        ("\n  Ana:", 4, 3, '"Ana" has no pronunciation'),
        ("\n  Ana: {}", 4, 3, '"Ana" has no pronunciation'),
        ("\n  Ana: [ahna]", 4, 3, '"Ana" has no pronunciation'),
        ("\n  Ana: {say: 5}", 4, 9, "say must be a text in quotes"),
        ("\n  Ana: ''", 4, 3, 'the respelling of "Ana" is empty'),
        ("\n  Ana: {ipa: ''}", 4, 9, 'the IPA of "Ana" is empty'),
        ("\n  Ana: '...'", 4, 3, "holds nothing to say"),
        ('\n  Ana: "ah\\a na"', 4, 3, "holds the control character U+0007; leave it out"),
        ('\n  Ana: {say: "ah\\u200bna"}', 4, 9, "holds the control character U+200B"),
        ("\n  Ana: {say: ahna, at: start}", 4, 20, '"Ana" cannot be found only there; write at = "end"'),
        ("\n  Ana: {at: end}", 4, 3, '"Ana" has no pronunciation'),
        ("\n  Ana: off", 4, 3, "to switch it off write false"),
        ("\n  Ana: x\n  ána: y", 5, 3, '"ána" is given twice, first as "Ana"'),
        ("\n  '...': x", 4, 3, "is no word"),
        ("\n  a b c d e f g h i: x", 4, 3, "more than 8 words"),
        (f"\n  Ana: {'ah' * 101}", 4, 3, "more than 200 characters"),
        ("\n  - Ana", 3, 1, "key: value"),
    ],
)
def test_a_fault_is_told_at_its_place(lexicon: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        script(lexicon)
    assert caught.value.place == Place("names.md", line, column)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("Mettā", "metta"),
        ("METTA", "metta"),
        ("metta\u0304", "metta"),
        ("Ana’s", "ana's"),
        ("Chödrön", "chodron"),
        ("मैत्री", "मैत्री"),  # its vowel signs make other words: they stay
        ("ガ", "ガ"),
    ],
)
def test_what_does_not_count_is_folded_away(written: str, word: str) -> None:
    assert folded(written) == folded(word)
    assert (folded(word) == word) or not word.isascii()


@pytest.mark.parametrize(("one", "other"), [("मैत्री", "मत्र"), ("ガ", "カ"), ("metta", "meta")])
def test_what_counts_is_not(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_capitals_count_where_there_are_no_other_letters() -> None:
    assert [phrase_of(text) for text in ("IFS", "IFS’s", "Ifs", "U Ba Khin", "IFS therapy", "ÉMDR")] == [
        "IFS", "IFS's", "ifs", "u ba khin", "IFS therapy", "ÉMDR",
    ]  # fmt: skip


def test_words_and_phrases() -> None:
    text = "“Ana’s loving-kindness”, 'tis (mettā\u0304)"
    found = [text[start:end] for start, end in words_of(text)]
    assert found == ["Ana’s", "loving", "kindness", "tis", "mettā\u0304"]
    assert phrase_of(" Loving-Kindness ") == phrase_of("loving kindness") == "loving kindness"


@given(st.text(st.sampled_from([*"ab1 _-'’.,—é€😀", "\u0304", "म", "ि"]), max_size=30))
def test_the_quick_way_to_words_is_the_long_one(text: str) -> None:
    """A mark at the end sends the whole text the long way."""
    assert words_of(text) == words_of(f"{text} \u0900")[: len(words_of(text))]
