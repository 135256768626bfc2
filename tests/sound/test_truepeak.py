"""What lies between the samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.sound import truepeak
from metta_audio.sound.truepeak import CELL, REACH, cell_peaks


def window_of(samples: np.ndarray) -> np.ndarray:
    edge = np.zeros((REACH, samples.shape[1]), np.float32)
    return np.concatenate([edge, samples.astype(np.float32), edge])


@pytest.mark.parametrize(
    ("period", "degrees", "level"),
    [(4, 0, 0.5), (4, 45, 0.5), (6, 60, 0.5), (8, 67.5, 0.5), (4, 45, 1.41)],
)
def test_reads_the_sines_of_tech_3341_cases_15_to_19(period: int, degrees: float, level: float) -> None:
    sine = level * np.sin(2 * np.pi * np.arange(CELL * 50) / period + np.radians(degrees))
    fade = np.minimum(1, np.arange(CELL * 50) / 400)
    faded = (sine * np.minimum(fade, fade[::-1]))[:, None]
    error = 20 * np.log10(cell_peaks(window_of(faded), 0.0).max() / level)
    assert -0.4 <= error <= 0.2


def test_a_peak_belongs_to_the_cell_it_is_in_and_to_any_channel() -> None:
    samples = np.zeros((CELL * 4, 2))
    samples[2 * CELL - 1 : 2 * CELL + 1, 1] = 0.5  # the highest point lies between cells 1 and 2
    peaks = cell_peaks(window_of(samples), 0.0)
    assert peaks.argmax() == 1
    assert peaks[1] == pytest.approx(0.5 * 4 / np.pi, rel=0.02)
    assert peaks[2] >= 0.5


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 2.0))
def test_values_above_the_floor_are_exact(seed: int, floor: float) -> None:
    random = np.random.default_rng(seed)
    shape = np.repeat(random.random((20, 1)) ** 4, CELL, axis=0)
    window = window_of(random.choice([-1.0, 1.0], (20 * CELL, 2)) * shape)
    full, short = cell_peaks(window, 0.0), cell_peaks(window, floor)
    np.testing.assert_allclose(np.maximum(short, floor), np.maximum(full, floor), rtol=1e-6)


def test_the_worst_gain_is_reached_and_never_exceeded() -> None:
    worst = np.sign(truepeak._MATRIX[:, np.abs(truepeak._MATRIX).sum(axis=0).argmax()])[:, None]
    assert cell_peaks(worst.astype(np.float32), 2.5)[0] == pytest.approx(truepeak.WORST_GAIN, rel=1e-6)
    assert cell_peaks(worst.astype(np.float32), truepeak.WORST_GAIN + 0.01)[0] == 1.0


def test_nothing_in_nothing_out() -> None:
    assert cell_peaks(np.zeros((2 * REACH, 2), np.float32), 0.0).shape == (0,)
