"""How still a sound gets is measured in whole steps, however it is blocked."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.sound.silence import Stillness, StillnessMeter
from metta_audio.units import RATE


def measured(sound: np.ndarray, rate: int = RATE, block: int = 65_536) -> Stillness:
    meter = StillnessMeter(rate, sound.shape[1])
    for start in range(0, len(sound), block):
        meter.add(sound[start : start + block].astype(np.float32))
    return meter.result()


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_the_longest_still_stretch_is_found(rate: int) -> None:
    sound = np.random.default_rng(1).normal(size=(20 * rate, 2)) * 0.1
    sound[4 * rate : 6 * rate] *= 0.001
    sound[10 * rate : 13 * rate] *= 0.001
    found = measured(sound, rate)
    assert (found.longest, found.at) == (3.0, 10.0)
    assert found.quietest == pytest.approx(-80, abs=0.2)


def test_a_bed_is_not_still() -> None:
    found = measured(np.random.default_rng(1).normal(size=(5 * RATE, 1)) * 0.01)
    assert (found.longest, found.at) == (0.0, 0.0)
    assert found.quietest == pytest.approx(-40, abs=0.2)


def test_nothing_is_stiller_than_digital_silence() -> None:
    assert measured(np.zeros((3 * RATE, 2))) == Stillness(-math.inf, 3.0, 0.0)  # type: ignore[arg-type]
    assert measured(np.zeros((100, 2))) == Stillness(None, 0.0, 0.0)  # type: ignore[arg-type]
    assert measured(np.zeros((0, 1))).quietest is None


@settings(max_examples=30)
@given(st.integers(100, 300_000), st.integers(0, 99))
def test_chunked_is_whole(block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = rng.normal(size=(8 * RATE, 2)) * np.repeat(rng.choice([0, 1e-4, 0.1], 80), RATE // 10)[:, None]
    assert measured(sound, block=block) == measured(sound)
