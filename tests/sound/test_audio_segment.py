"""pydub's segments come and go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.sound.audio_segment import from_segment, to_segment
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Hertz


def tone() -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)


def rms_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


def test_without_ffmpeg_pydub_is_imported_without_a_word(tmp_path: Path) -> None:
    code = "from metta_audio.sound.audio_segment import segment_type; print(segment_type().__name__)"
    command = [sys.executable, "-W", "ignore:invalid escape", "-c", code]
    ran = subprocess.run(command, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("AudioSegment\n", "")


@given(st.lists(st.integers(-32768, 32767), min_size=2, max_size=200), st.sampled_from([1, 2]))
def test_segments_come_and_go_unchanged(values: list[int], channels: int) -> None:
    samples = np.array(values[: len(values) // 2 * 2], np.float32).reshape(-1, channels) / 32768
    back = from_segment(to_segment(Wave(samples, Hertz(48_000))))
    assert back.rate == 48_000
    assert np.array_equal(back.samples, samples)


def test_a_segment_clips_rather_than_turns_over() -> None:
    back = from_segment(to_segment(Wave(np.array([[2.0], [-2.0], [1.0]], np.float32))))
    assert back.samples[:, 0] == pytest.approx([1, -1, 1], abs=1e-4)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_segments_of_any_width_have_the_same_level(width: int) -> None:
    segment = to_segment(Wave(tone())).set_sample_width(width)
    assert rms_db(from_segment(segment).samples) == pytest.approx(rms_db(tone()), abs=0.1)
