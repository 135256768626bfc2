"""Every container holds exactly what was put in, and says so to two decoders."""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.encode.container import CONTAINERS, Container, container, write_audio
from metta_audio.encode.mp3 import FRAME, Mp3Writer, crc16
from metta_audio.errors import EncodeError
from metta_audio.sound.wave import Block
from metta_audio.units import RATE

ALL = list(CONTAINERS.values())
names = [kind.name for kind in ALL]


def noise(frames: int, block: int = 10_000) -> Iterator[Block]:
    rng = np.random.default_rng(1)
    for start in range(0, frames, block):
        yield (0.1 * rng.standard_normal((min(block, frames - start), 2))).astype(np.float32)


@pytest.mark.parametrize("kind", ALL, ids=names)
def test_decoded_length_is_exact(kind: Container, tmp_path: Path) -> None:
    for frames in (RATE, 3 * RATE + 1, 5 * RATE + 1151):
        path = tmp_path / f"x{kind.suffix}"
        write_audio(path, kind, noise(frames), frames=frames)
        assert len(soundfile.read(path)[0]) == kind.frames(frames)


@pytest.mark.parametrize("kind", ALL, ids=names)
def test_ffmpeg_decodes_the_same_length(kind: Container, tmp_path: Path, require_program: Callable[[str], str]) -> None:
    frames = 4 * RATE + 77
    path = tmp_path / f"x{kind.suffix}"
    write_audio(path, kind, noise(frames), frames=frames)
    raw = subprocess.run(
        [require_program("ffmpeg"), "-v", "error", "-i", path, "-f", "f32le", "-"], check=True, capture_output=True
    )
    assert raw.stderr == b""
    assert len(raw.stdout) == kind.frames(frames) * 2 * 4


@pytest.mark.parametrize("kind", ALL, ids=names)
def test_the_same_sound_gives_the_same_bytes(kind: Container, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_audio(tmp_path / name, kind, noise(RATE), frames=RATE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@given(st.integers(1, 40_000))
@settings(max_examples=5)
def test_block_size_changes_no_byte(block: int) -> None:
    import tempfile

    sound = np.concatenate(list(noise(RATE)))
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate((RATE, block)):
            parts = (sound[i : i + size] for i in range(0, RATE, size))
            write_audio(Path(folder) / str(number), CONTAINERS["mp3"], parts, frames=RATE)
        assert (Path(folder) / "0").read_bytes() == (Path(folder) / "1").read_bytes()


def test_decoded_mp3_is_as_loud_as_the_mix(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    sine = np.repeat((0.25 * np.sin(2 * np.pi * 997 * time)).astype(np.float32)[:, None], 2, axis=1)
    write_audio(tmp_path / "x.mp3", CONTAINERS["mp3"], [sine], frames=len(sine))
    decoded = soundfile.read(tmp_path / "x.mp3")[0][RATE:-RATE]
    assert abs(20 * np.log10(np.std(decoded) / np.std(sine))) < 0.05


def test_mp3_is_constant_128_kbps_joint_stereo_with_an_info_header(tmp_path: Path) -> None:
    write_audio(tmp_path / "x.mp3", CONTAINERS["mp3"], noise(3 * RATE), frames=3 * RATE)
    data = (tmp_path / "x.mp3").read_bytes()
    assert b"Info" in data[:64]
    assert b"LAME" in data[:256]
    at, rates = 0, set()
    while at < len(data) - 4:
        assert data[at] == 0xFF
        assert data[at + 1] & 0xE0 == 0xE0
        rates.add(data[at + 2] >> 4)
        assert data[at + 3] >> 6 == 1  # joint stereo
        at += 144 * 128_000 // RATE + (data[at + 2] >> 1 & 1)
    assert rates == {9}  # 128 kbps in MPEG-1 layer III


def test_an_unknown_format_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(EncodeError, match='unknown format "falc"; did you mean "flac"'):
        container("falc")


def test_a_fault_of_the_mix_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[Block]:
        yield from noise(RATE)
        raise RuntimeError("the mix broke")

    with pytest.raises(EncodeError, match="the mix broke"):
        write_audio(tmp_path / "x.mp3", CONTAINERS["mp3"], broken(), frames=RATE)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_in_every_format() -> None:
    full = Path("/dev/full")
    if not full.is_char_device():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(EncodeError, match="disk"):
        write_audio(full, CONTAINERS["wav"], noise(3 * RATE), frames=3 * RATE)
    assert full.is_char_device()  # root can remove it


@given(st.integers(1, 9_000))
@settings(max_examples=40)
def test_any_number_of_samples_decodes_to_itself(frames: int) -> None:
    sound = np.concatenate(list(noise(frames)))
    file = io.BytesIO()
    with Mp3Writer(file) as writer:
        writer.write(sound)
    assert len(soundfile.read(io.BytesIO(file.getvalue()))[0]) == frames


def test_the_info_header_says_what_is_in_the_file(tmp_path: Path) -> None:
    frames = 3 * RATE + 5
    path = tmp_path / "x.mp3"
    write_audio(path, CONTAINERS["mp3"], noise(frames), frames=frames)
    data = path.read_bytes()
    count, size = struct.unpack(">II", data[44:52])
    assert size == len(data) == struct.unpack(">I", data[184:188])[0]
    delay, padding = data[177] << 4 | data[178] >> 4, (data[178] & 15) << 8 | data[179]
    assert count * FRAME - delay - padding == frames
    assert list(data[52:152]) == sorted(data[52:152])
    assert int.from_bytes(data[190:192], "big") == crc16(data[:190])
    assert crc16(b"123456789") == 0xBB3D  # the check value of CRC-16/ARC
