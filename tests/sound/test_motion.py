"""Motions keep their bounds, and those who follow one move together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

from metta_audio.sound.bed import load_bed, open_bed
from metta_audio.sound.motion import Following, Gusts, Pulse, Waves
from metta_audio.sound.stream import CHUNK
from metta_audio.units import RATE


def values(motion: Waves | Gusts | Pulse, seconds: float, seed: int = 1, step: int = 441) -> np.ndarray:
    return motion.curve(seed, 3)(np.arange(0, seconds * RATE, step, dtype=np.float64))


@given(st.floats(2, 20), st.floats(1, 2), st.floats(0.1, 0.9), st.floats(0, 0.9), st.integers(0, 9))
@settings(max_examples=40)
def test_waves_keep_their_bounds(shortest: float, times: float, rise: float, uneven: float, seed: int) -> None:
    longest = shortest * times
    curve = values(Waves(shortest, longest, rise, uneven), 40 * shortest, seed)
    assert 0 <= curve.min() <= curve.max() <= 1
    crests, _ = find_peaks(curve)
    between = np.diff(crests) / 100
    assert len(between) > 10
    assert between.min() >= shortest - 0.03
    assert between.max() <= longest + 0.03
    assert curve[crests].min() >= 1 - uneven - 0.01
    troughs = [int(one + curve[one:other].argmin()) for one, other in itertools.pairwise(crests)]
    assert np.abs(curve[troughs]).max() < 0.01
    rises = (crests[1:] - troughs) / np.diff(crests)
    assert np.median(rises) == pytest.approx(rise, abs=0.05)
    assert np.abs(np.diff(curve)).max() <= 1.6 / (min(rise, 1 - rise) * shortest * 100)  # no step


def test_gusts_come_and_go_without_a_measure() -> None:
    curve = values(Gusts(5.0), 600)
    assert 0 <= curve.min() < 0.15
    assert 0.85 < curve.max() <= 1
    crests, _ = find_peaks(curve, prominence=0.2)
    assert 30 < len(crests) < 200
    assert np.std(np.diff(crests)) > 0.3 * np.mean(np.diff(crests))
    assert np.abs(np.diff(curve)).max() < 0.02


@pytest.mark.parametrize("rate", [0.5, 6.0, 7.83, 40.0])
def test_a_pulse_is_exact_for_hours_and_has_soft_edges(rate: float) -> None:
    pulse = Pulse(rate, 0.5, 0.25 / rate)
    for begin in (0, 3 * 3600 * RATE):
        frames = begin + np.arange(0, 20 * RATE, 8, dtype=np.float64)
        curve = pulse.curve(0, 0)(frames)
        assert curve.min() >= 0
        assert curve.max() == pytest.approx(1, abs=1e-3)
        cycles = np.exp(-2j * np.pi * (frames / RATE * rate))
        # Where its own frequency lies it has a quarter of a cycle's phase at every time.
        turned = (curve[: len(curve) // 10 * 10] * cycles[: len(curve) // 10 * 10]).reshape(10, -1).mean(axis=1)
        if rate >= 6:
            assert np.ptp(np.unwrap(np.angle(turned))) < 0.1
        assert np.abs(np.diff(curve)).max() < 1.51 * 8 / RATE / (0.25 / rate) + 1e-6
        assert np.mean(curve > 0.5) == pytest.approx(0.25, abs=0.01)  # its flanks are as long as itself


@pytest.mark.parametrize("motion", [Waves(3, 5, 0.4, 0.2), Gusts(4.0), Pulse(2.0, 0.5, 0.03)])
def test_a_follower_falls_by_its_depth_and_lags_behind(motion: Waves | Gusts | Pulse) -> None:
    def curve(depth: float, lag: float) -> np.ndarray:
        gains = Following(motion, 0, depth, lag).gains(1, 130)
        return 20 * np.log10(np.concatenate([gains(index) for index in range(40)]).astype(np.float64))

    now, later, deeper = curve(12, 0), curve(12, 1.5), curve(24, 0)
    assert -12.01 <= now.min() <= now.max() <= 0.01
    shift = round(1.5 * RATE)
    assert np.abs(now[: len(now) - shift] - later[shift:]).max() < 0.06
    assert np.abs(deeper - 2 * now).max() < 0.06
    assert np.isfinite(curve(12, 20)).all()  # from before the beginning
    assert len(now) == 40 * CHUNK


def test_layers_that_follow_one_motion_move_together() -> None:
    layer = '[[layer]]\nkind = "noise"\nslope = 0\nhigh_pass = {}\nlow_pass = {}\nfollows = "{}"\ndepth = 20\n'
    motion = '[[motion]]\nname = "{}"\nkind = "gusts"\nseconds = 3\n'

    def likeness(other: str) -> float:
        text = motion.format("one") + motion.format("two") + layer.format(100, 400, "one")
        text += layer.format(2000, 9000, other)
        samples = open_bed(load_bed(text, name="x", file="x"), 1).read(0, 60 * RATE).mean(axis=1)
        magnitudes = np.abs(np.fft.rfft(samples.reshape(240, -1), axis=1)) ** 2
        low, high = np.log(magnitudes[:, 20:120].sum(axis=1)), np.log(magnitudes[:, 600:].sum(axis=1))
        return float(np.corrcoef(low, high)[0, 1])

    assert likeness("one") > 0.85
    assert likeness("two") < 0.6
