"""One microphone on two sides."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from metta_audio.sound.widen import Widener
from metta_audio.units import RATE

NOISE = np.random.default_rng(1).normal(0, 0.1, 6 * RATE).astype(np.float32)


def coloured(slope: float) -> np.ndarray:
    lines = np.fft.rfft(NOISE)
    hertz = np.arange(len(lines)) / 6
    hertz[0] = 1
    values = np.fft.irfft(lines * hertz**slope * (hertz > 35), len(NOISE))
    return (values / np.abs(values).max() / 4).astype(np.float32)


SOUNDS = {
    "white": NOISE,
    "pink": coloured(-0.5),
    "brown": coloured(-1),
    "rain": sosfilt(butter(2, (800, 9000), "band", fs=RATE, output="sos"), NOISE).astype(np.float32),
}


def power_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("name", SOUNDS)
def test_the_sides_differ_are_as_loud_and_add_up(name: str) -> None:
    mono = SOUNDS[name]
    sides = Widener().widen(mono)
    assert 0 < np.corrcoef(sides.T)[0, 1] < 0.5
    assert power_db(sides) == pytest.approx(power_db(mono), abs=0.2)
    assert power_db(sides[:, 0]) == pytest.approx(power_db(sides[:, 1]), abs=1.5)
    together = sides.mean(axis=1)
    assert power_db(together) - power_db(sides) > -3
    assert np.corrcoef(together, mono)[0, 1] > 0.999_99  # the recording itself


def test_no_echo_is_heard() -> None:
    """99 % of a click are out before the ear could hear a second one, and no later one stands out."""
    click = np.zeros(RATE, np.float32)
    click[0] = 1
    for side in Widener().widen(click).T:
        energy = np.cumsum(np.square(side, dtype=np.float64))
        assert energy[int(0.04 * RATE)] > 0.99 * energy[-1]
        assert np.abs(side[int(0.03 * RATE) :]).max() < 0.12 * np.abs(side).max()


def test_however_it_is_cut_it_is_the_same() -> None:
    whole = Widener().widen(NOISE)
    widener = Widener()
    parts = [widener.widen(NOISE[start : start + 12_345]) for start in range(0, len(NOISE), 12_345)]
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-6


def test_all_frequencies_pass_alike() -> None:
    click = np.zeros(1 << 15, np.float32)
    click[0] = 1
    sides = Widener().widen(click)
    apart = np.abs(np.fft.rfft(sides[:, 0] - sides[:, 1]))
    assert apart == pytest.approx(np.median(apart), rel=0.01)
