"""Tags and chapters, read back by mutagen and by ffmpeg."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.id3 import ID3

from metta_audio.encode.art import SIDE, cover
from metta_audio.encode.container import CONTAINERS, Container, write_audio
from metta_audio.encode.tags import SYNTHETIC, SYNTHETIC_KEY, Tags, read_tags, write_tags
from metta_audio.timeline.model import Chapter
from metta_audio.units import RATE, Samples, to_samples

CHAPTERS = (
    Chapter("Arriving", Samples(0), to_samples(1.5), 1),
    Chapter(
        "A title so long that its sub-frame has more than 128 bytes: " + "ease " * 12, to_samples(1.5), to_samples(1), 2
    ),
    Chapter("Zurück — 🌱", to_samples(2.5), to_samples(0.5), 1),
)
TAGS = Tags("Güte", "metta_audio", "Album", "2026", "Meditation", "de", "A comment.", cover("Güte"), CHAPTERS)


def tagged(kind: Container, folder: Path) -> Path:
    path = folder / f"x{kind.suffix}"
    sound = np.zeros((3 * RATE, 2), np.float32)
    write_audio(path, kind, [sound], frames=len(sound))
    write_tags(path, kind, TAGS)
    return path


@pytest.mark.parametrize("kind", CONTAINERS.values(), ids=list(CONTAINERS))
def test_tags_and_chapters_come_back_and_the_length_stays(kind: Container, tmp_path: Path) -> None:
    path = tagged(kind, tmp_path)
    found = read_tags(path)
    assert [title for _, title in found.chapters] == [chapter.title for chapter in CHAPTERS]
    assert [start for start, _ in found.chapters] == [0, 1.5, 2.5]
    assert "Güte" in found.text.values()
    assert SYNTHETIC in found.text.values()
    assert len(soundfile.read(path)[0]) == kind.frames(3 * RATE)
    assert tagged(kind, tmp_path).read_bytes() == path.read_bytes()


def test_mp3_carries_id3v23_in_utf16_with_one_ordered_top_level_toc(tmp_path: Path) -> None:
    path = tagged(CONTAINERS["mp3"], tmp_path)
    data = path.read_bytes()
    assert data[:4] == b"ID3\x03"
    assert data[-128:-125] != b"TAG"
    tag = ID3(path)
    assert tag.size < 300_000
    (toc,) = tag.getall("CTOC")
    assert toc.flags == 3
    assert toc.sub_frames.getall("TIT2")
    chapters = {chap.element_id: chap for chap in tag.getall("CHAP")}
    assert list(toc.child_element_ids) == sorted(chapters)
    edges = [(chapters[name].start_time, chapters[name].end_time) for name in toc.child_element_ids]
    assert edges == [(0, 1500), (1500, 2500), (2500, 3000)]
    assert all(chap.start_offset == chap.end_offset == 0xFFFFFFFF for chap in chapters.values())
    for name in ("TIT2", "TPE1", "TALB", "TCON", "TRCK", "TLAN", "COMM::deu", "APIC:cover", f"TXXX:{SYNTHETIC_KEY}"):
        assert tag.getall(name.split(":")[0]), name
    assert tag["TIT2"].encoding == 1
    assert str(tag["TLAN"]) == "deu"
    assert b"TYER" in data[:60_000]


@pytest.mark.parametrize(
    ("language", "code"),
    [("en-us", "eng"), ("EN", "eng"), ("nb", "nob"), ("sr", "srp"), ("cy", "cym"), ("la", "lat"), ("yue", "yue"),
     ("en-gb-scotland", "eng"), ("aa", "aar"), ("zu", "zul"), ("", "und"), ("english", "und"), ("qx", "und")],
)  # fmt: skip
def test_every_language_has_its_three_letters(language: str, code: str, tmp_path: Path) -> None:
    path = tagged(CONTAINERS["mp3"], tmp_path)
    write_tags(path, CONTAINERS["mp3"], replace(TAGS, language=language))
    assert str(ID3(path)["TLAN"]) == code


@pytest.mark.parametrize("kind", CONTAINERS.values(), ids=list(CONTAINERS))
def test_ffmpeg_lists_the_same_chapters(kind: Container, tmp_path: Path, require_program: Callable[[str], str]) -> None:
    command = [
        require_program("ffprobe"),
        "-v",
        "error",
        "-print_format",
        "json",
        "-show_chapters",
        tagged(kind, tmp_path),
    ]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["chapters"]
    assert [chapter["tags"]["title"].strip() for chapter in found] == [chapter.title.strip() for chapter in CHAPTERS]
    assert [float(chapter["start_time"]) for chapter in found] == [0, 1.5, 2.5]


def test_the_cover_is_a_small_square_jpeg_that_depends_on_the_title_alone() -> None:
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(cover("Kindness")))
    assert (image.format, image.size, image.mode) == ("JPEG", (SIDE, SIDE), "RGB")
    assert SIDE <= 800
    assert len(cover("Kindness")) < 100_000
    assert cover("Kindness") == cover("Kindness") != cover("Ease")
    assert cover("A title that would not fit on one line, or two, or even on three of them " * 3)
    assert cover("")


def test_a_file_without_tags_has_none(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(100), RATE)
    assert read_tags(tmp_path / "x.wav").text == {}
    (tmp_path / "x.txt").write_text("no sound")
    assert read_tags(tmp_path / "x.txt").chapters == ()
