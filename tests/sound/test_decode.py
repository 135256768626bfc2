"""Any file as blocks; what is no sound says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from metta_audio.errors import SoundError
from metta_audio.sound.decode import at_our_rate, stated_seconds, waves
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Hertz, Seconds

LONG = Seconds(60)


def noise(seconds: float, rate: int = RATE, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, (round(seconds * rate), channels)).astype(np.float32)


def whole(source: Path | Wave, longest: Seconds = LONG) -> np.ndarray:
    return np.concatenate([np.zeros((0, 2), np.float32), *at_our_rate(waves(source, longest), longest)])


def power_db(samples: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64), axis=0) + 1e-12)


def by_ffmpeg(ffmpeg: str, source: Path, path: Path, *options: str) -> Path:
    subprocess.run([ffmpeg, "-v", "error", "-i", source, *options, path], check=True)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "caf", "w64"])
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (22_050, 1)])
def test_what_libsndfile_reads(tmp_path: Path, suffix: str, rate: int, channels: int) -> None:
    path = tmp_path / f"noise.{suffix}"
    soundfile.write(path, noise(3, rate, channels), rate)
    found = whole(path)
    assert len(found) / RATE == pytest.approx(3, abs=0.06)
    assert power_db(found) == pytest.approx([-20.0] * 2, abs=1.0)
    assert stated_seconds(path) == pytest.approx(3, abs=0.06)


@pytest.mark.parametrize("rate", [8000, 96_000, 192_000, 11_025])
def test_any_rate_becomes_ours_at_its_own_pitch(rate: int) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate).astype(np.float32)
    found = whole(Wave.mono(tone, Hertz(rate)))
    assert abs(len(found) - 2 * RATE) <= 2
    lines = np.abs(np.fft.rfft(found[: 2 * RATE, 0] * np.hanning(2 * RATE)[: len(found)]))
    assert lines.argmax() == 2000
    assert found[RATE // 2 : RATE].std() == pytest.approx(0.3 / 2**0.5, rel=0.01)


def test_no_more_than_was_asked_for_is_given(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, noise(5, 48_000), 48_000)
    assert len(whole(path, Seconds(2))) == 2 * RATE
    assert len(whole(Wave(noise(5)), Seconds(2))) == 2 * RATE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoder", "suffix"),
    [("aac", "m4a"), ("aac", "aac"), ("libopus", "opus"), ("wmav2", "wma"), ("alac", "m4a"), ("libopus", "webm")],
)
def test_what_ffmpeg_reads(tmp_path: Path, require_program: Callable[[str], str], encoder: str, suffix: str) -> None:
    source, path = tmp_path / "noise.wav", tmp_path / f"noise.{suffix}"
    soundfile.write(source, noise(4, 48_000), 48_000)
    by_ffmpeg(require_program("ffmpeg"), source, path, "-c:a", encoder, "-b:a", "192k")
    found = whole(path)
    assert len(found) / RATE == pytest.approx(4, abs=0.15)
    assert power_db(found) == pytest.approx([-20.0] * 2, abs=2.0)  # they take the highest away
    assert np.abs(np.corrcoef(found.T)[0, 1]) < 0.3  # left is still left
    assert stated_seconds(path) == pytest.approx(4, abs=0.3)


@pytest.mark.slow
def test_slices_of_ffmpeg_join_without_a_gap(
    tmp_path: Path, require_program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ALAC keeps every sample, so that one missing or doubled between two slices would show."""
    source, path = tmp_path / "noise.wav", tmp_path / "noise.m4a"
    soundfile.write(source, noise(5.5), RATE, subtype="PCM_16")
    by_ffmpeg(require_program("ffmpeg"), source, path, "-c:a", "alac")
    monkeypatch.setattr("metta_audio.sound.decode._SLICE", Seconds(2))
    expected, _ = soundfile.read(source, dtype="float32")
    assert np.array_equal(whole(path), expected)
    soundfile.write(source, noise(4), RATE, subtype="PCM_16")  # the last slice is empty
    path.unlink()
    by_ffmpeg(require_program("ffmpeg"), source, path, "-c:a", "alac")
    assert len(whole(path)) == 4 * RATE


@pytest.mark.slow
def test_ffmpeg_is_asked_for_no_more_than_is_needed(
    tmp_path: Path, require_program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, path = tmp_path / "noise.wav", tmp_path / "noise.m4a"
    soundfile.write(source, noise(12), RATE)
    by_ffmpeg(require_program("ffmpeg"), source, path)
    monkeypatch.setattr("metta_audio.sound.decode._SLICE", Seconds(1))
    from pydub import AudioSegment

    asked, real = [], AudioSegment.from_file
    monkeypatch.setattr(AudioSegment, "from_file", lambda *a, **k: asked.append(k) or real(*a, **k))
    assert len(whole(path, Seconds(2.5))) == 2.5 * RATE
    assert [(each["start_second"], each["duration"]) for each in asked] == [(0, 1), (1, 1), (2, 1)]
    monkeypatch.setattr("metta_audio.sound.decode._SLICE", Seconds(10))
    asked.clear()
    assert len(whole(path)) >= 12 * RATE
    assert len(asked) == 2  # the second comes up short: there is no third


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "m4a"])
def test_surround_keeps_its_places_in_every_format(
    tmp_path: Path, require_program: Callable[[str], str], suffix: str
) -> None:
    """Ogg has its channels in another order than WAV; the loudspeaker for effects is left out of both."""
    hertz = (500, 700, 900, 60, 1100, 1300)  # L R C LFE Ls Rs
    six = 0.1 * np.sin(2 * np.pi * np.outer(np.arange(3 * RATE) / RATE, hertz))
    source, path = tmp_path / "six.wav", tmp_path / f"surround.{suffix}"
    soundfile.write(source, six, RATE, format="WAVEX", subtype="PCM_24")
    by_ffmpeg(require_program("ffmpeg"), source, path, "-af", "aformat=channel_layouts=5.1")
    lines = np.abs(np.fft.rfft(whole(path)[RATE : 2 * RATE], axis=0))[list(hertz)] / (0.05 * RATE)
    assert lines[:, 0] == pytest.approx([1, 0, 0.7, 0, 0.7, 0], abs=0.1)
    assert lines[:, 1] == pytest.approx([0, 1, 0.7, 0, 0, 0.7], abs=0.1)


def test_what_is_no_number_or_beyond_measure_does_no_harm() -> None:
    samples = noise(1)
    samples[100:200] = np.nan
    samples[300], samples[301], samples[302] = np.inf, -np.inf, 3e38
    found = whole(Wave(samples))
    assert np.isfinite(found).all()
    assert not found[100:200].any()
    assert np.abs(found[300:302]).max() == 1
    assert np.isfinite(whole(Wave(samples, Hertz(48_000)))).all()


def test_a_name_is_never_an_option_or_an_address(
    tmp_path: Path, require_program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ffmpeg = require_program("ffmpeg")
    source = tmp_path / "noise.wav"
    soundfile.write(source, noise(3), RATE)
    monkeypatch.chdir(tmp_path)
    by_ffmpeg(ffmpeg, source, tmp_path / "plain.m4a")
    for name in ("-y.m4a", "concat:a|b.m4a", "ein Lied mit Ö.m4a", "%d.m4a"):
        os.link("plain.m4a", name)
        assert len(whole(Path(name))) > 2.9 * RATE


def test_a_sound_in_a_video_is_read(tmp_path: Path, require_program: Callable[[str], str]) -> None:
    ffmpeg, path = require_program("ffmpeg"), tmp_path / "film.mkv"
    lavfi = ["-f", "lavfi", "-i", "color=size=16x16:duration=3", "-f", "lavfi", "-i", "sine=duration=3"]
    subprocess.run([ffmpeg, "-v", "error", *lavfi, path], check=True)
    assert len(whole(path)) / RATE == pytest.approx(3, abs=0.1)
    silent = tmp_path / "silent film.mkv"
    subprocess.run([ffmpeg, "-v", "error", *lavfi[:4], silent], check=True)
    with pytest.raises(SoundError, match="not a sound that can be read"):
        whole(silent)


def bad_files(folder: Path) -> dict[str, Path]:
    """One of each kind of file that is no sound."""
    found = {name: folder / name for name in ("gone.wav", "text.wav", "text.m4a", "nothing.mp3", "image.png", "x.raw")}
    found["text.wav"].write_text("not a sound")
    found["text.m4a"].write_text("not a sound")
    found["nothing.mp3"].touch()
    found["image.png"].write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    found["x.raw"].write_bytes(bytes(4000))
    found["folder.wav"] = folder / "folder.wav"
    found["folder.wav"].mkdir()
    found["pipe.wav"] = folder / "pipe.wav"
    os.mkfifo(found["pipe.wav"])
    found["device"] = Path("/dev/zero")
    found["below a file"] = found["text.wav"] / "sound.wav"
    found["long name"] = folder / ("x" * 300 + ".wav")
    found["broken"] = folder / "broken.flac"
    soundfile.write(found["broken"], noise(3), RATE)
    found["broken"].write_bytes(found["broken"].read_bytes()[:200_000])
    found["rate"] = folder / "rate.wav"
    soundfile.write(found["rate"], noise(1, 100), 100)
    return found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone.wav", "there is no sound file"),
        ("below a file", "there is no sound file"),
        ("folder.wav", "is no sound file but a folder"),
        ("pipe.wav", "is no sound file but a pipe or device"),
        ("device", "is no sound file but a pipe or device"),
        ("nothing.mp3", "is empty"),
        ("long name", "cannot be opened: File name too long"),
        ("broken", "is damaged"),
        ("rate", "has 100 samples a second"),
    ],
)
def test_what_is_no_sound_says_so(tmp_path: Path, name: str, says: str) -> None:
    path = bad_files(tmp_path)[name]
    with pytest.raises(SoundError, match=says) as caught:
        whole(path)
    assert str(path) in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize("name", ["text.wav", "text.m4a", "image.png", "x.raw"])
def test_what_ffmpeg_cannot_read_either_says_so(
    tmp_path: Path, require_program: Callable[[str], str], name: str
) -> None:
    require_program("ffmpeg")
    with pytest.raises(SoundError, match="not a sound that can be read") as caught:
        whole(bad_files(tmp_path)[name])
    assert name in caught.value.what
    assert "convert" in caught.value.hint


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.wav"
    soundfile.write(path, noise(1), RATE)

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(SoundError, match="cannot be opened: Permission denied"):
        whole(path)


def test_a_sound_without_channels_says_so() -> None:
    with pytest.raises(SoundError, match="has no channels"):
        whole(Wave(np.zeros((RATE, 0), np.float32)))


def test_a_truncated_wav_gives_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, noise(4), RATE, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: 44 + 4 * 3 * RATE])
    assert len(whole(path)) == 3 * RATE


def test_a_truncated_mp3_is_not_filled_with_what_was_read_before(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp3"
    soundfile.write(path, noise(8), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert len(whole(path)) == pytest.approx(4 * RATE, rel=0.1)


def test_ffmpeg_leaves_the_standard_input_alone(tmp_path: Path, require_program: Callable[[str], str]) -> None:
    source, path = tmp_path / "noise.wav", tmp_path / "noise.m4a"
    soundfile.write(source, noise(3), RATE)
    by_ffmpeg(require_program("ffmpeg"), source, path)
    code = f"""
import sys
from pathlib import Path
from metta_audio.sound.decode import waves
print(sum(wave.frames for wave in waves(Path({str(path)!r}), 60)), sys.stdin.read())
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    ran = subprocess.run(command, input="qqq", capture_output=True, text=True, check=True)
    frames, left = ran.stdout.split()
    assert int(frames) > 2.9 * RATE
    assert left == "qqq"


def test_without_ffmpeg_the_error_says_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pydub.utils.which", lambda _: None)
    path = tmp_path / "sound.m4a"
    path.write_bytes(b"\0" * 100)
    with pytest.raises(SoundError, match="no format that can be read here") as caught:
        whole(path)
    assert "install ffmpeg" in caught.value.hint


def test_a_huge_wav_of_another_kind_is_not_read_into_memory(
    tmp_path: Path, require_program: Callable[[str], str]
) -> None:
    require_program("ffmpeg")
    path = tmp_path / "huge.wav"
    with path.open("wb") as file:
        file.truncate(1 << 29)  # a hole: it takes no room
    with pytest.raises(SoundError, match="of a kind that cannot be read"):
        whole(path)
