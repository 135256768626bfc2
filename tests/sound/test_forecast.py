"""The loudness of a whole is told before it is mixed, and brought to its target by one gain."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.sound.bed import load_bed, open_bed
from metta_audio.sound.duck import Ducking
from metta_audio.sound.forecast import MOST, MOST_FALL, STEP, brought_to, forecast
from metta_audio.sound.loudness import Meter
from metta_audio.sound.mix import Placed, Score, WaveSource, mix
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Decibels, Lufs, Samples

MODEL = load_bed('[[layer]]\nkind = "noise"\nslope = -3.0\n', name="b", file="b.toml")


def burst(start: float, seconds: float, level: float, seed: int) -> Placed:
    """A noise in both channels, about ``level`` LUFS."""
    samples = np.random.default_rng(seed).normal(0, 10 ** ((level - 3.5) / 20), (round(seconds * RATE), 1))
    wave = Wave(samples.clip(-1, 1).astype(np.float32))
    return Placed(Samples(round(start * RATE)), Samples(wave.frames), lambda: WaveSource(wave))


def score(seconds: float, voice: list[Placed], cues: tuple[Placed, ...] = (), *, bed: bool = True) -> Score:
    speech = tuple((each.start, Samples(each.start + each.length)) for each in voice)
    return Score(
        Samples(round(seconds * RATE)), tuple(voice), cues, open_bed(MODEL, 0) if bed else None, Ducking(speech)
    )


def measured(given: Score) -> float:
    meter = Meter(RATE, 2)
    for block in mix(given):
        meter.add(block)
    return meter.result().integrated


@pytest.mark.slow
@settings(max_examples=12)
@given(
    st.lists(st.floats(0.5, 4.0), min_size=1, max_size=8),
    st.floats(0.5, 12.0),
    st.floats(-36, -18),
    st.booleans(),
)
def test_the_forecast_is_what_the_mix_measures(lines: list[float], gap: float, cue: float, bed: bool) -> None:
    voice, at = [], 2.0
    for number, seconds in enumerate(lines):
        voice.append(burst(at, seconds, -16, number))
        at += seconds + gap
    given = score(at + 2, voice, (burst(at - gap, min(gap, 3), cue, 99),), bed=bed)
    assert forecast(given) == pytest.approx(measured(given), abs=0.15)


@pytest.mark.parametrize("target", [-16, -18, -20, -23])
def test_it_comes_to_its_target(target: float) -> None:
    given = score(40, [burst(3, 2, -17, 1), burst(20, 2, -17, 2)], (burst(7, 12, -20, 3),))
    whole = brought_to(replace(given, gain=Decibels(target + 16.0)), Lufs(target))
    assert measured(whole) == pytest.approx(target, abs=STEP / 2 + 0.1)
    assert abs(measured(given) + 16) > 0.4  # without it would not


def test_the_gain_moves_in_steps_and_not_far() -> None:
    for level in (-19, -21, -13, -10):
        assert abs(brought_to(score(30, [burst(3, 2, level, 1)]), Lufs(-16.0)).gain) <= MOST
    for level in np.arange(-17.0, -15.0, 0.2):
        found = brought_to(score(10, [burst(3, 2, float(level), 1)]), Lufs(-16.0)).gain
        assert found / STEP == round(found / STEP)


def test_silence_stays_as_it_is() -> None:
    silence = score(5, [], bed=False)
    assert forecast(silence) == -math.inf
    assert brought_to(silence, Lufs(-16.0)) is silence
    assert forecast(score(0.05, [], bed=False)) == -math.inf


def test_where_little_is_said_the_bed_falls_before_the_voice_rises() -> None:
    sparse = score(120, [burst(3, 1.5, -17, 1), burst(60, 1.5, -17, 2)])
    whole = brought_to(sparse, Lufs(-16.0))
    assert -MOST_FALL <= whole.bed_gain < 0
    assert abs(whole.gain) < 2
    assert measured(whole) == pytest.approx(-16, abs=0.3)
    kept = brought_to(sparse, Lufs(-16.0), bed_may_fall=False)
    assert kept.bed_gain == 0
    talkative = score(30, [burst(at, 2, -17, at) for at in range(2, 26, 3)])
    assert brought_to(talkative, Lufs(-16.0)).bed_gain == 0


def test_what_comes_nowhere_near_stays_as_it_is() -> None:
    hardly = score(120, [burst(3, 1.5, -17, 1)], (burst(10, 100, -30, 2),))
    assert brought_to(hardly, Lufs(-16.0)) is hardly
