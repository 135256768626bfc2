from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import VoiceError
from metta_audio.sound.wave import Wave
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.words import word_ranges

TEXT = "one two three four five six"


def humming(setting):
    """An engine that speaks six words at nine tenths of the rate it is set to, then pauses."""
    time = np.arange(round(6 * 60 / (0.9 * setting) * 8_000)) / 8_000
    return Wave.mono(np.pad(np.sin(2 * np.pi * 200 * time), (800, 8_000)), 8_000)


def test_the_measured_rate_is_inverted():
    calibration = calibrate(humming, TEXT, [80, 120, 200])
    assert calibration.rates == pytest.approx([72, 108, 180], rel=0.005)
    assert calibration.setting(90) == pytest.approx(100, rel=0.005)


def test_an_engine_that_falls_back_still_has_one_way_to_each_rate():
    calibration = calibrate(lambda setting: humming(min(setting, 220 - setting)), TEXT, [80, 110, 130])
    assert list(calibration.rates) == sorted(calibration.rates)
    assert calibration.setting(99) >= 109


@given(st.floats(100, 200), st.floats(100, 200))
def test_faster_is_never_slower(one, other):
    calibration = Calibration((80, 120, 200), (100.0, 150.0, 200.0))
    slow, fast = sorted((one, other))
    assert calibration.setting(slow) <= calibration.setting(fast)


def test_a_rate_out_of_reach_names_the_range():
    calibration = Calibration((80, 200), (99.5, 200.4))
    with pytest.raises(VoiceError, match="cannot speak 80 words a minute; choose a rate from 100 to 200"):
        calibration.setting(80)
    with pytest.raises(VoiceError, match="from 100 to 200"):
        calibration.setting(220)
    assert calibration.setting(96) == 80


def test_a_voice_without_sound_is_an_error():
    with pytest.raises(VoiceError, match="makes no sound"):
        calibrate(lambda setting: Wave.mono(np.zeros(100)), TEXT, [80, 200])


@pytest.mark.parametrize("language", ["en", "en-us", "de", "fr-be", "fi"])
def test_every_language_has_something_to_say(language):
    assert len(word_ranges(calibration_text(language))) >= 12


def test_regions_share_a_text_and_languages_do_not():
    assert calibration_text("en-gb") == calibration_text("en-us")
    assert calibration_text("de") != calibration_text("en")
