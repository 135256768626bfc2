"""The ceiling holds, quiet passes unchanged, one block equals many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample

from metta_audio.sound.limit import Limiter, gain_curve
from metta_audio.units import Decibels, Hertz

RATE = Hertz(44_100)
CEILING = Decibels(-2.0)
FRAMES = 9_000


def limited(samples: np.ndarray, sizes: list[int] | None = None, ceiling: Decibels = CEILING) -> np.ndarray:
    limiter = Limiter(ceiling, RATE, samples.shape[1])
    blocks = np.split(samples, np.minimum(np.cumsum(sizes or []), len(samples)))
    return np.concatenate([*(limiter.process(block) for block in blocks), limiter.flush()])


def true_peak(samples: np.ndarray) -> float:
    """In dBTP, measured independently: ideal band-limited interpolation by 8, through the spectrum."""
    edge = np.zeros((1000, samples.shape[1]))
    padded = np.concatenate([edge, samples.astype(np.float64), edge])
    return float(20 * np.log10(np.abs(resample(padded, 8 * len(padded), axis=0)).max()))


def bursts(kind: str, seed: int) -> np.ndarray:
    """Something loud that starts and stops, up to 12 dB over full scale, without content above 19 kHz."""
    random = np.random.default_rng(seed)
    at = np.arange(FRAMES)
    if kind == "square":
        carrier = np.sign(np.sin(np.pi * at / random.integers(3, 300) + 0.1))
    elif kind == "sine":
        carrier = np.sin(2 * np.pi * random.uniform(30, 15_000) / RATE * at)
    elif kind == "clicks":
        carrier = (random.random(FRAMES) > 0.998) * random.choice([-1.0, 1.0], FRAMES)
    else:
        carrier = random.normal(size=FRAMES) / 2
    level = np.repeat(4 * random.random(FRAMES // 500) ** 3, 500)
    spectrum = np.fft.rfft(carrier * level)
    hertz = np.fft.rfftfreq(FRAMES, 1 / RATE)
    spectrum *= np.clip((19_000 - hertz) / 1_000, 0, 1)
    mono = np.fft.irfft(spectrum, FRAMES)
    return np.stack([mono, random.uniform(-1, 1) * np.roll(mono, 7)], axis=1).astype(np.float32)


signals = st.builds(bursts, st.sampled_from(["square", "sine", "clicks", "noise"]), st.integers(0, 2**32 - 1))


@given(signals)
def test_the_ceiling_holds_between_the_samples_too(samples: np.ndarray) -> None:
    assert true_peak(limited(samples)) <= CEILING + 0.05


def test_a_peak_between_the_samples_is_seen() -> None:
    at = np.arange(FRAMES)
    fade = np.clip(np.minimum(at, at[::-1]) / 500, 0, 1)
    sine = (0.85 * fade * np.sin(np.pi * at / 2 + np.pi / 4))[:, None].astype(np.float32)
    assert np.abs(sine).max() < 10 ** (CEILING / 20) - 0.1  # no sample is over, and yet
    assert true_peak(sine) > CEILING + 0.5
    assert CEILING - 0.3 <= true_peak(limited(sine)) <= CEILING + 0.05


@given(signals, st.lists(st.integers(0, 5_000), max_size=6))
def test_chunked_is_whole_and_as_long_as_it_came(samples: np.ndarray, sizes: list[int]) -> None:
    whole = limited(samples)
    assert whole.shape == samples.shape
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(limited(samples, sizes), whole)


@pytest.mark.parametrize("frames", [0, 1, 4095, 4096, 4112, 4113, 8192, 8208, 8209, 20_000])
def test_every_length_comes_out_whole(frames: int) -> None:
    samples = np.random.default_rng(frames).uniform(-0.2, 0.2, (frames, 2)).astype(np.float32)
    np.testing.assert_array_equal(limited(samples), samples)


@given(signals)
def test_what_does_not_exceed_passes_bit_for_bit(samples: np.ndarray) -> None:
    quiet = samples / np.float32(10 ** ((true_peak(samples) - CEILING + 0.1) / 20))
    np.testing.assert_array_equal(limited(quiet), quiet)


def test_away_from_a_peak_nothing_changes() -> None:
    """Within 8 ms before and 90 ms after a peak the gain may differ from one; elsewhere not in one bit."""
    samples = np.random.default_rng(5).uniform(-0.2, 0.2, (60_000, 2)).astype(np.float32)
    peak = 30_000
    samples[peak] = 1.5
    changed = np.flatnonzero((limited(samples) != samples).any(axis=1))
    assert peak - 0.008 * RATE <= changed[0] < peak < changed[-1] <= peak + 0.090 * RATE
    assert changed[-1] >= peak + 0.050 * RATE


@given(signals)
def test_both_channels_share_one_gain_which_never_lifts(samples: np.ndarray) -> None:
    after = limited(samples)
    audible = np.abs(samples) > 1e-3
    gains = np.where(audible, after / np.where(audible, samples, 1), np.nan)
    assert np.nanmax(gains, initial=0) <= 1.00001
    both = audible.all(axis=1)
    np.testing.assert_allclose(gains[both, 0], gains[both, 1], rtol=1e-4)


@given(st.lists(st.tuples(st.integers(150, 400), st.floats(0.1, 20)), max_size=8))
def test_the_gain_is_low_enough_and_never_steep(peaks: list[tuple[int, float]]) -> None:
    ahead, release = 7, 110
    needs = np.zeros(600)
    for cell, need in peaks:
        needs[cell] = max(needs[cell], need)
    reduction = -20 * np.log10(gain_curve(needs, ahead, release))
    first = ahead + release + 1
    at_edges = np.maximum(needs[first - 1 : -1], needs[first:])[: len(reduction)]
    assert (reduction >= at_edges - 1e-9).all()
    assert reduction.max() <= needs.max() + 1e-9
    deepest = max((need for _, need in peaks), default=0)
    steps = np.diff(reduction)
    assert steps.max(initial=0) <= deepest * 2 / (ahead + 2) + 1e-9  # the highest weight of the mean
    assert -steps.min(initial=0) <= deepest * 2 / (ahead + 2) + 1e-9


def test_after_one_peak_the_gain_comes_back_slowly() -> None:
    needs = np.zeros(600)
    needs[200] = 6.0
    steps = np.diff(-20 * np.log10(gain_curve(needs, 7, 110)))
    assert -steps.min() <= 6.0 * (np.pi / 2) / 110 * 1.05
