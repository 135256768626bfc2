from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import articulation, stretches

RATES = (8_000, 22_050, 44_100)


def tones(rate, *parts):
    """A wave of (seconds, amplitude) parts."""
    pieces = [
        amplitude * np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * 300 / rate) for seconds, amplitude in parts
    ]
    return Wave.mono(np.concatenate(pieces), rate)


@given(st.sampled_from(RATES), st.floats(0.05, 1), st.floats(0.1, 1), st.floats(0.05, 1))
def test_the_edges_of_speech_are_found_to_two_milliseconds(rate, before, sounding, after):
    wave = tones(rate, (before, 0), (sounding, 0.3), (after, 0))
    ((start, end),) = stretches(wave)
    assert start / rate == pytest.approx(before, abs=0.002)
    assert end / rate == pytest.approx(before + sounding, abs=0.002)


@given(st.floats(1e-4, 1.0))
def test_how_loud_it_is_changes_nothing(level):
    parts = [(0.2, 0.0), (0.5, 0.8), (0.4, 0.0), (0.3, 0.2), (0.2, 0.0)]
    scaled = [(seconds, amplitude * level) for seconds, amplitude in parts]
    assert stretches(tones(22_050, *scaled)) == stretches(tones(22_050, *parts))


@pytest.mark.parametrize(("gap", "count"), [(0.2, 1), (0.3, 2)])
def test_a_quarter_of_a_second_parts_speech(gap, count):
    wave = tones(22_050, (0.1, 0), (0.5, 0.3), (gap, 0), (0.5, 0.3))
    assert len(stretches(wave)) == count
    spoken = 1.0 if count == 2 else 1.0 + gap
    assert articulation(wave) == pytest.approx(spoken, abs=0.005)


def test_noise_at_the_edges_is_not_speech():
    rng = np.random.default_rng(1)
    wave = tones(22_050, (0.3, 0), (0.5, 0.3), (0.7, 0))
    noisy = Wave.mono(wave.samples[:, 0] + rng.normal(0, 0.3 * 10 ** (-48 / 20), wave.frames), 22_050)
    ((start, end),) = stretches(noisy)
    assert start / 22_050 == pytest.approx(0.3, abs=0.002)
    assert end / 22_050 == pytest.approx(0.8, abs=0.002)


def test_a_quiet_blip_after_the_last_word_is_junk_but_a_word_is_not():
    blip = stretches(tones(22_050, (0.5, 0.3), (0.4, 0), (0.06, 0.03), (0.1, 0)))
    word = stretches(tones(22_050, (0.5, 0.3), (0.4, 0), (0.2, 0.03), (0.1, 0)))
    loud = stretches(tones(22_050, (0.5, 0.3), (0.4, 0), (0.06, 0.2), (0.1, 0)))
    assert (len(blip), len(word), len(loud)) == (1, 2, 2)


@pytest.mark.parametrize("frames", [0, 1, 5, 1000])
def test_silence_holds_no_speech(frames):
    wave = Wave.mono(np.zeros(frames), 22_050)
    assert stretches(wave) == ()
    assert articulation(wave) == 0
