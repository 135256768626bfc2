from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.errors import VoiceError
from metta_audio.speech.activity import articulation
from metta_audio.speech.clip import LEAD, make_clip
from metta_audio.speech.voice import Setup, Utterance
from metta_audio.units import RATE, to_samples
from metta_audio.voices import silent, tone

TEXT = "May I be safe, and well."


@settings(max_examples=20)
@given(st.integers(1, 12), st.floats(60, 240))
def test_tones_begin_exactly_where_their_words_do(count, rate):
    text = " ".join(["om"] * count)
    speech = tone.ToneEngine(Setup()).open("", "en-us").speak(Utterance(text), rate)
    assert [word.onset for word in speech.words] == [
        to_samples(tone.EDGE) + to_samples(number * 60 / rate) for number in range(count)
    ]
    clip = make_clip(speech)
    for number, word in enumerate(clip.words):
        assert word.onset / RATE == pytest.approx(LEAD + number * 60 / rate, abs=0.003)
        before = clip.wave.samples[max(0, word.onset - 400) : max(0, word.onset - 150)]
        after = clip.wave.samples[word.onset + 400 : word.onset + 1_000]
        assert np.abs(before).max(initial=0) < 0.05 * np.abs(after).max()


def test_tones_are_told_apart_by_pitch():
    for pitch in (165, 220, 440):
        wave = tone.ToneEngine(Setup()).open(str(pitch), "de").speak(Utterance(TEXT), 110).wave
        spectrum = np.abs(np.fft.rfft(wave.samples[:, 0]))
        assert np.argmax(spectrum) * RATE / wave.frames == pytest.approx(pitch, abs=2)


@pytest.mark.parametrize("variant", ["0", "59", "2001", "-220", "high", "220.5", "²²⁰", "١٢٠"])
def test_no_other_pitches(variant):
    with pytest.raises(VoiceError, match="whole Hz from 60 to 2000"):
        tone.ToneEngine(Setup()).open(variant, "en-us")


@settings(max_examples=20)
@given(st.integers(1, 30), st.floats(40, 300))
def test_silence_is_as_long_as_its_words_take(count, rate):
    speech = silent.SilentEngine(Setup()).open("", "en-us").speak(Utterance(" ".join(["om"] * count)), rate)
    assert speech.wave.frames == to_samples(count * 60 / rate)
    clip = make_clip(speech)
    assert clip.wave.frames == speech.wave.frames
    assert not clip.wave.samples.any()
    assert [word.onset for word in clip.words] == [to_samples(number * 60 / rate) for number in range(count)]
    assert articulation(clip.wave) == 0


def test_silence_has_no_variants():
    with pytest.raises(VoiceError, match='write "silent"'):
        silent.SilentEngine(Setup()).open("loud", "en-us")


@pytest.mark.parametrize("engine", [tone.ToneEngine(Setup()), silent.SilentEngine(Setup())])
@pytest.mark.parametrize("roles", [1, 3, 10])
def test_casts_open(engine, roles):
    cast = engine.cast("", "en-us", roles)
    assert len(cast) == roles
    assert engine.problem() == ""
    voices = [engine.open(variant, "en-us") for variant in cast]
    assert voices[0].fingerprint == engine.open("", "en-us").fingerprint


def test_tone_roles_differ():
    assert len(set(tone.ToneEngine(Setup()).cast("330", "en-us", 6))) == 6
    assert tone.ToneEngine(Setup()).cast("330", "en-us", 2)[0] == "330"
