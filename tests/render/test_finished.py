"""The promises about a finished recording, checked on decoded files with tools that are not ours."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import webvtt
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, cheby2, hilbert, sosfilt, sosfiltfilt

import metta_audio as metta
from metta_audio.timeline.breath import phases
from metta_audio.units import RATE

pytestmark = pytest.mark.slow

SHORTEST = {"metta-classic": 10, "body-scan": 5, "breath-belly": 5, "ifs-protector": 10}

HOUR = """---
title: From three minutes to an hour
minutes: {default: 3, min: 3, max: 60}
---
# Sitting {repeat=1..60}

You may notice the breath, wherever it is easiest to feel. It can be as long or as short as it is. [pause 5s..20s]

Whatever comes may stay for a while, and may go again. [silence 10s..60s]

# Returning

Let your feet feel the floor. [bell]
"""


def rendered(name: str, minutes: float, path: Path, **options: object) -> tuple[metta.Plan, metta.Report]:
    plan = metta.plan(metta.fill(metta.load(name), minutes=minutes), metta.Options(**options))  # type: ignore[arg-type]
    return plan, metta.render(plan).save(path)


def mono(path: Path) -> NDArray[np.float64]:
    return soundfile.read(path)[0].mean(axis=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("finished")


def ffmpeg(program: str, path: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [program, "-hide_banner", "-nostats", "-i", str(path), *arguments], check=True, capture_output=True
    )


def ebur128(program: str, path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak of the decoded file."""
    text = ffmpeg(program, path, "-af", "ebur128=peak=true", "-f", "null", "-").stderr.decode()
    summary = text[text.rindex("Summary:") :]
    found = (re.search(pattern, summary) for pattern in (r"I:\s+(-?[\d.]+) LUFS", r"Peak:\s+(-?[\d.]+) dBFS"))
    loudness, peak = (float(match[1]) for match in found)  # type: ignore[index]
    return loudness, peak


@pytest.mark.parametrize("name", SHORTEST)
def test_three_decoders_agree_on_length_loudness_and_peak(
    name: str, folder: Path, require_program: Callable[[str], str]
) -> None:
    frames = SHORTEST[name] * 60 * RATE
    path = folder / f"{name}.mp3"
    rendered(name, SHORTEST[name], path)
    program = require_program("ffmpeg")
    assert soundfile.read(path)[0].shape == (frames, 2)
    assert len(ffmpeg(program, path, "-f", "s16le", "-").stdout) == frames * 4
    decoded = path.with_suffix(".decoded.wav")
    subprocess.run([require_program("mpg123"), "-q", "-w", decoded, path], check=True)
    assert soundfile.info(decoded).frames == frames
    decoded.unlink()
    loudness, peak = ebur128(program, path)
    assert abs(loudness + 16) <= 0.3
    assert peak <= -1.0
    ours = metta.inspect(path)
    assert abs((ours.lufs or 0) - loudness) <= 0.1
    assert abs((ours.true_peak or 0) - peak) <= 0.2


@pytest.mark.parametrize("minutes", [3, 7.5, 60])
def test_any_length_is_exact(minutes: float, folder: Path) -> None:
    script = folder / "hour.md"
    script.write_text(HOUR)
    path = folder / f"hour-{minutes}.mp3"
    plan = metta.plan(metta.fill(metta.load(script), minutes=minutes), metta.Options(voice="tone"))
    report = metta.render(plan).save(path)
    assert report.inspection.frames == minutes * 60 * RATE
    path.unlink()


def test_captions_begin_where_speech_is_heard(folder: Path) -> None:
    path = folder / "captions.mp3"
    rendered("ifs-protector", 10, path, bed="none", bell="none")
    sound = mono(path)
    # Speech is there where 5 ms of sound exceed -50 dBFS; the file holds nothing else.
    power = uniform_filter1d(sound**2, RATE // 200, mode="constant")
    heard = power > 10 ** (-50 / 10)
    errors = []
    for cue in webvtt.read(path.with_suffix(".vtt")):
        start = round(seconds(cue.start) * RATE)
        window = heard[max(0, start - RATE // 5) : start + RATE // 2]
        assert window.any(), cue.text
        errors.append(abs(max(0, start - RATE // 5) + int(np.argmax(window)) - start) / RATE)
    assert len(errors) > 40
    assert np.median(errors) <= 0.030
    assert np.percentile(errors, 95) <= 0.100


def test_breath_turns_where_the_plan_says(folder: Path) -> None:
    path = folder / "breath.mp3"
    plan, _ = rendered("breath-belly", 5, path, bed="none")
    sound = mono(path)
    found = 0
    for event in plan.timeline.events:
        if event.kind != "breath":
            continue
        part = sound[event.start : event.end]
        envelope = sosfiltfilt(butter(2, 20, fs=RATE, output="sos"), np.abs(hilbert(part)))
        for phase in phases(event.item):  # type: ignore[arg-type]
            if phase.start == 0:
                continue
            at = turning_point(envelope, phase.start)
            assert abs(at - phase.start) <= 0.010 * RATE, (phase, at)
            found += 1
    assert found >= 25


def seconds(stamp: str) -> float:
    hours, minutes, rest = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def turning_point(envelope: NDArray[np.float64], near: int) -> float:
    """Where the two straight lines meet that fit the envelope before and after ``near``."""
    reach, guard = round(0.8 * RATE), round(0.1 * RATE)
    before = np.arange(max(0, near - reach), near - guard)
    after = np.arange(near + guard, min(len(envelope), near + reach))
    (slope_a, base_a), (slope_b, base_b) = (np.polyfit(at, envelope[at], 1) for at in (before, after))
    return (base_b - base_a) / (slope_a - slope_b)


BEDS = ["brown", "white", "rain-heavy", "ocean", "fire", "ocean:-3+drone"]


@pytest.mark.parametrize("bed", BEDS)
def test_the_bed_stays_20_db_below_every_line(bed: str, folder: Path) -> None:
    plan = metta.plan(metta.fill(metta.load("body-scan"), minutes=5), metta.Options(bed=bed))
    report = metta.render(plan).save(folder / "bed.wav", twin=True)
    loud, dry = soundfile.read(folder / "bed.wav")[0], soundfile.read(folder / "bed-no-bed.wav")[0]
    distances = []
    for event in plan.timeline.events:
        if event.kind == "line":
            line = slice(event.start, event.end)
            distances.append(10 * np.log10(np.mean(dry[line] ** 2) / np.mean((loud - dry)[line] ** 2)))
    assert min(distances) >= 20
    assert report.mix.speech_to_bed_min == pytest.approx(min(distances), abs=0.3)
    assert report.mix.speech_to_bed_median == pytest.approx(np.median(distances), abs=0.3)
    assert report.inspection.lufs == pytest.approx(-16, abs=0.3)


@pytest.mark.parametrize("bed", ["white", "ocean", "drone"])
def test_little_speech_over_any_bed_is_as_loud_as_much(bed: str, folder: Path) -> None:
    _, report = rendered("breath-belly", 5, folder / "little.wav", bed=bed)
    assert report.inspection.lufs == pytest.approx(-16, abs=0.3)


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".wav", ".ogg", ".opus"])
def test_every_format_is_as_loud_and_keeps_its_peak(
    suffix: str, folder: Path, require_program: Callable[[str], str]
) -> None:
    path = folder / f"format{suffix}"
    rendered("body-scan", 5, path, bed="rain", loudness="aes")
    loudness, peak = ebur128(require_program("ffmpeg"), path)
    assert abs(loudness + 18) <= 0.3
    assert peak <= -1.0


def test_the_peak_holds_where_everything_is_loud(folder: Path, require_program: Callable[[str], str]) -> None:
    noise = metta.Wave(np.random.default_rng(1).uniform(-1, 1, (20 * RATE, 2)).astype(np.float32))
    path = folder / "loud.mp3"
    rendered("breath-belly", 5, path, bed=noise, bed_level=0, loudness=-14)
    assert ebur128(require_program("ffmpeg"), path)[1] <= -1.0


def test_there_is_no_click(folder: Path) -> None:
    # The voice is synthesised at 22,050 Hz; bells, breath and drone lie lower still: above 13 kHz a click, a jump of
    # the ducking or a torn fade would stand alone.
    path = folder / "click.wav"
    for name in ("ifs-protector", "breath-belly"):
        rendered(name, SHORTEST[name], path, bed="drone")
        sound = soundfile.read(path)[0]
        high = sosfilt(cheby2(14, 100, 13_000, "highpass", fs=RATE, output="sos"), sound, axis=0)
        assert np.abs(high).max() < 10 ** (-60 / 20), f"{np.argmax(np.abs(high).max(axis=1)) / RATE:.3f} s"
    path.unlink()


def test_cold_and_warm_cache_give_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_CACHE", str(folder / "fresh-cache"))
    for run in ("cold", "warm"):
        (folder / run).mkdir()
        rendered("ifs-protector", 10, folder / run / "x.mp3")
    for cold in sorted((folder / "cold").iterdir()):
        assert cold.read_bytes() == (folder / "warm" / cold.name).read_bytes(), cold.name
