"""Lines as eSpeak says them, for tests that need somebody to read."""

from __future__ import annotations

import functools

import numpy as np

from metta_audio.sound.wave import Wave
from metta_audio.speech.voice import Setup, Utterance
from metta_audio.voices.espeak import EspeakEngine
from metta_audio.voices.espeak.engine import EspeakVoice


@functools.cache
def _voice(variant: str) -> EspeakVoice:
    return EspeakEngine(Setup()).open(variant, "en-us")


@functools.cache
def spoken(text: str, variant: str = "en-us", rate: float = 120.0) -> Wave:
    """``text`` from the first sample that sounds to the last."""
    wave = _voice(variant).speak(Utterance(text), rate).wave
    heard = np.flatnonzero(np.abs(wave.samples[:, 0]) > 1e-3)
    return Wave(wave.samples[heard[0] : heard[-1] + 1], wave.rate)
