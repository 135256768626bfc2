from __future__ import annotations

import threading

import numpy as np
import pytest

from metta_audio.errors import MissingTake, Place, VoiceError
from metta_audio.script.model import Line, Span
from metta_audio.sound.chain import MILD, PLAIN, Chain
from metta_audio.sound.wave import Wave
from metta_audio.speech.cache import ClipStore
from metta_audio.speech.lexicon import read_lexicon
from metta_audio.speech.speak import Speaker, _cores
from metta_audio.speech.voice import Setup, Speech, Word, chain_of
from metta_audio.voices.espeak import EspeakEngine


class Hummer:
    """A voice that hums for a tenth of a second a character, and remembers what it was asked."""

    name = "hum"

    def __init__(self, fingerprint="hum 1"):
        self.fingerprint = fingerprint
        self.asked = []

    def speak(self, utterance, rate):
        self.asked.append((utterance.text, rate))
        if "unsayable" in utterance.text:
            raise VoiceError("cannot say this", hint="say something else")
        time = np.arange(2_205 * len(utterance.text)) / 22_050
        wave = Wave.mono(0.2 * np.sin(2 * np.pi * 200 * time), 22_050)
        return Speech(wave, (Word(0, len(utterance.text), 0),))


def a_store(folder):
    return ClipStore(folder, b"s" * 32, 10**9)


def speak(lines, voices, rate_for, store, on_line=lambda: None, **options):
    return Speaker(voices, rate_for, store, **options).speak(lines, on_line)


def line(text, number=1, role="guide", spans=()):
    return Line(role, text, Place("a.md", number), spans)


def test_each_line_gets_its_clip_in_order_and_a_repeated_one_is_spoken_once(tmp_path):
    voice, store = Hummer(), a_store(tmp_path)
    spoken = speak([line("one"), line("three"), line("one", 3)], {"guide": voice}, lambda role: 110, store)
    assert voice.asked == [("one", 110), ("three", 110)]
    assert spoken[0] == spoken[2]
    assert spoken[0].length < spoken[1].length
    for clip in spoken:
        stored = store.get(clip.key)
        assert (stored.wave.frames, stored.words) == (clip.length, clip.words)


def test_a_later_run_speaks_nothing_and_gives_the_same(tmp_path):
    lines = [line("one"), line("two")]
    first = speak(lines, {"guide": Hummer()}, lambda role: 110, a_store(tmp_path))
    voice = Hummer()
    assert speak(lines, {"guide": voice}, lambda role: 110, a_store(tmp_path)) == first
    assert voice.asked == []


def test_role_rate_voice_and_markup_each_make_another_clip(tmp_path):
    voices = {"guide": Hummer(), "part": Hummer("hum 2")}
    lines = [line("one"), line("one", role="part"), line("one", spans=(Span(0, 3, "slow"),))]
    rates = {"guide": 110.0, "part": 110.0}
    spoken = speak(lines, voices, rates.__getitem__, a_store(tmp_path))
    rates["guide"] = 100.0
    slower = speak(lines[:1], voices, rates.__getitem__, a_store(tmp_path))
    assert len({clip.key for clip in (*spoken, *slower)}) == 4


def test_errors_carry_the_line_and_the_hint(tmp_path):
    with pytest.raises(VoiceError) as caught:
        speak([line("fine"), line("unsayable", 7)], {"guide": Hummer()}, lambda role: 110, a_store(tmp_path))
    assert str(caught.value) == "a.md:7:1: hum: cannot say this; say something else"


def test_a_role_without_a_voice_is_named(tmp_path):
    with pytest.raises(VoiceError, match=r'a.md:1:1: no voice for the role "giude"; did you mean "guide"\?'):
        speak([line("x", role="giude")], {"guide": Hummer()}, lambda role: 110, a_store(tmp_path))


def test_progress_is_told_once_a_line(tmp_path):
    ticks = []
    lines = [line("one"), line("one"), line("two")]
    speak(lines, {"guide": Hummer()}, lambda role: 110, a_store(tmp_path), lambda: ticks.append(1))
    assert len(ticks) == 3


def test_a_damaged_clip_is_spoken_again(tmp_path):
    first = speak([line("one")], {"guide": Hummer()}, lambda role: 110, a_store(tmp_path))
    (path,) = tmp_path.glob("*/*")
    path.write_bytes(path.read_bytes()[:-50])
    voice = Hummer()
    assert speak([line("one")], {"guide": voice}, lambda role: 110, a_store(tmp_path)) == first
    assert voice.asked == [("one", 110)]


def with_chain(chain):
    voice = Hummer()
    voice.chain = chain
    return voice


def spoken_by(voice, folder, **options):
    store = a_store(folder)
    (clip,) = speak([line("one")], {"guide": voice}, lambda role: 110, store, **options)
    return clip.key, store.get(clip.key).wave.samples.tobytes()


def test_each_voice_goes_through_its_own_chain_and_a_stranger_through_a_mild_one(tmp_path):
    stranger, mild = spoken_by(Hummer(), tmp_path), spoken_by(with_chain(MILD), tmp_path)
    warm, plain = spoken_by(with_chain(Chain(warmth=1.5)), tmp_path), spoken_by(with_chain(PLAIN), tmp_path)
    assert stranger == mild
    assert len({key for key, _ in (mild, warm, plain)}) == 3
    assert len({sound for _, sound in (mild, warm, plain)}) == 3


def test_plain_leaves_every_voice_as_it_is_and_shares_no_clip_with_what_is_not(tmp_path):
    plain = spoken_by(with_chain(PLAIN), tmp_path)
    assert spoken_by(with_chain(Chain(warmth=1.5)), tmp_path, plain=True) == plain
    assert spoken_by(Hummer(), tmp_path, plain=True) == plain
    assert chain_of(with_chain(Chain(warmth=1.5)), plain=True) == PLAIN


def test_what_is_no_chain_is_an_error_that_names_the_voice(tmp_path):
    with pytest.raises(VoiceError, match=r"the chain of hum is a str; make it a metta_audio\.sound\.chain\.Chain"):
        spoken_by(with_chain("warm"), tmp_path)


BEFORE = {
    "line": line("May I be well"),
    "language": "en-us",
    "rate": 110,
    "plain": False,
    "lexicon": read_lexicon("", file="l.toml"),
}


def name_of(folder, voice=None, **changed):
    given = {**BEFORE, **changed}
    speaker = Speaker(
        {"guide": voice or Hummer()},
        lambda role: given["rate"],
        a_store(folder),
        language=given["language"],
        lexicon=given["lexicon"],
        plain=given["plain"],
    )
    (spoken,) = speaker.speak([given["line"]])
    return spoken.key


@pytest.mark.parametrize(
    "changed",
    [
        {"line": line("May I be Well")},
        {"line": line("May I be well", spans=(Span(0, 3, "slow"),))},
        {"line": line("May I be well", spans=(Span(0, 3, "sub", "x"),))},
        {"language": "en-gb"},
        {"rate": 111},
        {"plain": True},
        {"lexicon": read_lexicon('[words]\nwell = {say = "wel"}', file="l.toml")},
        {"voice": Hummer("hum 2")},
        {"voice": with_chain(Chain(warmth=1.0))},
        {"voice": with_chain(Chain(de_ess=1.0))},
    ],
)
def test_all_that_changes_the_sound_is_in_the_name(tmp_path, changed):
    assert name_of(tmp_path) == name_of(tmp_path, line=line("May I be well", 7))
    assert name_of(tmp_path) != name_of(tmp_path, **changed)


def test_a_word_of_the_lexicon_that_is_not_said_changes_nothing(tmp_path):
    other = read_lexicon('[words]\nmetta = {say = "mettah"}', file="l.toml")
    assert name_of(tmp_path, lexicon=other) == name_of(tmp_path)


@pytest.mark.parametrize("version", ["clip.VERSION", "utter.VERSION", "speak.FORMAT"])
def test_our_own_versions_are_in_the_name(tmp_path, monkeypatch, version):
    before = name_of(tmp_path)
    monkeypatch.setattr(f"metta_audio.speech.{version}", 999)
    assert name_of(tmp_path) != before


def test_no_text_is_told_by_a_name_or_by_what_is_kept(tmp_path):
    speak([line("May Rosalind be well")], {"guide": Hummer()}, lambda role: 110, a_store(tmp_path))
    (path,) = tmp_path.glob("*/*")
    assert "Rosalind" not in str(path)
    assert b"Rosalind" not in path.read_bytes()


class Chorus(Hummer):
    """A voice that may be asked by several threads, and knows how many asked at once."""

    concurrent = True

    def __init__(self, voices=2):
        super().__init__()
        self.barrier = threading.Barrier(voices, timeout=20)

    def speak(self, utterance, rate):
        if utterance.text.startswith("together"):
            self.barrier.wait()
        return super().speak(utterance, rate)


@pytest.mark.skipif(_cores() < 2, reason="needs two cores")
def test_a_voice_that_can_is_heard_in_several_threads_and_the_order_stays(tmp_path):
    voice = Chorus()
    lines = [line("together one"), line("together, number two"), line("three")]
    spoken = speak(lines, {"guide": voice}, lambda role: 110, a_store(tmp_path))
    alone = speak(lines, {"guide": Hummer()}, lambda role: 110, a_store(tmp_path / "alone"))
    assert [each.length for each in spoken] == [each.length for each in alone]


def test_an_error_among_many_keeps_what_was_spoken_and_names_the_first(tmp_path):
    lines = [line("one"), line("unsayable", 2), line("unsayable too", 3), line("four", 4)]
    with pytest.raises(VoiceError, match=r"a\.md:2:1"):
        speak(lines, {"guide": Chorus()}, lambda role: 110, a_store(tmp_path))
    voice = Chorus()
    speak([line("one")], {"guide": voice}, lambda role: 110, a_store(tmp_path))
    assert voice.asked == []


class Person(Hummer):
    """Someone who recorded one line."""

    name = "takes:ana"

    def has(self, utterance):
        return utterance.text == "one"

    def speak(self, utterance, rate):
        assert utterance.text == "one"
        return super().speak(utterance, rate)


def test_what_nobody_recorded_is_said_by_the_fallback_and_told(tmp_path):
    fallback = Hummer("hum 3")
    for _ in range(2):
        spoken = speak(
            [line("one"), line("two")], {"guide": Person()}, lambda role: 110, a_store(tmp_path), fallback=fallback
        )
        assert [each.by for each in spoken] == ["takes:ana", "hum"]
    assert fallback.asked == [("two", 110)], "the second run finds it"


def test_without_a_fallback_the_line_is_named(tmp_path):
    with pytest.raises(MissingTake, match=r"a\.md:9:1: this line has not been recorded by takes:ana; .*--fallback"):
        speak([line("one"), line("two", 9)], {"guide": Person()}, lambda role: 110, a_store(tmp_path))
    with pytest.raises(MissingTake, match=r"a\.md:2:1: 2 of 3 lines have not been recorded by takes:ana"):
        speak([line("one"), line("2", 2), line("3", 3)], {"guide": Person()}, lambda role: 110, a_store(tmp_path))


class Whole(Hummer):
    """A voice that says lines of any length at once."""

    whole_lines = True


@pytest.mark.parametrize(("kind", "pieces"), [(Whole, 1), (Hummer, 2)])
def test_who_keeps_lines_whole_is_given_them_whole(tmp_path, kind, pieces):
    voice = kind()
    speak([line("May all be well. " * 40)], {"guide": voice}, lambda role: 110, a_store(tmp_path))
    assert len(voice.asked) == pieces


def test_a_clip_that_goes_or_breaks_before_it_is_heard_is_said_again(tmp_path):
    voice, store = Hummer(), a_store(tmp_path)
    speaker = Speaker({"guide": voice}, lambda role: 110, store)
    (spoken,) = speaker.speak([line("one")])
    sound = speaker.clip(line("one"), spoken).wave.samples.tobytes()
    (path,) = tmp_path.glob("*/*")
    content = bytearray(path.read_bytes())
    content[-20] ^= 255
    for damage in (lambda: path.write_bytes(content), path.unlink):
        damage()
        assert speaker.clip(line("one"), spoken).wave.samples.tobytes() == sound
    assert len(voice.asked) == 3


def test_a_clip_that_comes_back_otherwise_is_never_put_where_the_first_was(tmp_path):
    store = a_store(tmp_path)
    (spoken,) = Speaker({"guide": Hummer()}, lambda role: 110, store).speak([line("one")])
    store.clear()
    other = Speaker({"guide": Hummer("hum 2")}, lambda role: 110, store)
    with pytest.raises(VoiceError, match=r"a.md:1:1: .*render again"):
        other.clip(line("one"), spoken)


def test_what_is_needed_now_is_not_pruned(tmp_path):
    store = ClipStore(tmp_path, b"s" * 32, 0)
    speak([line("one"), line("two")], {"guide": Hummer()}, lambda role: 110, store)
    assert store.survey().clips == 2
    speak([line("three")], {"guide": Hummer()}, lambda role: 110, store)
    assert store.survey().clips == 1


def test_sounds_that_a_voice_lacks_are_blamed_on_the_lexicon(tmp_path):
    voice = EspeakEngine(Setup()).open("", "en-us")
    lexicon = read_lexicon('[words]\nsafe = {ipa = "ʘøyɬ", say = "sayf"}', file="l.toml")
    with pytest.raises(VoiceError) as caught:
        speak([line("May I be safe.", 7)], {"guide": voice}, lambda _: 110, a_store(tmp_path), lexicon=lexicon)
    assert "which stands in a lexicon" in str(caught.value)
    assert "say =" in caught.value.hint
    own = line("May I be safe.", 7, spans=(Span(9, 13, "ipa", "ʘøyɬ"),))
    with pytest.raises(VoiceError) as caught:
        speak([own], {"guide": voice}, lambda _: 110, a_store(tmp_path))
    assert "lexicon" not in str(caught.value)
    assert str(caught.value).startswith("a.md:7:1")
