from __future__ import annotations

import functools

import numpy as np
import pytest
import soxr

from metta_audio.sound.wave import Wave
from metta_audio.speech.voice import Setup, Utterance
from metta_audio.takes.likeness import bands, distances, shapes
from metta_audio.voices.espeak import EspeakEngine

LINES = (
    "May I be safe, and may I be at ease in the days to come.",
    "Let the floor carry the weight of your feet for a while.",
    "There may be a sound nearby, or there may be none at all.",
    "You could listen to it as if it had been made for you.",
    "Perhaps you move your fingers, and then you move your toes.",
)
WOMAN = 1.16
"""The warp for eSpeak's third woman."""


@functools.cache
def voice(variant):
    return EspeakEngine(Setup()).open(variant, "en-us")


@functools.cache
def said(text, variant="en-us", rate=120.0):
    wave = voice(variant).speak(Utterance(text), rate).wave
    heard = np.flatnonzero(np.abs(wave.samples[:, 0]) > 1e-3)
    return Wave(wave.samples[heard[0] : heard[-1] + 1], wave.rate)


def table(sounds, warp=1.0):
    """How far each of ``sounds`` is from each of ``LINES``: rows are sounds."""
    lines, heard = shapes([bands(said(line)) for line in LINES]), shapes([bands(wave, warp) for wave in sounds])
    return np.stack([distances(line, heard) for line in lines], axis=1)


def test_a_sound_is_at_no_distance_from_itself():
    assert np.diag(table([said(line) for line in LINES])) == pytest.approx(np.zeros(len(LINES)), abs=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda wave: Wave.mono(0.01 * wave.samples[:, 0], wave.rate),
        lambda wave: Wave.mono(soxr.resample(wave.samples[:, 0], wave.rate, 48_000), 48_000),
        # A microphone that takes the low: one colour for all.
        lambda wave: Wave.mono(np.diff(wave.samples[:, 0]), wave.rate),
    ],
    ids=["softer", "another sample rate", "another microphone"],
)
def test_what_changes_no_words_changes_little(change):
    apart = table([change(said(line)) for line in LINES])
    assert np.diag(apart).max() < 0.1
    assert apart[~np.eye(len(LINES), dtype=bool)].min() > 0.4


@pytest.mark.parametrize("rate", [95.0, 165.0])
def test_another_pace_and_another_voice_are_nearer_than_another_line(rate):
    apart = table([said(line, "en-us+f3", rate) for line in LINES], WOMAN)
    assert list(apart.argmin(axis=1)) == list(range(len(LINES)))
    own, others = np.diag(apart), apart[~np.eye(len(LINES), dtype=bool)]
    assert own.max() + 0.05 < others.min()


def test_the_right_warp_brings_another_throat_nearer():
    sounds = [said(line, "en-us+f3") for line in LINES]
    assert np.diag(table(sounds, WOMAN)).mean() + 0.03 < np.diag(table(sounds, 0.86)).mean()


def test_half_a_line_and_a_whole_one_are_told_apart():
    whole = said(LINES[0])
    half = Wave(whole.samples[: whole.frames // 2], whole.rate)
    apart = table([half, *(said(line) for line in LINES[1:])])
    assert apart[0, 0] > 0.4


def test_silence_and_the_shortest_sounds_are_like_nothing():
    quiet = Wave.mono(np.zeros(22_050), 22_050)
    click = Wave.mono(np.ones(3), 22_050)
    apart = table([quiet, click, *(said(line) for line in LINES)])
    assert np.isfinite(apart).all()
    assert apart[:2].min() > 0.4
    assert distances(shapes([bands(quiet)])[0], []).shape == (0,)
