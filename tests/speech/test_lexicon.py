"""Lexicons: how words are found and said, which entry wins, and that what is shipped is right and can be spoken."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import metta_audio
from metta_audio.errors import Place, ScriptError, ShelfError
from metta_audio.script.model import Line, Pronunciation, Span
from metta_audio.script.parse import parse_script
from metta_audio.script.pronunciation import END
from metta_audio.settings import Settings
from metta_audio.shelves import LEXICON, Shelves, shipped_root
from metta_audio.speech.lexicon import EMPTY, Lexicon, merged, pronounced, read_lexicon
from metta_audio.speech.voice import Setup, Speech, Utterance
from metta_audio.units import WordsPerMinute
from metta_audio.voices.espeak import EspeakEngine
from metta_audio.voices.espeak.library import library
from metta_audio.voices.espeak.phonemes import espeak_phonemes

WORDS = """
language = "en"

[words]
metta = {ipa = "ˈmɛtɑː", say = "mettah"}
loving-kindness = {ipa = "ˌlʌvɪŋ ˈkaɪndnəs", say = "luving kindness"}
kindness = {ipa = "ˈkaɪndnəs"}
"Thich Nhat Hanh" = {ipa = "ˌtɪk ˌnɑːt ˈhɑːn", say = "tick not hahn"}
"Kabat-Zinn" = {ipa = "kəˈbæt ˈzɪn", say = "kuh bat zin"}
Josh = {ipa = "ˈdʒɑːʃ", say = "jahsh"}
qi = "chee"
sati = false
"""
SAID = read_lexicon(WORDS, file="words.toml")
SHIPPED = read_lexicon((shipped_root() / "scripts" / LEXICON).read_text(encoding="utf-8"), file=LEXICON)
ENTRIES = {phrase.removesuffix(END): entry for phrase, entry in SHIPPED.entries["en"].items() if entry.ipa}


def said(text: str, lexicon: Lexicon = SAID, language: str = "en-us", *, ipa: bool = True, spans=()) -> list[Span]:
    result = pronounced(Utterance(text, tuple(spans)), lexicon, language, ipa=ipa)
    assert result.text == text
    return list(result.spans)


def shown(text: str, **options) -> list[tuple[str, str, str]]:
    return [(text[span.start : span.end], span.kind, span.value) for span in said(text, **options)]


@pytest.mark.parametrize(
    "written", ["metta", "Metta", "METTA", "mettā", "metta\u0304", "“metta”", "(metta),", "metta—"]
)
def test_a_word_is_found_however_it_is_written(written: str) -> None:
    (span,) = said(f"Of {written} now.")
    assert (span.kind, span.value) == ("ipa", "ˈmɛtɑː")
    assert f"Of {written} now."[span.start : span.end].strip("“”(),—") == written.strip("“”(),—")


@pytest.mark.parametrize(
    "text", ["mettan", "ametta", "metta2", "metta's2", "met ta", "kind", "Nhat Hanh", "Thich, Nhat Hanh"]
)
def test_only_whole_words_and_whole_phrases(text: str) -> None:
    assert said(text) == []


def test_ipa_for_those_who_read_it_and_a_respelling_for_the_rest() -> None:
    assert shown("metta, qi, sati.") == [("metta", "ipa", "ˈmɛtɑː"), ("qi", "sub", "chee")]
    assert shown("metta, qi, sati.", ipa=False) == [("metta", "sub", "mettah"), ("qi", "sub", "chee")]
    assert shown("Kindness.", ipa=False) == []


def test_the_longest_phrase_wins_and_each_of_its_words_keeps_its_own_place() -> None:
    assert shown("By Thich Nhat Hanh.") == [
        ("Thich", "ipa", "ˌtɪk"),
        ("Nhat", "ipa", "ˌnɑːt"),
        ("Hanh", "ipa", "ˈhɑːn"),
    ]
    assert shown("Jon Kabat-Zinn") == [("Kabat-Zinn", "ipa", "kəˈbæt ˈzɪn")]
    assert shown("loving-kindness") == [("loving-kindness", "ipa", "ˌlʌvɪŋ ˈkaɪndnəs")]
    assert shown("loving kindness") == [("loving", "ipa", "ˌlʌvɪŋ"), ("kindness", "ipa", "ˈkaɪndnəs")]
    assert shown("loving kindness", ipa=False) == [("loving", "sub", "luving")]
    both = lexicon('om = "ohm"\n"om shanti" = "ohm shahntee"')
    assert [value for _, _, value in shown("om shanti om", lexicon=both)] == ["ohm", "shahntee", "ohm"]


@pytest.mark.parametrize(
    ("text", "ipa", "say"),
    [
        ("Metta's", "ˈmɛtɑːz", "mettah's"),
        ("Metta’s", "ˈmɛtɑːz", "mettah's"),
        ("Josh's", "ˈdʒɑːʃɪz", "jahsh's"),
        ("Nhat's", "", ""),
    ],
)
def test_a_possessive_is_part_of_the_sound(text: str, ipa: str, say: str) -> None:
    assert shown(text) == ([(text, "ipa", ipa)] if ipa else [])
    assert shown(text, ipa=False) == ([(text, "sub", say)] if say else [])
    assert shown("metta's", lexicon=lexicon('metta = "mätta"'), language="de") == []


def test_a_possessive_behind_a_phrase() -> None:
    assert [value for _, _, value in shown("Thich Nhat Hanh's way")] == ["ˌtɪk", "ˌnɑːt", "ˈhɑːnz"]
    unvoiced = read_lexicon('[words]\nSheik = {ipa = "ʃeɪk"}\n', file="x")
    assert shown("Sheik's", lexicon=unvoiced) == [("Sheik's", "ipa", "ʃeɪks")]


def test_a_lexicon_speaks_its_own_language_only() -> None:
    assert said("metta", language="de") == said("metta", language="de-at", ipa=False) == []
    assert said("metta", language="en-gb") == said("metta", language="EN") != []
    anywhere = read_lexicon('[words]\nmetta = "mettah"\n', file="x")
    assert shown("metta", lexicon=anywhere, language="de") == [("metta", "sub", "mettah")]


def test_what_the_script_says_itself_stays() -> None:
    spans = [Span(0, 5, "ipa", "mɛtə"), Span(6, 11, "sub", "meta")]
    text = "metta metta metta"
    assert said(text, spans=spans) == [*spans, Span(12, 17, "ipa", "ˈmɛtɑː")]
    around = Span(0, 17, "sub", "three times")
    assert said(text, spans=[around]) == [around]


def test_ipa_of_the_script_is_never_spoken_by_a_voice_that_reads_none() -> None:
    spans = [Span(0, 5, "ipa", "mɛtə"), Span(6, 11, "ipa", "ˈləʊtəs"), Span(12, 15, "slow")]
    assert said("metta lotus now", spans=spans, ipa=False) == [Span(0, 5, "sub", "mettah"), Span(12, 15, "slow")]
    assert said("lotus", lexicon=EMPTY, spans=[Span(0, 5, "ipa", "ˈləʊtəs")], ipa=False) == []


def test_other_markup_stays_around_and_inside() -> None:
    slow = Span(0, 20, "slow")
    assert said("metta of the morning", spans=[slow]) == [slow, Span(0, 5, "ipa", "ˈmɛtɑː")]
    nhat = Span(6, 10, "emphasis")
    assert [span.kind for span in said("Thich Nhat Hanh", spans=[nhat])] == ["ipa", "emphasis", "ipa", "ipa"]
    assert said("loving-kindness", spans=[Span(0, 6, "emphasis")]) == [Span(0, 6, "emphasis")]


KINDS = st.sampled_from(["ipa", "sub", "slow", "emphasis"])


@given(
    st.lists(
        st.sampled_from(["metta", "Thich", "Nhat", "Hanh", "qi", "loving", "kindness", "now", "metta's"]), min_size=1
    ),
    st.sampled_from([" ", "-", ", ", "  "]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9), KINDS), max_size=3),
    st.booleans(),
)
def test_spans_lie_in_the_text_apart_from_each_other(words, between, marks, ipa) -> None:
    text = between.join(words)
    own = [Span(start, min(start + size, len(text)), kind, "x") for start, size, kind in marks if start < len(text)]
    found = said(text, spans=own, ipa=ipa)
    added = [span for span in found if span not in own]
    assert all(0 <= span.start < span.end <= len(text) and span.value for span in added)
    assert all(one.end <= two.start for one, two in pairwise(added))
    replaced = [span for span in own if span.kind in ("ipa", "sub") and (ipa or span.kind == "sub")]
    assert not any(one.start < two.end and two.start < one.end for one in added for two in replaced)
    assert ipa or not any(span.kind == "ipa" for span in found)
    assert {span for span in own if ipa or span.kind != "ipa"} <= set(found)


def test_nothing_to_say_gives_the_same_utterance() -> None:
    utterance = Utterance("Sit down.", (Span(0, 3, "slow"),))
    assert pronounced(utterance, SAID, "en", ipa=False) is utterance


# Which entry wins


def lexicon(words: str, language: str = "") -> Lexicon:
    head = f'language = "{language}"\n' if language else ""
    return read_lexicon(f"{head}[words]\n{words}\n", file="x.toml")


def test_the_later_wins_entry_by_entry() -> None:
    both = merged(SAID, lexicon('metta = "meta"\nsati = "sutty"\nqi = false'))
    assert shown("metta, sati, qi, Josh", lexicon=both) == [
        ("metta", "sub", "meta"),
        ("sati", "sub", "sutty"),
        ("Josh", "ipa", "ˈdʒɑːʃ"),
    ]


def test_an_entry_for_all_languages_wins_in_each_and_one_for_a_language_only_there() -> None:
    german, english = lexicon('metta = "mätta"', "de"), lexicon('metta = "mettah"', "en-GB")
    assert merged(english, german).find("metta", "en") == Pronunciation(say="mettah")
    assert merged(english, german).find("metta", "de") == Pronunciation(say="mätta")
    for language in ("en", "de", "fr"):
        assert merged(english, german, lexicon('metta = "meta"')).find("metta", language) == Pronunciation(say="meta")
    assert merged(lexicon('metta = "meta"'), english).find("metta", "en") == Pronunciation(say="mettah")
    assert merged(lexicon('metta = "meta"'), english).find("metta", "fr") == Pronunciation(say="meta")


def test_a_word_in_capitals_is_found_in_capitals_only() -> None:
    both = lexicon('IFS = "eye f s"\nON = "o n"')
    assert shown("No ifs. Ifs? IFS, on", lexicon=both) == [("IFS", "sub", "eye f s")]
    english = lexicon('IFS = "eye f s"', "en")
    assert [value for _, _, value in shown("IFS's", lexicon=english)] == ["eye f s's"]
    for later in (lexicon('ifs = "iffs"'), lexicon('Ifs = "iffs"', "en")):
        assert [value for _, _, value in shown("IFS ifs", lexicon=merged(english, later))] == ["iffs", "iffs"]
    assert [value for _, _, value in shown("IFS ifs", lexicon=merged(lexicon('ifs = "iffs"'), english))] == [
        "eye f s", "iffs",
    ]  # fmt: skip


CLOSING = lexicon('"to a close" = {say = "to a cloze", at = "end"}')


@pytest.mark.parametrize("end", ["", ".", " ", "!", "…", "; so", ".”", "’.", ") .", ": we"])
def test_some_phrases_count_at_the_end(end: str) -> None:
    assert shown(f"It came to a close{end}", lexicon=CLOSING) == [("close", "sub", "cloze")]


@pytest.mark.parametrize("end", [" friend", ", dear friend", "-by friend", "’s", "d", " (friend)"])
def test_and_nowhere_else(end: str) -> None:
    assert shown(f"It came to a close{end}.", lexicon=CLOSING) == []


def test_an_entry_for_any_place_replaces_one_for_the_end() -> None:
    both = merged(CLOSING, lexicon('"to a close" = false'))
    assert shown("It came to a close.", lexicon=both) == []


def test_a_phrase_may_be_one_span() -> None:
    text = "By Thich Nhat Hanh's way"

    def values(*spans: Span) -> list[tuple[str, str]]:
        found = pronounced(Utterance(text, spans), SAID, "en", ipa=True, by_word=False).spans
        return [(text[span.start : span.end], span.value) for span in found if span.kind == "ipa"]

    assert values() == values(Span(0, 24, "slow")) == [("Thich Nhat Hanh's", "ˌtɪk ˌnɑːt ˈhɑːnz")]
    assert values(Span(9, 13, "emphasis")) == [("Thich", "ˌtɪk"), ("Nhat", "ˌnɑːt"), ("Hanh's", "ˈhɑːnz")]
    assert values(Span(9, 13, "ipa", "x")) == [("Thich", "ˌtɪk"), ("Nhat", "x"), ("Hanh's", "ˈhɑːnz")]


def test_an_entry_that_is_switched_off_hides_the_words_in_it() -> None:
    off = merged(SAID, lexicon('"loving-kindness" = false'))
    assert shown("loving kindness, kindness", lexicon=off) == [("kindness", "ipa", "ˈkaɪndnəs")]


HEADER = parse_script(b"---\ntitle: x\nlexicon: {metta: script}\n---\nHi.\n", name="x", file="x.md").header
PLAIN = parse_script(b"---\ntitle: x\n---\nHi.\n", name="x", file="x.md").header


def put(folder: Path, say: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LEXICON).write_text(f'[words]\nmetta = "{say}"\n', encoding="utf-8")
    return folder


def test_each_level_wins_over_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    shelves = Shelves.standard(settings=Settings(user=tmp_path / "user")).beside(tmp_path / "beside" / "x.md")

    def heard() -> Pronunciation | None:
        return shelves.lexicon(PLAIN).find("metta", "en")

    assert heard() == Pronunciation("ˈmɛtɑː", "mettah")
    levels = {"user": tmp_path / "user" / "scripts", "project": Path("scripts"), "beside": tmp_path / "beside"}
    for level, folder in levels.items():
        put(folder, level)
        assert heard() == Pronunciation(say=level)
    assert shelves.lexicon(HEADER).find("metta", "en") == Pronunciation(say="script")
    assert [path.name for path in shelves.lexicon_files()] == [LEXICON] * 4


def test_a_script_on_a_shelf_does_not_lift_that_shelf(tmp_path: Path) -> None:
    mine, shipped = put(tmp_path / "mine", "mine"), put(tmp_path / "shipped", "shipped")
    shelves = Shelves((mine, shipped), ()).beside(shipped / "x.md")
    assert shelves.lexicon().find("metta", "en") == Pronunciation(say="mine")
    assert len(shelves.lexicon_files()) == 2


def test_a_link_is_followed_on_a_shelf_and_refused_beside_a_script_from_anyone(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / LEXICON).symlink_to(put(tmp_path / "elsewhere", "x") / LEXICON)
    own = Shelves((shelf,), ())
    assert own.lexicon(PLAIN).find("metta", "en") == own.beside(shelf / "x.md").lexicon().find("metta", "en")
    assert own.lexicon(PLAIN).find("metta", "en") == Pronunciation(say="x")
    with pytest.raises(ShelfError, match="links to a file outside its folder; put the file itself there"):
        Shelves((), ()).beside(shelf / "x.md").lexicon()
    (shelf / LEXICON).unlink()
    (shelf / "words").write_text('[words]\nmetta = "within"\n', encoding="utf-8")
    (shelf / LEXICON).symlink_to("words")
    assert Shelves((), ()).beside(shelf / "x.md").lexicon().find("metta", "en") == Pronunciation(say="within")


@pytest.mark.parametrize("kind", ["folder", "fifo", "broken link"])
def test_a_lexicon_that_is_no_file_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / LEXICON
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no fifos here")
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    for shelves in (Shelves((tmp_path,), ()), Shelves((), ()).beside(tmp_path / "x.md")):
        with pytest.raises(ShelfError, match=r"lexicon\.toml is no file"):
            shelves.lexicon()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_another_encoding_is_told_with_its_place(tmp_path: Path, mark: bytes) -> None:
    (tmp_path / LEXICON).write_bytes(mark + '[words]\n"é'.encode() + b'mett\xe2" = "x"\n')
    with pytest.raises(ShelfError, match=r"lexicon\.toml:2:7: byte 0xe2 is not UTF-8"):
        Shelves((tmp_path,), ()).lexicon()


def test_a_fault_in_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    put(tmp_path, 'x"\nsati = {ipa = "sʌt:i"}\nqi = "chee')
    with pytest.raises(ShelfError, match=r"lexicon\.toml:3:19: the IPA of .*did you mean") as caught:
        Shelves((tmp_path,), ()).lexicon(PLAIN)
    assert isinstance(caught.value.place, Place)
    (tmp_path / LEXICON).write_text(f"[words]\n{'#' * 300_000}\n", encoding="utf-8")
    with pytest.raises(ShelfError, match="larger than 256 kB"):
        Shelves((tmp_path,), ()).lexicon(PLAIN)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('[words]\nmetta = {ipa = "\'met"}', 2, 17, '"\'" is no IPA symbol (character 1); did you mean "ˈ"?'),
        ('[words]\na = "x"\n\nsati = {say = "x", ipa = "sʌti", }', 4, 33, "not valid TOML"),
        ('[words.metta]\nsay = "x"\nipa = "mEt"', 3, 9, '"E" is no IPA symbol'),
        ('[words]\nmetta = {ipo = "mɛt"}', 2, 10, 'unknown key "ipo"; did you mean "ipa"?'),
        ('[words]\nmetta = {say = " "}', 2, 10, 'the respelling of "metta" is empty'),
        ('[words]\nmetta = ["x"]', 2, 1, '"metta" has no pronunciation'),
        ('[words]\n"mettā" = "x"\nMetta = "y"', 3, 1, '"Metta" is given twice, first as "mettā"'),
        ('[words]\nmetta = "x"\nmetta = "y"\n', 3, 12, "this is given twice"),
        ('[words]\nmettā = "x"', 2, 5, "stands in quotes"),
        ('[words]\nmetta = "x', 2, 1, "not valid TOML"),
        ('metta = "x"', 1, 1, "entries stand below [words]"),
        ('[wrods]\nmetta = "x"', 1, 1, 'unknown key "wrods"; did you mean "words"?'),
        ('\nlanguage = "klingon"', 2, 1, "this is no language"),
        ("\nwords = 3", 2, 1, "words must be a table"),
        ("#" * 262_145, 1, 1, "larger than 256 kB"),
        ("a = " + "[" * 5000, 1, 1, "not valid TOML"),
    ],
)
def test_a_bad_lexicon_is_an_error_with_its_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        read_lexicon(text, file="my.toml")
    assert message in str(caught.value)
    assert caught.value.place is not None
    if message != "not valid TOML":
        assert caught.value.place == Place("my.toml", line, column)


def test_an_empty_lexicon_is_one() -> None:
    assert read_lexicon("", file="x") == read_lexicon("[words]\n", file="x") == Lexicon({"": {}})


# What is shipped


def test_there_are_enough_words_and_the_names_of_this_field() -> None:
    assert len(ENTRIES) >= 200
    for word in ("metta", "karuna", "mudita", "upekkha", "visuddhimagga", "qigong", "thich nhat hanh", "buddhaghosa"):
        assert ENTRIES[word].ipa
        assert ENTRIES[word].say


@pytest.mark.parametrize("phrase", ENTRIES)
def test_the_built_in_voice_has_every_sound(phrase: str) -> None:
    assert espeak_phonemes(ENTRIES[phrase].ipa)
    # A vowel, a stress to hear, and no symbol that a neural voice was never taught.
    assert set(ENTRIES[phrase].ipa) <= set(" abdefhijklmnopstuvwzæðŋɑɔəɛɜɡɪɹʃʊʌʒθˈˌː")
    assert "ˈ" in ENTRIES[phrase].ipa or len(re.findall("[aæɑɔəɛɜeiɪoʊuʌ]+", ENTRIES[phrase].ipa)) == 1


@pytest.mark.parametrize("phrase", ENTRIES)
def test_every_respelling_is_made_of_plain_words(phrase: str) -> None:
    assert re.fullmatch("[a-z]+( [a-z]+)*", ENTRIES[phrase].say)


_ALIKE = {
    "t#": "t", "I2": "I", "i:": "I", "i": "I", "a#": "@", "@2": "@", "V": "@", "3": "@|r", "3:": "@|r", "0": "A:",
    "A@": "A:|r", "O:": "A:", "O@": "A:|r", "o@": "A:|r", "U": "u:", "U@": "u:|r", "i@3": "I|r", "@L": "@|l", "r-": "r",
    "aI@": "aI|@", "aa": "a", "e@": "E|r",
}  # fmt: skip
"""Sounds of eSpeak NG that English spelling does not keep apart, or that only the place in the word makes different."""


@cache
def text_to_sounds() -> Callable[[str], str]:
    """What an English voice makes of a text, in eSpeak NG's names; stress before its vowel, words apart."""
    loaded = library()._library
    convert, choose = loaded.espeak_TextToPhonemes, loaded.espeak_SetVoiceByName
    convert.restype, choose.argtypes = ctypes.c_char_p, (ctypes.c_char_p,)
    convert.argtypes = (ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int)

    def sounds(text: str) -> str:
        assert choose(b"en-us") == 0
        rest, heard = ctypes.c_char_p(text.encode()), []
        while rest.value is not None:
            heard.append(convert(ctypes.byref(rest), 1, ord("|") << 8).decode())
        return " ".join(heard)

    return sounds


def sounds(written: str) -> tuple[list[str], int]:
    """Names of sounds, as alike as they are, and which of them (the last one so marked) bears the main stress."""
    found: list[str] = []
    stressed = -1
    for name in re.split(r"[| ]", written):
        bare = re.sub("[',_;=%]", "", name).removeprefix(":")  # marks of stress, length of a pause, and joints
        for part in filter(None, _ALIKE.get(bare, bare).split("|")):
            if not (part == "r" and found[-1:] == ["r"]):
                found.append(part)
        if "'" in name:
            stressed = len(found)
    return found, stressed


def distance(one: list[str], other: list[str]) -> int:
    """How many sounds must be changed, added or left out."""
    row = list(range(len(other) + 1))
    for number, left in enumerate(one, 1):
        before, row[0] = row[0], number
        for at, right in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (left != right))
    return row[-1]


@pytest.mark.parametrize("phrase", ENTRIES)
def test_a_respelling_is_read_as_the_ipa_says(phrase: str) -> None:
    """At most a quarter of the sounds differ, such as the last of "mettah": spelling cannot say more."""
    wanted, _ = sounds(" ".join(espeak_phonemes(ENTRIES[phrase].ipa)))
    heard, _ = sounds(text_to_sounds()(ENTRIES[phrase].say))
    assert distance(wanted, heard) <= len(wanted) / 4, (wanted, heard)


def test_the_measure_hears_a_wrong_respelling() -> None:
    wanted, _ = sounds(" ".join(espeak_phonemes(ENTRIES["karuna"].ipa)))
    for wrong in ("carrot", "ka", "kuh roonah roonah"):
        assert distance(wanted, sounds(text_to_sounds()(wrong))[0]) > len(wanted) / 4


def test_most_entries_are_needed() -> None:
    """Without the lexicon the built-in voice reads at least two thirds of these words otherwise."""
    otherwise = 0
    for phrase, entry in ENTRIES.items():
        wanted = sounds(" ".join(espeak_phonemes(entry.ipa)))
        otherwise += wanted != sounds(text_to_sounds()(phrase))
    assert otherwise >= len(ENTRIES) * 2 / 3


@pytest.mark.parametrize("ipa", [True, False])
def test_the_built_in_voice_speaks_every_entry(ipa: bool) -> None:
    voice = EspeakEngine(Setup()).open("", "en-us")
    phrases = [phrase.capitalize() for phrase in ENTRIES]
    for number in range(0, len(phrases), 40):
        text = ", ".join(phrases[number : number + 40])
        utterance = pronounced(Utterance(text), SHIPPED, "en-us", ipa=ipa)
        assert len(utterance.spans) >= 25
        assert voice.speak(utterance, WordsPerMinute(150.0)).words[-1].end == len(text)


@pytest.mark.parametrize("kind", ["emphasis", "slow", "soft"])
def test_markup_around_a_known_word_is_not_spoken(kind: str) -> None:
    voice = EspeakEngine(Setup()).open("", "en-us")
    text = "May we know metta, today."
    for around in (Span(12, 17, kind), Span(0, 25, kind)):
        plain = Utterance(text, (around,))
        known = pronounced(plain, SAID, "en-us", ipa=True)
        lengths = [voice.speak(each, WordsPerMinute(110.0)).wave.samples.shape[0] for each in (plain, known)]
        assert lengths[1] == pytest.approx(lengths[0], rel=0.15)


ORDINARY = """
Offer this to a close friend. | You might come to a close friend. | With your eyes close to the ground, look.
Let them close by the fire be warm. | Be near or close if you like. | Keep the close them all can see. | Stay close.
No ifs, no buts. | Ifs and buts can rest. | The letter chi is Greek. | A Chi-square test. | Your chi-square is small.
We had panna cotta. | Think of a close friend. | Bring this to a close, dear friend. | Sit close together.
The practice comes to a close friend. | They were close, and kind. | Closer and closer. | Your eyes are closed.
Feel how close the ground is. | The live recording is over. | This was recorded live with love. | A live wire.
The music is live. | We live in a body. | May you live in safety. | Our lives in the body are short.
All our lives are like this. | Many lives began here. | She ties a bow in her hair. | A bow and an arrow.
The bow of the violin moves. | A rainbow fades. | Let the breath lead. | The breath leads you. | A lead of one step.
A tear may fall. | Tears may come. | The wind is soft. | Hear the wind down the valley. | Unwind a little.
Read the words slowly. | You may have read this. | Be present. | The present moment. | A present for a friend.
The content of a thought. | Let the content go. | May I be content. | The rest content themselves with tea.
A minute of quiet. | In five-minute movements. | You are not separate. | A desert at night. | An old wound.
Make use of it. | It is of no use. | We put it to good use this time. | There is no excuse.
The breath is used to calm us.
You are used gently. | Sow a seed. | A low bass note. | The object is the breath. | It is free to refuse.
Let the shoulders fall. | Feel the weight of the hands. | There is nothing to do. | Come back, kindly, to the breath.
Notice the sounds around you. | Soften the belly. | Stay near or close if that is easier. | May you be well.
May all be at ease. | Let a thought pass by.
Rest in the quiet. | A permit for the park. | We take alternate steps. | I wish you peace. | Welcome.
"""
"""Sentences of a teacher that hold what some entry holds, or nothing at all; none has a word to be said anew."""


def test_ordinary_sentences_stay_as_they_are() -> None:
    sentences = [each.strip() for each in re.split(r"[|\n]", ORDINARY) if each.strip()]
    assert len(sentences) >= 80
    for sentence in sentences:
        for ipa in (True, False):
            assert shown(sentence, lexicon=SHIPPED, ipa=ipa) == [], sentence


MEANT = """
kloʊz: Close your eyes. | Gently close the eyelids. | Close both eyes. | Let your eyes gently close. | Close your hands.
kloʊz: Let the eyes close, if you like. | Slowly, your eyes close. | If they are tired, let them close.
kloʊz: Close the mouth.
kloʊz: Your eyes can stay open, or close if that is easier. | I will be quiet, and then bring this to a close.
kloʊz: We bring our practice to a close. | Close one nostril. | Your eyes may close. | Before we close, sit a while.
lɪv: May all beings live with ease. | May we all live in peace. | Live with ease. | May everyone live in safety.
lɪv: May all beings live as one. | May Kim live with ease.
lɪv: May all beings everywhere live happily. | May you be well, and live with ease.
kloʊz: Let us close our eyes.
baʊ: Bow to the ground. | Bow forward.
lɪv: May I live with ease. | May they all live with joy. | Live well. | Live gently. | May she live without fear.
lɪvz: May all that lives be well. | For everyone who lives. | She lives near you.
laɪvz: In our daily lives.
baʊ: Bow to yourself. | Bow your head. | Take a bow. | Bow in gratitude. | A small bow of the head. | Bow deeply.
kəntɛnt: Rest content. | May you be happy and content. | Be content.
kɑːntɛnt: The content of a thought.
lɛd: The arms are heavy as lead.
liːd: Let the breath lead.
juːz: Use your breath. | Use a cushion. | Use the breath as an anchor. | You can use a chair.
juːs: Make use of it.
juːst: You are used to it.
maɪnuːt: The most minute change.
mɪnɪt: Take a minute.
tɪɹz: Tears may come.
wɪnd: The wind in the trees.
ɹiːd: Read it slowly.
pɹɛzənt: Be present. | In the present moment.
sɛpɹət: You are not separate.
dɛzɚt: A desert at night.
wuːnd: An old wound.
ɹɪkɔːl: You could also recall a good thing.
"""
"""How the word of two sounds in a sentence is meant: none of them is said otherwise by the built-in voice."""

IN_PRACTICES = {
    "close": {"kloʊz"}, "live": {"lɪv"}, "used": {"juːst"}, "recall": {"ɹɪkɔːl"}, "produce": {"pɹəduːs"},
    "refuse": {"ɹɪfjuːz"}, "does": {"dʌz"}, "house": {"haʊs"}, "minutes": {"mɪnɪts"},
}  # fmt: skip
"""The same for the shipped practices. One that means a word otherwise adds that sound, after listening."""

TWO_SOUNDS = (
    "close live lives lead leads tear tears wind winds read present content minute minutes separate desert wound use "
    "used uses excuse bow bows bass sow does refuse object record subject house produce recall project permit perfect "
    "alternate deliberate intimate moderate increase progress resume learned blessed dove row incense contest conduct"
)

_ALIKE_IPA = str.maketrans({"ᵻ": "ɪ", "ɝ": "ɚ", "ɐ": "ə", "ɾ": "t", "ˈ": "", "ˌ": "", " ": ""})


def heard(text: str) -> str:
    """What the built-in voice says, without stress: the words that the shipped lexicon has; where it has none, all."""
    known = "".join(span.value for span in said(text, lexicon=SHIPPED))
    return (known or text_to_ipa()(text)).translate(_ALIKE_IPA)


@cache
def text_to_ipa() -> Callable[[str], str]:
    """As ``text_to_sounds``, in IPA."""
    text_to_sounds()  # chooses the voice's types
    convert, choose = library()._library.espeak_TextToPhonemes, library()._library.espeak_SetVoiceByName

    def ipa(text: str) -> str:
        assert choose(b"en-us") == 0
        rest, found = ctypes.c_char_p(text.encode()), []
        while rest.value is not None:
            found.append(convert(ctypes.byref(rest), 1, 2).decode())
        return " ".join(found)

    return ipa


@pytest.mark.parametrize("row", MEANT.strip().splitlines())
def test_a_word_of_two_sounds_is_said_as_it_is_meant(row: str) -> None:
    sound, sentences = row.split(": ", 1)
    for sentence in sentences.split(" | "):
        assert sound in heard(sentence), (sentence, heard(sentence))


def test_each_word_of_two_sounds_in_the_practices_is_said_as_it_is_meant() -> None:
    scripts = shipped_root() / "scripts"
    found = set()
    for name in Shelves((scripts,), ()).practices():
        session = metta_audio.fill(metta_audio.load(f"shipped:{name}"), scripts=scripts)
        lines = [item.text for section in session.sections for item in section.items if isinstance(item, Line)]
        for text in dict.fromkeys(lines):
            for word in set(re.findall("[a-z]+", text.lower())) & {*TWO_SOUNDS.split()}:
                found.add(word)
                assert any(sound in heard(text) for sound in IN_PRACTICES.get(word, ())), (word, text, heard(text))
    assert {"live", "close"} <= found


def test_word_times_survive_another_sound() -> None:
    voice = EspeakEngine(Setup()).open("", "en-us")
    text = "Today we sit with Thich Nhat Hanh, and with loving kindness and mettā."

    def spoken(lexicon: Lexicon, ipa: bool) -> Speech:
        return voice.speak(pronounced(Utterance(text), lexicon, "en-us", ipa=ipa), WordsPerMinute(110.0))

    plain, *others = spoken(EMPTY, True), spoken(SAID, True), spoken(SAID, False)
    for other in others:
        assert [(word.start, word.end) for word in other.words] == [(word.start, word.end) for word in plain.words]
        onsets = [word.onset for word in other.words]
        # Four words are the same before the first new sound, and all that follow come one after the other.
        assert onsets[:5] == pytest.approx([word.onset for word in plain.words][:5], abs=plain.wave.rate * 0.03)
        assert all(two - one > plain.wave.rate * 0.04 for one, two in pairwise(onsets))


# The page


PAGE = Path(__file__).parents[2] / "docs" / "pronunciation.md"


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.is_file():
        pytest.skip("docs/ is not beside these tests")
    return PAGE.read_text(encoding="utf-8")


def test_the_examples_of_the_page_are_lexicons(page: str) -> None:
    (toml,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(read_lexicon(toml, file="page").entries["en"]) == 6
    (script,) = re.findall(r"^```metta\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert set(parse_script(script.encode(), name="x", file="x.md").header.lexicon) == {"ana", "sati"}


def test_the_sounds_of_the_page_are_those_that_every_voice_has(page: str) -> None:
    table = page[page.index("| vowel | as in") : page.index("So metta is")]
    symbols = [symbol for group in re.findall("`([^`]+)`", table) for symbol in group.split()]
    assert len(symbols) >= 40
    for symbol in symbols:
        assert espeak_phonemes(f"{symbol}ə")
    assert set("".join(entry.ipa for entry in ENTRIES.values())) <= {*"".join(symbols), " "}
    shown_words = re.findall(r"(metta|karuna|qigong|Thich Nhat Hanh)(?: is)? `([^`]+)`", page)
    assert len(shown_words) == 4
    for word, ipa in shown_words:
        assert ENTRIES[word.lower()].ipa == ipa
