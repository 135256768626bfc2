"""What each engine's chain does to its own voices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metta_audio.sound.chain import MILD, PLAIN, applied
from metta_audio.speech.calibration import calibration_text
from metta_audio.speech.clip import make_clip
from metta_audio.speech.voice import Setup, Utterance, chain_of
from metta_audio.voices.espeak import EspeakEngine
from metta_audio.voices.silent import SilentEngine
from metta_audio.voices.system import SystemVoice
from metta_audio.voices.tone import ToneEngine

OCTAVES = (125, 250, 500, 1000, 2000, 4000, 8000)


def octaves(samples, rate):
    """Power in each octave, in dB."""
    power, hertz = np.abs(np.fft.rfft(samples)) ** 2, np.fft.rfftfreq(len(samples), 1 / rate)
    return [
        10 * math.log10(power[(hertz > middle / math.sqrt(2)) & (hertz < middle * math.sqrt(2))].sum())
        for middle in OCTAVES
    ]


@pytest.mark.parametrize("variant", ["en-us", "en-us+f3", "en-us+m8", "de"])
def test_espeak_is_warmer_and_softer_at_the_edge_and_changes_by_no_more_than_three_decibels(variant):
    voice = EspeakEngine(Setup()).open(variant, "en-us")
    wave = voice.speak(Utterance(calibration_text(variant[:2])), 110).wave
    samples = wave.samples[:, 0].astype(np.float64)
    shaped = applied(samples, wave.rate, chain_of(voice))
    change = np.subtract(octaves(shaped, wave.rate), octaves(samples, wave.rate))
    assert np.abs(change).max() < 3
    assert change[OCTAVES.index(250)] > 0.4
    assert change[OCTAVES.index(1000)] == pytest.approx(0, abs=0.1)
    assert change[OCTAVES.index(4000)] < -0.4
    assert change[OCTAVES.index(8000)] < -0.8


def test_its_words_stay_where_they_were():
    voice = EspeakEngine(Setup()).open("", "en-us")
    speech = voice.speak(Utterance("Soft sounds settle as the breath passes."), 110)
    plain, shaped = make_clip(speech), make_clip(speech, chain_of(voice))
    assert plain.words == shaped.words
    assert plain.wave.frames == shaped.wave.frames
    assert not np.array_equal(plain.wave.samples, shaped.wave.samples)


def test_voices_of_tones_and_of_silence_are_left_alone_and_the_systems_get_the_mild_one():
    for engine in (ToneEngine(Setup()), SilentEngine(Setup())):
        assert chain_of(engine.open("", "en-us")) == PLAIN
    assert SystemVoice.chain == MILD
