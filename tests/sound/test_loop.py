"""Where a recording turns, and how."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.sound.loop import CELL, Loop, Profile, best_lag, choose, crossfade, sounding, unfaded
from metta_audio.units import RATE


def noise(frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (frames, 2)).astype(np.float32)


def moments(levels: np.ndarray) -> np.ndarray:
    """A profile with these levels in dB, one for each tenth of a second, the same in every band."""
    return np.repeat(10 ** (np.asarray(levels, float) / 10)[:, None], 6, axis=1)


def power_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


def test_a_profile_holds_all_power_in_its_bands() -> None:
    profile = Profile()
    sound = noise(10 * CELL + 17)
    for start in range(0, len(sound), 999):
        profile.add(sound[start : start + 999])
    powers = profile.powers()
    assert len(powers) == 10
    # White noise: below 20 Hz lies one thousandth.
    assert 10 * np.log10(powers.sum(axis=1).mean()) == pytest.approx(power_db(sound), abs=0.1)
    low, high = Profile(), Profile()
    time = np.arange(5 * CELL)[:, None] / RATE * np.ones(2)
    low.add(np.sin(2 * np.pi * 60 * time).astype(np.float32))
    high.add(np.sin(2 * np.pi * 10_000 * time).astype(np.float32))
    assert low.powers().sum(axis=0).argmax() == 0
    assert high.powers().sum(axis=0).argmax() == 5


@given(st.integers(0, 100), st.integers(0, 100), st.integers(30, 300))
def test_silence_at_the_ends_is_left_out(before: int, after: int, length: int) -> None:
    levels = np.concatenate([np.full(before, -200.0), np.full(length, -40.0), np.full(after, -120.0)])
    assert sounding(moments(levels)) == (before, before + length)


def test_silence_in_the_middle_stays() -> None:
    levels = np.tile([-40.0] * 5 + [-200.0] * 20, 10)
    assert sounding(moments(levels)) == (0, 230)


def test_fades_are_left_out_and_swells_are_not() -> None:
    fading = np.concatenate([np.linspace(-60, -30, 80), np.full(400, -30.0), np.linspace(-30, -80, 50)])
    first, last = unfaded(moments(fading), 20)
    assert 66 <= first <= 80
    assert 478 <= last <= 490
    waves = -40 + 8 * np.sin(2 * np.pi * np.arange(600) / 100)
    first, last = unfaded(moments(waves), 20)
    assert first < 10
    assert last > 540
    assert unfaded(moments(np.linspace(-60, -30, 22)), 20) == (1, 22)  # a short one keeps what it needs


@given(st.integers(20, 2000), st.integers(0, 2**32 - 1))
def test_a_loop_lies_within_and_keeps_half(count: int, seed: int) -> None:
    levels = np.random.default_rng(seed).normal(-40, 3, count)
    loop = choose(moments(levels))
    assert 0 <= loop.start < loop.end
    assert loop.end + loop.fade <= count * CELL
    assert loop.fade == min(30, count // 4) * CELL
    assert loop.end - loop.start >= (0.4 * count - 1) * CELL


@pytest.mark.parametrize(("seconds", "period"), [(60, 12.0), (60, 7.0), (120, 40.0), (600, 95.0)])
def test_both_sides_of_a_swell_are_equally_loud(seconds: int, period: float) -> None:
    time = np.arange(10 * seconds) / 10
    levels = -40 + 6 * np.sin(2 * np.pi * time / period)
    loop = choose(moments(levels))
    start, end, fade = (each // CELL for each in (loop.start, loop.end, loop.fade))
    assert np.abs(levels[start : start + fade] - levels[end : end + fade]).max() < 1


def test_no_clap_is_in_the_crossfade() -> None:
    levels = np.full(600, -50.0)
    claps = np.arange(13, 600, 37)
    levels[claps] = -25
    loop = choose(moments(levels))
    for begin in (loop.start // CELL, loop.end // CELL):
        assert not set(range(begin, begin + 30)) & set(claps)


def test_both_sides_have_one_colour() -> None:
    """A bird sings for eight seconds before a car comes, as loud: the loop is all car."""
    powers = np.full((600, 6), 1e-6)
    powers[:80, 4] = powers[80:, 1] = 1e-4
    loop = choose(powers)
    start, end = loop.start // CELL, loop.end // CELL
    assert start == 80
    assert np.array_equal(powers[start : start + 30], powers[end : end + 30])


def test_where_all_is_alike_nothing_is_lost() -> None:
    assert choose(moments(np.full(600, -40.0))) == Loop(0, 570 * CELL, 30 * CELL)


@pytest.mark.parametrize("late", [0, 1, 777, 8819])
def test_waves_are_brought_together(late: int) -> None:
    sound = noise(RATE + 8820)
    assert best_lag(sound, sound[late : late + RATE]) == late


@pytest.mark.parametrize("phase", [0.0, 1.0, 2.0, 2.5])
def test_two_tones_cross_without_dip_or_bump(phase: float) -> None:
    time = np.arange(3 * RATE)[:, None] / RATE
    ending = (0.2 * np.sin(2 * np.pi * 220 * time) * np.ones(2)).astype(np.float32)
    beginning = (0.2 * np.sin(2 * np.pi * 220 * time + phase) * np.ones(2)).astype(np.float32)
    mixed = crossfade(ending, beginning)
    levels = [power_db(part) for part in np.split(mixed, 30)]
    assert levels == pytest.approx([power_db(ending)] * 30, abs=1.0)


def test_two_noises_cross_without_dip_or_bump() -> None:
    mixed = crossfade(noise(3 * RATE, 1), noise(3 * RATE, 2))
    levels = [power_db(part) for part in np.split(mixed, 30)]
    assert levels == pytest.approx([-20.0] * 30, abs=0.3)


def test_a_crossfade_begins_as_one_and_ends_as_the_other() -> None:
    ending, beginning = noise(RATE, 1), noise(RATE, 2)
    mixed = crossfade(ending, beginning)
    assert mixed[0] == pytest.approx(ending[0])
    assert np.abs(mixed[-5:] - beginning[-5:]).max() < 1e-3


def test_what_cancels_out_is_not_blown_up() -> None:
    sound = noise(RATE)
    mixed = crossfade(sound, -sound)
    assert np.isfinite(mixed).all()
    assert np.abs(mixed).max() <= 2.01 * np.abs(sound).max()
