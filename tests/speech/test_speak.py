from __future__ import annotations

import numpy as np
import pytest

from metta_audio.errors import Place, VoiceError
from metta_audio.script.model import Line, Span
from metta_audio.sound.chain import MILD, PLAIN, Chain
from metta_audio.sound.wave import Wave
from metta_audio.speech.cache import ClipStore
from metta_audio.speech.speak import speak
from metta_audio.speech.voice import Speech, Word, chain_of


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


def line(text, number=1, role="guide", spans=()):
    return Line(role, text, Place("a.md", number), spans)


def test_each_line_gets_its_clip_in_order_and_a_repeated_one_is_spoken_once(tmp_path):
    voice, store = Hummer(), ClipStore(tmp_path)
    spoken = speak([line("one"), line("three"), line("one", 3)], {"guide": voice}, lambda role: 110, store)
    assert voice.asked == [("one", 110), ("three", 110)]
    assert spoken[0] == spoken[2]
    assert spoken[0].length < spoken[1].length
    for clip in spoken:
        stored = store.get(clip.key)
        assert (stored.wave.frames, stored.words) == (clip.length, clip.words)


def test_a_later_run_speaks_nothing_and_gives_the_same(tmp_path):
    lines = [line("one"), line("two")]
    first = speak(lines, {"guide": Hummer()}, lambda role: 110, ClipStore(tmp_path))
    voice = Hummer()
    assert speak(lines, {"guide": voice}, lambda role: 110, ClipStore(tmp_path)) == first
    assert voice.asked == []


def test_role_rate_voice_and_markup_each_make_another_clip(tmp_path):
    voices = {"guide": Hummer(), "part": Hummer("hum 2")}
    lines = [line("one"), line("one", role="part"), line("one", spans=(Span(0, 3, "slow"),))]
    rates = {"guide": 110.0, "part": 110.0}
    spoken = speak(lines, voices, rates.__getitem__, ClipStore(tmp_path))
    rates["guide"] = 100.0
    slower = speak(lines[:1], voices, rates.__getitem__, ClipStore(tmp_path))
    assert len({clip.key for clip in (*spoken, *slower)}) == 4


def test_errors_carry_the_line_and_the_hint(tmp_path):
    with pytest.raises(VoiceError) as caught:
        speak([line("fine"), line("unsayable", 7)], {"guide": Hummer()}, lambda role: 110, ClipStore(tmp_path))
    assert str(caught.value) == "a.md:7:1: cannot say this; say something else"


def test_a_role_without_a_voice_is_named(tmp_path):
    with pytest.raises(VoiceError, match=r'a.md:1:1: no voice for the role "giude"; did you mean "guide"\?'):
        speak([line("x", role="giude")], {"guide": Hummer()}, lambda role: 110, ClipStore(tmp_path))


def test_progress_is_told_once_a_line(tmp_path):
    ticks = []
    lines = [line("one"), line("one"), line("two")]
    speak(lines, {"guide": Hummer()}, lambda role: 110, ClipStore(tmp_path), lambda: ticks.append(1))
    assert len(ticks) == 3


def test_a_damaged_clip_is_spoken_again(tmp_path):
    first = speak([line("one")], {"guide": Hummer()}, lambda role: 110, ClipStore(tmp_path))
    (path,) = tmp_path.glob("*/*")
    path.write_bytes(path.read_bytes()[:-50])
    voice = Hummer()
    assert speak([line("one")], {"guide": voice}, lambda role: 110, ClipStore(tmp_path)) == first
    assert voice.asked == [("one", 110)]


def with_chain(chain):
    voice = Hummer()
    voice.chain = chain
    return voice


def spoken_by(voice, folder, **options):
    store = ClipStore(folder)
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
