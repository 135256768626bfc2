"""Any sound file becomes a bed."""

from __future__ import annotations

import errno
import gc
import subprocess
import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from metta_audio.errors import SoundError
from metta_audio.sound.bed import LEVEL
from metta_audio.sound.levels import BED
from metta_audio.sound.loudness import integrated
from metta_audio.sound.recording import open_recording, read_sound
from metta_audio.sound.scratch import Scratch
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Hertz, Seconds


def noise(seconds: float, rate: int = RATE, channels: int = 2, level: float = 0.1) -> np.ndarray:
    values = np.random.default_rng(1).normal(0, level, (round(seconds * rate), channels))
    return np.clip(values, -0.9, 0.9).astype(np.float32)


def pink(seconds: float) -> np.ndarray:
    lines = np.fft.rfft(noise(seconds), axis=0)
    hertz = np.arange(len(lines))[:, None] / seconds
    hertz[0] = 1
    values = np.fft.irfft(lines / np.sqrt(hertz) * (hertz > 30), axis=0)
    return (values / np.abs(values).max() / 2).astype(np.float32)


def seconds_of(frames: int) -> np.ndarray:
    return np.arange(frames)[:, None] / RATE


def decibels(levels: np.ndarray) -> np.ndarray:
    return 10 ** (levels / 20)


def swelling(seconds: float) -> np.ndarray:
    """±3 dB about every 25 s."""
    sound = pink(seconds)
    return (sound * decibels(3 * np.sin(2 * np.pi * seconds_of(len(sound)) / 25))).astype(np.float32)


def faded(seconds: float) -> np.ndarray:
    """Two seconds of digital silence, a fade over 6 s, the sound, a fade over 8 s, silence again."""
    sound = pink(seconds)
    time = seconds_of(len(sound))
    rise, fall = np.clip((time - 2) / 6, 0, 1), np.clip((seconds - 2 - time) / 8, 0, 1)
    return (sound * rise * fall).astype(np.float32)


def chord(seconds: float) -> np.ndarray:
    time = seconds_of(round(seconds * RATE))
    parts = (np.sin(2 * np.pi * hertz * time + number) for number, hertz in enumerate((131, 196, 262.4, 329.3)))
    return np.repeat(0.1 * sum(parts), 2, axis=1).astype(np.float32)


def rms_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


def levels_db(samples: np.ndarray, seconds: float) -> np.ndarray:
    size = round(seconds * RATE)
    parts = samples[: len(samples) // size * size].reshape(-1, size * 2)
    return 10 * np.log10(np.mean(np.square(parts, dtype=np.float64), axis=1) + 1e-20)


def round_of(bed: object) -> int:
    """Frames after which a bed returns."""
    probe = bed.read(0, 64)
    sound = bed.read(0, 80 * RATE)
    found = np.flatnonzero(sound[1:, 0] == probe[0, 0]) + 1
    return next(int(at) for at in found if np.array_equal(sound[at : at + 64], probe))


LOOPS = {"white": noise(30), "pink": pink(30), "swelling": swelling(70), "chord": chord(30), "faded": faded(60)}


@pytest.fixture(scope="module", params=LOOPS)
def around(request: pytest.FixtureRequest) -> tuple[str, np.ndarray, int]:
    """Name; five seconds before the turn of a loop and eight after it; the turn itself, in these frames."""
    bed = open_recording(Wave(LOOPS[request.param]))
    turn = round_of(bed)
    return request.param, bed.read(turn - 5 * RATE, 13 * RATE), 5 * RATE


def test_energy_at_the_turn_is_that_of_its_neighbourhood(around: tuple[str, np.ndarray, int]) -> None:
    """Each stretch of half a second against those beside it; a swell goes on as a swell."""
    name, sound, _ = around
    levels = levels_db(sound, 0.5)
    assert np.abs(np.diff(levels)).max() < 1
    if name != "swelling":
        assert levels == pytest.approx([np.median(levels)] * len(levels), abs=1)


def test_no_click_at_the_turn(around: tuple[str, np.ndarray, int]) -> None:
    _, sound, turn = around
    bend = np.abs(np.diff(sound, 2, axis=0)).max(axis=1)
    elsewhere = np.concatenate([bend[: turn - 100], bend[turn + 100 :]])
    assert bend[turn - 100 : turn + 100].max() <= 1.05 * elsewhere.max()
    assert np.abs(np.diff(sound, axis=0)).max() < 0.1


def test_neither_silence_nor_fades_are_heard() -> None:
    bed = open_recording(Wave(faded(60)))
    levels = levels_db(bed.read(0, 120 * RATE), 1)
    assert levels.min() > np.median(levels) - 4
    (note,) = bed.notes
    assert note.endswith("seconds of silence or fading at its ends are left out")
    assert 10 < float(note.split()[0]) < 20
    assert not open_recording(Wave(pink(30))).notes


def test_a_recording_of_silence_between_sounds_is_no_fade() -> None:
    sound = noise(40)
    sound[np.arange(len(sound)) // RATE % 4 > 0] = 0
    bed = open_recording(Wave(sound))
    assert (levels_db(bed.read(0, 40 * RATE), 0.5) > -60).sum() >= 16


@pytest.mark.parametrize("seconds", [2, 2.5, 4, 10])
def test_short_recordings_loop_with_shorter_fades(seconds: float) -> None:
    bed = open_recording(Wave(noise(seconds)))
    turn = round_of(bed)
    assert seconds * RATE / 3 < turn < seconds * RATE * 0.8
    levels = levels_db(bed.read(0, 20 * RATE), 0.1)
    assert levels == pytest.approx([np.median(levels)] * len(levels), abs=1)
    assert bed.notes == (f"it comes round every {turn / RATE:.1f} seconds, which may be noticed",)


def test_a_recording_stands_at_the_level_of_beds() -> None:
    bed = open_recording(Wave(noise(10) * np.float32([1.0, 0.5]) + np.float32(0.05)))
    samples = bed.read(0, 10 * RATE)
    # White noise is bright: its loudness holds it before its RMS does.
    assert integrated(samples, RATE) == pytest.approx(BED, abs=0.1)
    assert rms_db(samples[:, 0]) < LEVEL
    assert rms_db(samples[:, 1]) == pytest.approx(rms_db(samples[:, 0]) - 6.02, abs=0.05)
    dark = sosfilt(butter(4, (45, 90), "band", fs=RATE, output="sos"), noise(10), axis=0).astype(np.float32)
    samples = open_recording(Wave(dark)).read(0, 10 * RATE)
    assert max(rms_db(samples[:, 0]), rms_db(samples[:, 1])) == pytest.approx(LEVEL, abs=0.3)


def test_louder_moments_do_not_stand_out() -> None:
    """Three seconds of every thirty are 20 dB louder: they decide, as in every bed, and not the mean."""
    dark = sosfilt(butter(4, (60, 300), "band", fs=RATE, output="sos"), noise(60), axis=0)
    dark *= np.where(seconds_of(len(dark)) % 30 < 27, 0.1, 1)
    samples = open_recording(Wave(dark.astype(np.float32))).read(0, 50 * RATE)
    assert np.percentile(levels_db(samples, 0.74), 95) == pytest.approx(LEVEL + 3, abs=1)


def test_nothing_below_hearing_is_left() -> None:
    """An offset and a slow rumble, louder than the sound itself: neither is there, nor makes the rest softer."""
    sound = pink(20)
    rumble = 0.4 * np.sin(2 * np.pi * 3 * seconds_of(len(sound))) + 0.1
    clean, spoilt = (
        open_recording(Wave(each.astype(np.float32))).read(0, 8 * RATE) for each in (sound, sound + rumble)
    )
    for samples in (clean, spoilt):
        assert np.abs(samples.mean(axis=0)).max() < 3e-5  # -90 dB
    assert rms_db(spoilt) == pytest.approx(rms_db(clean), abs=0.5)


@pytest.mark.parametrize("loud", [0.001, 0.05, 1.0, 30.0])
def test_nothing_exceeds_the_ceiling_of_beds(loud: float) -> None:
    samples = noise(20) * np.float32(loud)
    samples[RATE] = samples[15 * RATE] = 0.9
    bed = open_recording(Wave(samples))
    assert np.abs(bed.read(0, 40 * RATE)).max() <= 10 ** (-12 / 20) * 1.0001


@pytest.mark.parametrize(
    ("right", "note"),
    [
        (lambda left: left, "both channels are the same: mono, widened"),
        (lambda left: left + 0.05 * np.roll(left, 7), "both channels are the same: mono, widened"),
        (lambda left: 0 * left, "only its left channel has sound: mono, widened"),
        (
            lambda left: -left,
            "one channel was the wrong way round, and is turned; both channels are the same: mono, widened",
        ),
        (None, "mono, widened"),
    ],
)
def test_what_is_mono_is_widened(right: Callable[[np.ndarray], np.ndarray] | None, note: str) -> None:
    left = pink(25)[:, 0]
    samples = left[:, None] if right is None else np.stack([left, right(left)], axis=1)
    bed = open_recording(Wave(samples.astype(np.float32)))
    assert bed.notes == (note,)
    sound = bed.read(0, 22 * RATE)
    assert 0 < np.corrcoef(sound.T)[0, 1] < 0.5
    assert rms_db(sound.mean(axis=1)) > rms_db(sound) - 3


def test_what_is_stereo_stays_as_it_is() -> None:
    left, right, both = pink(25)[:, 0], pink(25)[:, 1], noise(25)[:, 0] / 4
    bed = open_recording(Wave(np.stack([left + both, right + both], axis=1)))
    assert not bed.notes
    wanted = np.corrcoef(left + both, right + both)[0, 1]
    assert np.corrcoef(bed.read(0, 20 * RATE).T)[0, 1] == pytest.approx(wanted, abs=0.02)


def test_a_channel_the_wrong_way_round_is_turned() -> None:
    middle, apart = pink(25).T
    bed = open_recording(Wave(np.stack([middle + apart / 3, apart / 3 - middle], axis=1)))
    assert bed.notes == ("one channel was the wrong way round, and is turned",)
    assert np.corrcoef(bed.read(0, 20 * RATE).T)[0, 1] > 0.5


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


def test_the_same_file_gives_the_same_bed(tmp_path: Path) -> None:
    path = tmp_path / "rain.flac"
    soundfile.write(path, noise(8, 32_000, 1), 32_000)
    assert np.array_equal(open_recording(path).read(5, 20 * RATE), open_recording(path).read(5, 20 * RATE))


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(120):
            file.write(noise(1, RATE, 1))
    open_recording(Wave(noise(3)))  # what is computed once
    tracemalloc.start()
    bed = open_recording(path)
    for start in range(0, 9 * RATE, RATE):
        bed.read(start, RATE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24_000_000  # the recording has 42 MB; the turn is looked for in 8


def test_of_eight_hours_only_the_beginning_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metta_audio.sound.recording.LONGEST_BED", Seconds(120))  # ten minutes take their time
    path = tmp_path / "night.wav"
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        file.write(noise(30, 8000, 1)[:, 0])
    data = bytearray(path.read_bytes())
    with path.open("r+b") as raw:  # the rest is a hole, which takes no room
        raw.truncate(44 + 8 * 3600 * 8000 * 2)
        data[4:8], data[40:44] = ((8 * 3600 * 16_000 + more).to_bytes(4, "little") for more in (36, 0))
        raw.write(data[:44])
    bed = open_recording(path)
    assert "the first 2 minutes of 8:00:00 are used, in a loop" in bed.notes
    assert "8 kHz: dull above 4 kHz" in bed.notes
    assert "mono, widened" in bed.notes
    assert round_of(bed) < 30 * RATE  # what is silent is left out


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made; whatever has a name there shows."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Scratch]:
    """Every temporary file that was made."""
    found: list[Scratch] = []

    class Noted(Scratch):
        def __init__(self) -> None:
            super().__init__()
            found.append(self)

    monkeypatch.setattr("metta_audio.sound.recording.Scratch", Noted)
    return found


def test_nothing_is_left_behind(temporary: Path, opened: list[Scratch]) -> None:
    bed = open_recording(Wave(noise(3)))
    bed.read(0, 10)
    watched = weakref.ref(bed)
    del bed
    gc.collect()
    assert watched() is None
    assert opened[0]._file.closed
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("where", ["Sides.add", "Profile.powers", "choose", "crossfade", "Meter.add"])
def test_nothing_is_left_behind_by_an_error(
    temporary: Path, opened: list[Scratch], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"metta_audio.sound.recording.{where}", stop)
    with pytest.raises(KeyboardInterrupt):
        open_recording(Wave(noise(3)))
    assert opened[0]._file.closed
    assert not list(temporary.iterdir())


class Full:
    """A file on a disk on which there is no room for a second block."""

    closed = False

    def __init__(self) -> None:
        self._left = 1

    def seek(self, _: int) -> None: ...

    def write(self, _: object) -> None:
        if not self._left:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._left -= 1

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Full()
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: disk)
    with pytest.raises(SoundError, match="No space left on device") as caught:
        open_recording(Wave(noise(9)))
    assert "make room" in caught.value.hint
    assert "TMPDIR" in caught.value.hint
    assert disk.closed


def test_nowhere_to_keep_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", none)
    with pytest.raises(SoundError, match="Permission denied"):
        open_recording(Wave(noise(3)))


SILENT = {
    "digital silence": np.zeros((5 * RATE, 2)),
    "an offset": np.full((5 * RATE, 2), 0.1),
    "a whisper of the converter": noise(5, level=1e-6),
    "what nobody hears": np.repeat(np.linspace(-0.5, 0.5, 8 * RATE)[:, None], 2, axis=1),
}


@pytest.mark.parametrize("name", SILENT)
def test_silence_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "silent.wav"
    soundfile.write(path, SILENT[name], RATE, subtype="FLOAT")
    with pytest.raises(SoundError, match="silent") as caught:
        open_recording(path)
    assert str(path) in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (noise(5)[:0], "too short for a bed: 0.00 s"),
        (noise(5)[:1], "too short for a bed: 0.00 s"),
        (noise(1.9), "too short for a bed: 1.90 s"),
        (np.concatenate([noise(1.5), np.zeros((9 * RATE, 2), np.float32)]), r"has only 1\.[56] s of sound in it"),
    ],
)
def test_what_is_too_short_is_refused(tmp_path: Path, samples: np.ndarray, says: str) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, samples, RATE)
    with pytest.raises(SoundError, match=says) as caught:
        open_recording(path)
    assert str(path) in caught.value.what
    assert "at least 2 s" in caught.value.hint


def test_a_sound_of_one_sample_is_a_sound_but_nothing_is_not(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros((0, 2)), RATE)
    with pytest.raises(SoundError, match="holds no sound"):
        read_sound(path, longest=Seconds(10))
    assert read_sound(Wave(noise(1)[:1]), longest=Seconds(10)).frames == 1


def test_a_long_sound_is_cut_and_has_soft_edges(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, noise(5), RATE)
    wave = read_sound(path, longest=Seconds(2))
    assert wave.frames == 2 * RATE
    assert not wave.samples[[0, -1]].any()
    inside = slice(1000, 87_000)
    assert np.allclose(wave.samples[inside], noise(5)[inside], atol=1e-4)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg"])
def test_what_breaks_off_is_used_as_far_as_it_goes_or_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut.{suffix}"
    soundfile.write(path, noise(40), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    if suffix == "flac":
        with pytest.raises(SoundError, match="is damaged"):
            open_recording(path)
        return
    bed = open_recording(path)
    assert round_of(bed) < 24 * RATE
    if suffix == "mp3":  # what an OGG states is the time of its last page
        assert bed.notes == ("it breaks off after 0:24 of 0:40: the file is not whole",)


def test_a_faint_recording_stands_at_the_same_level_and_says_so() -> None:
    bed = open_recording(Wave(noise(30, level=1e-4)))
    (note,) = bed.notes
    assert note.startswith("very faint: raised by ")
    assert integrated(bed.read(0, 10 * RATE), RATE) == pytest.approx(BED, abs=0.1)


def test_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    samples = noise(25)
    samples[100:200] = np.nan
    samples[30_000, 0] = np.inf
    path = tmp_path / "odd.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    bed = open_recording(path)
    assert np.isfinite(bed.read(0, 25 * RATE)).all()
    assert bed.notes == ("201 of its samples are no numbers: they are left out",)


def test_a_clipped_recording_is_used_and_says_so(tmp_path: Path) -> None:
    samples = noise(30, level=0.02)
    for place in (10, 70_000, 131_070, 500_000):  # the third lies half in one block, half in the next
        samples[place : place + 4, 0] = 1.0
    samples[200_000:200_002] = -1.0  # two are no place
    path = tmp_path / "loud.wav"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    bed = open_recording(path)
    assert bed.notes == ("clipped in 4 places: it was recorded too loud, and may crackle",)
    assert np.isfinite(bed.read(0, RATE)).all()


@pytest.mark.parametrize(
    ("rate", "channels", "notes"),
    [
        (8000, 2, ("8 kHz: dull above 4 kHz",)),
        (22_050, 2, ("22.05 kHz: dull above 11.025 kHz",)),
        (192_000, 2, ()),
        (48_000, 6, ("6 channels mixed to 2",)),
        (96_000, 12, ("12 channels mixed to 2",)),
    ],
)
def test_odd_files_become_beds_and_say_what_was_done(
    tmp_path: Path, rate: int, channels: int, notes: tuple[str, ...]
) -> None:
    path = tmp_path / "odd.wav"
    soundfile.write(path, noise(24, rate, channels), rate)
    bed = open_recording(path)
    assert bed.notes == notes
    assert rms_db(bed.read(0, 10 * RATE)) > -50


def test_other_formats_go_through_ffmpeg(tmp_path: Path, require_program: Callable[[str], str]) -> None:
    ffmpeg = require_program("ffmpeg")
    source, path = tmp_path / "chord.wav", tmp_path / "chord.m4a"
    soundfile.write(source, chord(24), RATE)
    subprocess.run([ffmpeg, "-v", "error", "-i", source, "-c:a", "aac", path], check=True)
    bed = open_recording(path)
    assert np.abs(np.fft.rfft(bed.read(RATE, RATE).sum(axis=1))).argmax() in (131, 196, 262, 329)
    assert bed.notes == ("both channels are the same: mono, widened",)
