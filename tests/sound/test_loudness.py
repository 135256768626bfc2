"""BS.1770-4, Tech 3341 and Tech 3342."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfreqz

from metta_audio.sound.loudness import Loudness, Meter, integrated, k_weighting, loudest

RATE = 48_000


def sine(dbfs: float, seconds: float, rate: int = RATE, hertz: float = 1000.0) -> np.ndarray:
    phase = 2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate
    return (10 ** (dbfs / 20) * np.sin(phase)).astype(np.float32)


def stereo(*parts: tuple[float, float]) -> np.ndarray:
    mono = np.concatenate([sine(level, seconds) for level, seconds in parts])
    return np.stack([mono, mono], axis=1)


def measured(samples: np.ndarray, rate: int = RATE) -> Loudness:
    meter = Meter(rate, samples.shape[1])
    meter.add(samples)
    return meter.result()


def speech_like(seconds: int, rate: int, seed: int = 1) -> np.ndarray:
    """Noise in syllables and pauses, darker than white, louder on one side."""
    random = np.random.default_rng(seed)
    syllables = random.random(seconds * 5) ** 2 * (random.random(seconds * 5) > 0.35)
    shape = np.repeat(syllables, rate // 5)[:, None]
    noise = random.normal(size=(len(shape), 2))
    dark = noise + 0.9 * np.roll(noise, 1, axis=0)
    return (0.12 * dark * shape * [1.0, 0.7]).astype(np.float32)


@pytest.mark.parametrize(
    "parts",
    [
        [(-23, 20)],
        [(-36, 10), (-23, 60), (-36, 10)],
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        [(-26, 20), (-20, 20.1), (-26, 20)],
    ],
    ids=["case 1", "case 3", "case 4", "case 5"],
)
def test_tech_3341(parts: list[tuple[float, float]]) -> None:
    assert measured(stereo(*parts)).integrated == pytest.approx(-23.0, abs=0.1)


def test_tech_3341_case_2() -> None:
    assert measured(stereo((-33, 20))).integrated == pytest.approx(-33.0, abs=0.1)


def test_tech_3341_case_6_weighs_five_channels() -> None:
    channels = np.stack([sine(level, 20) for level in (-28, -28, -24, -30, -30)], axis=1)
    assert measured(channels).integrated == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(
    ("levels", "expected"), [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)]
)
def test_tech_3342(levels: tuple[float, ...], expected: float) -> None:
    assert measured(stereo(*[(level, 20) for level in levels])).range == pytest.approx(expected, abs=0.5)


def test_a_sine_in_one_channel_is_3_lu_quieter_than_in_two() -> None:
    one = sine(-20, 5, hertz=997)[:, None]
    both = np.repeat(one, 2, axis=1)
    assert measured(one).integrated == pytest.approx(-23.0, abs=0.05)
    assert measured(both).integrated == pytest.approx(-20.0, abs=0.05)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 96_000])
def test_k_weighting_is_one_curve_at_every_rate(rate: int) -> None:
    hertz = np.array([20.0, 38.0, 60.0, 100.0, 300.0, 1000.0, 1682.0, 3000.0])
    _, here = sosfreqz(k_weighting(rate), hertz, fs=rate)
    _, table = sosfreqz(k_weighting(RATE), hertz, fs=RATE)
    np.testing.assert_allclose(20 * np.log10(np.abs(here)), 20 * np.log10(np.abs(table)), atol=0.12)
    np.testing.assert_allclose(np.abs(here[:6]), np.abs(table[:6]), rtol=0.006)


def test_at_48_khz_the_filter_is_the_standards_own_table() -> None:
    shelf, high_pass = k_weighting(RATE)
    np.testing.assert_allclose(shelf[[0, 4, 5]], [1.53512485958697, -1.69065929318241, 0.73248077421585], rtol=1e-12)
    np.testing.assert_allclose(high_pass[[0, 4, 5]], [1.0, -1.99004745483398, 0.99007225036621], rtol=1e-12)


@pytest.mark.parametrize("samples", [np.zeros((RATE, 2), np.float32), np.zeros((0, 2), np.float32)])
def test_silence_is_infinitely_quiet(samples: np.ndarray) -> None:
    result = measured(samples)
    silent = -math.inf
    assert (result.integrated, result.momentary_max) == (silent, silent)
    assert (result.true_peak, result.sample_peak, result.range) == (silent, silent, 0.0)
    assert integrated(samples, RATE) == loudest(samples, RATE) == silent


@settings(max_examples=15)
@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=8), st.integers(0, 3))
def test_chunked_is_whole(sizes: list[int], seed: int) -> None:
    rate = 8000
    samples = speech_like(14, rate, seed)
    meter = Meter(rate, 2)
    for block in np.split(samples, np.minimum(np.cumsum(sizes), len(samples))):
        meter.add(block)
        meter.result()  # looking changes nothing
    assert meter.result() == measured(samples, rate)
    assert meter.result().frames == len(samples)


def test_below_the_absolute_gate_nothing_counts() -> None:
    assert measured(stereo((-71, 5))).integrated == -math.inf
    assert measured(stereo((-69, 5))).integrated == pytest.approx(-69, abs=0.1)


@pytest.mark.parametrize("frames", [2, 31, 32, 33, 24_000, 24_001, 24_016, 24_031])
def test_the_true_peak_of_the_very_last_frames_counts(frames: int) -> None:
    samples = np.zeros((frames, 1), np.float32)
    samples[-2:] = 0.5
    assert measured(samples).true_peak == pytest.approx(20 * math.log10(0.5 * 4 / math.pi), abs=0.2)
    assert measured(samples).sample_peak == pytest.approx(-6.02, abs=0.01)


def test_loudest_finds_the_loud_moment_and_pads_short_sounds() -> None:
    quiet_then_loud = np.concatenate([sine(-40, 2), sine(-20, 0.5), sine(-40, 2)])[:, None]
    assert loudest(quiet_then_loud, RATE) == pytest.approx(-23.0, abs=0.3)
    assert loudest(sine(-20, 0.1)[:, None], RATE) == pytest.approx(-23.0 - 6.02, abs=0.3)
    assert measured(quiet_then_loud).momentary_max == pytest.approx(loudest(quiet_then_loud, RATE), abs=1e-9)


def test_helpers_cover_the_whole_sound_and_agree_with_the_meter() -> None:
    samples = speech_like(10, RATE)
    assert integrated(samples, RATE) == pytest.approx(measured(samples).integrated, abs=1e-9)
    late = np.concatenate([np.zeros((RATE * 4 // 10, 1), np.float32), sine(-20, 0.05)[:, None]])
    assert loudest(late, RATE) > -33.0


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (44_100, 1), (22_050, 1), (48_000, 2)])
def test_agrees_with_ffmpeg(rate: int, channels: int, require_program: Callable[[str], str], tmp_path: Path) -> None:
    ffmpeg = require_program("ffmpeg")
    samples = np.ascontiguousarray(speech_like(30, rate)[:, :channels])
    path = tmp_path / "speech.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    command = [ffmpeg, "-nostats", "-hide_banner", "-i", str(path)]
    command += ["-af", "ebur128=peak=true+sample:framelog=verbose", "-f", "null", "-"]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split("Summary:")[-1]
    theirs = [float(figure) for figure in re.findall(r"(?:I|LRA|Peak): +(\S+)", log)]
    ours = measured(samples, rate)
    assert ours.integrated == pytest.approx(theirs[0], abs=0.1)
    assert ours.range == pytest.approx(theirs[1], abs=0.2)
    assert ours.sample_peak == pytest.approx(theirs[2], abs=0.1)
    assert ours.true_peak == pytest.approx(theirs[3], abs=0.2)
