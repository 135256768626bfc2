"""Any sound file becomes a bed; pydub's segments come and go."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from metta_audio.errors import SoundError
from metta_audio.sound.audio_segment import from_segment, to_segment
from metta_audio.sound.bed import LEVEL
from metta_audio.sound.levels import BED
from metta_audio.sound.loudness import integrated
from metta_audio.sound.recording import open_recording, read_sound
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Hertz, Seconds


def noise(seconds: float, rate: int = RATE, channels: int = 2, level: float = 0.1) -> np.ndarray:
    values = np.random.default_rng(1).normal(0, level, (round(seconds * rate), channels))
    return np.clip(values, -0.9, 0.9).astype(np.float32)


def tone(seconds: float, rate: int, channels: int = 2) -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


def rms_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize(
    ("suffix", "rate", "channels"),
    [
        ("wav", 44_100, 2),
        ("wav", 48_000, 1),
        ("flac", 22_050, 2),
        ("ogg", 48_000, 2),
        ("mp3", 44_100, 1),
        ("wav", 8000, 6),
    ],
)
def test_files_become_stereo_at_our_rate(tmp_path: Path, suffix: str, rate: int, channels: int) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(3, rate, channels), rate)
    wave = read_sound(path, longest=Seconds(60))
    assert (wave.rate, wave.channels) == (RATE, 2)
    assert wave.seconds == pytest.approx(3, abs=0.06)
    middle = wave.samples[RATE : 2 * RATE]
    assert rms_db(middle) == pytest.approx(rms_db(tone(1, rate)), abs=0.5)  # MP3 takes a little off
    lines = np.abs(np.fft.rfft(middle[:, 0]))
    assert lines.argmax() == 440


def test_a_long_sound_is_cut_and_has_soft_edges(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, noise(5), RATE)
    wave = read_sound(path, longest=Seconds(2))
    assert wave.frames == 2 * RATE
    assert not wave.samples[[0, -1]].any()
    inside = slice(1000, 87_000)
    assert np.allclose(wave.samples[inside], noise(5)[inside], atol=1e-4)


def test_a_recording_stands_at_the_level_of_beds() -> None:
    bed = open_recording(Wave(noise(10) * np.float32([1.0, 0.5]) + np.float32(0.05)))
    samples = bed.read(0, 10 * RATE)
    # White noise is bright: its loudness holds it before its RMS does.
    assert integrated(samples, RATE) == pytest.approx(BED, abs=0.1)
    assert rms_db(samples[:, 0]) < LEVEL
    assert rms_db(samples[:, 1]) == pytest.approx(rms_db(samples[:, 0]) - 6.02, abs=0.05)
    dark = sosfilt(butter(4, 150, fs=RATE, output="sos"), noise(10), axis=0).astype(np.float32)
    samples = open_recording(Wave(dark)).read(0, 10 * RATE)
    assert max(rms_db(samples[:, 0]), rms_db(samples[:, 1])) == pytest.approx(LEVEL, abs=0.1)
    samples = bed.read(0, 10 * RATE)
    assert np.abs(samples.mean(axis=0)).max() < 1e-5  # its offset is gone


def test_a_bang_does_not_stand_out() -> None:
    samples = noise(20, level=0.001)
    samples[RATE] = 0.9
    bed = open_recording(Wave(samples))
    assert np.abs(bed.read(0, 20 * RATE)).max() <= 10 ** (-12 / 20)


def test_the_loop_has_no_seam_and_no_dip() -> None:
    seconds, fade = 16, 3  # loop after 13
    samples = open_recording(Wave(noise(seconds))).read(0, 60 * RATE)
    levels = 10 * np.log10(np.mean(np.square(samples.reshape(600, -1), dtype=np.float64), axis=1))
    assert levels == pytest.approx(np.median(levels), abs=0.8)
    turn = (seconds - fade) * RATE
    assert np.array_equal(samples[:turn], samples[turn : 2 * turn])


def test_the_loop_joins_end_to_beginning() -> None:
    """A slow wave that ends elsewhere than it began: only a real crossfade takes it back without a jump."""
    ramp = np.linspace(-0.5, 0.5, 8 * RATE, dtype=np.float32)
    samples = open_recording(Wave(np.stack([ramp, ramp], axis=1))).read(0, 20 * RATE)
    assert np.abs(np.diff(samples, axis=0)).max() < 1e-5


@given(st.lists(st.integers(1, 3 * RATE), min_size=1, max_size=6), st.integers(0, 3600 * RATE))
def test_however_it_is_cut_it_is_the_same(cuts: list[int], begin: int) -> None:
    bed = LOOP
    whole = bed.read(begin, sum(cuts))
    position, parts = begin, []
    for cut in cuts:
        parts.append(bed.read(position, cut))
        position += cut
    assert np.array_equal(np.concatenate(parts), whole)


LOOP = open_recording(Wave(noise(2.5, 22_050, 1), Hertz(22_050)))


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 48_000, 1) as file:
        for _ in range(120):
            file.write(noise(1, 48_000, 1))
    tracemalloc.start()
    bed = open_recording(path)
    for start in range(0, 60 * RATE, RATE):
        bed.read(start, RATE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16_000_000  # the recording has 42 MB, the filters it is measured with 6


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bed = open_recording(Wave(noise(3)))
    bed.read(0, 10)
    del bed
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_a_bed_is_refused(tmp_path: Path) -> None:
    text, empty, short, silent = (tmp_path / name for name in ("text.wav", "empty.wav", "short.wav", "silent.wav"))
    text.write_text("not a sound")
    soundfile.write(empty, np.zeros((0, 2)), RATE)
    soundfile.write(short, noise(0.5), RATE)
    soundfile.write(silent, np.full((5 * RATE, 2), 0.1), RATE)
    for path, says in (
        (tmp_path / "gone.wav", "there is no sound file"),
        (tmp_path, "there is no sound file"),
        (text, "read"),
        (empty, "too short"),
        (short, "too short"),
        (silent, "silent"),
    ):
        with pytest.raises(SoundError, match=says) as caught:
            open_recording(path)
        assert str(path) in str(caught.value)
        assert caught.value.hint
    with pytest.raises(SoundError, match="no sound"):
        read_sound(empty, longest=Seconds(10))


def test_numbers_that_are_none_do_no_harm(tmp_path: Path) -> None:
    samples = noise(3)
    samples[100:200] = np.nan
    samples[300] = np.inf
    path = tmp_path / "odd.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    assert np.isfinite(open_recording(path).read(0, RATE)).all()


def test_other_formats_go_through_ffmpeg(tmp_path: Path, require_program: Callable[[str], str]) -> None:
    ffmpeg = require_program("ffmpeg")
    source, path = tmp_path / "tone.wav", tmp_path / "tone.m4a"
    soundfile.write(source, tone(4, 48_000, 1), 48_000)
    subprocess.run([ffmpeg, "-v", "error", "-i", source, "-c:a", "aac", path], check=True)
    samples = open_recording(path).read(RATE, RATE)
    assert np.abs(np.fft.rfft(samples[:, 0])).argmax() == 440
    (tmp_path / "text.m4a").write_text("not a sound")
    with pytest.raises(SoundError, match="not a sound that can be read"):
        open_recording(tmp_path / "text.m4a")


def test_without_ffmpeg_pydub_is_imported_without_a_word(tmp_path: Path) -> None:
    code = "from metta_audio.sound.audio_segment import segment_type; print(segment_type().__name__)"
    command = [sys.executable, "-W", "ignore:invalid escape", "-c", code]
    ran = subprocess.run(command, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("AudioSegment\n", "")


def test_without_ffmpeg_the_error_says_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pydub.utils.which", lambda _: None)
    path = tmp_path / "sound.m4a"
    path.write_bytes(b"\0" * 100)
    with pytest.raises(SoundError, match="no format that can be read here") as caught:
        open_recording(path)
    assert "install ffmpeg" in caught.value.hint


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
    segment = to_segment(Wave(tone(1, RATE))).set_sample_width(width)
    assert rms_db(from_segment(segment).samples) == pytest.approx(rms_db(tone(1, RATE)), abs=0.1)
