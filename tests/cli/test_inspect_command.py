"""``metta inspect``: what a finished file holds, and a clear word where it is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile


@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav", "ogg", "opus"])
def test_every_format_is_measured(run: Callable[..., Any], home: Path, suffix: str) -> None:
    report = run("render", "s.md", "-o", f"a.{suffix}", "--minutes", 0.4, "--json").json
    found = run("inspect", f"a.{suffix}", "--json").json
    rate = 48_000 if suffix == "opus" else 44_100
    assert (found["frames"], found["rate"], found["channels"], found["seconds"]) == (24 * rate, rate, 2, 24)
    assert {key: value for key, value in found.items() if key not in ("schema", "captions")} == {
        key: value for key, value in report["measured"].items() if key != "captions"
    }
    assert found["schema"] == "metta_audio.inspection/1"
    assert [chapter["title"] for chapter in found["chapters"]] == ["Arriving", "Leaving"]
    assert "A Minute" in found["tags"].values()
    assert -30 < found["lufs"] < -10
    assert found["true_peak"] <= -1.0
    assert found["captions"] == 3


def test_for_people(run: Callable[..., Any], home: Path) -> None:
    run("render", "s.md", "-o", "a.mp3", "--minutes", 0.4)
    shown = run("inspect", "a.mp3").out
    for word in (
        "0:24.000 = 1,058,400 samples",
        "44100 Hz, 2 channels",
        "LUFS",
        "dBTP",
        "3 cues",
        "Arriving",
        "TIT2  A Minute",
    ):
        assert word in shown
    (home / "a.vtt").unlink()
    assert "none beside it" in run("inspect", "a.mp3").out


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_silence_has_no_loudness(run: Callable[..., Any], home: Path, suffix: str) -> None:
    soundfile.write(home / f"a.{suffix}", np.zeros(44_100), 44_100)
    found = run("inspect", f"a.{suffix}", "--json").json
    assert (found["lufs"], found["true_peak"], found["channels"]) == (None, None, 1)
    assert "silence" in run("inspect", f"a.{suffix}").out


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((0, 2)),
        np.full((44_100, 2), np.nan),
        np.full((10, 1), 0.5),
        np.full((5_000, 6), 0.5),
        np.full((100, 2), np.inf),
    ],
    ids=["empty", "nan", "ten samples", "six channels", "inf"],
)
def test_odd_sounds_are_measured_as_far_as_they_go(run: Callable[..., Any], home: Path, samples: Any) -> None:
    soundfile.write(home / "a.wav", samples, 8_000, subtype="FLOAT")
    ran = run("inspect", "a.wav", "--json")
    assert ran.code == 0, ran.err
    assert "NaN" not in ran.out
    assert "Infinity" not in ran.out
    assert ran.json["frames"] == len(samples)


JUNK = {
    "text.wav": b"This is no sound.",
    "empty.mp3": b"",
    "junk.mp3": bytes(range(256)) * 40,
    "junk.flac": b"fLaC" + bytes(range(256)) * 4,
    "junk.ogg": b"OggS" + bytes(range(256)) * 4,
    "junk.raw": bytes(range(256)) * 4,
    "header.wav": b"RIFF\xff\xff\xff\xffWAVEfmt ",
    "id3.mp3": b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + b"TIT2" * 40,
    "script.md": b"---\ntitle: One\n---\nSit.\n",
}


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_no_sound(run: Callable[..., Any], home: Path, name: str) -> None:
    (home / name).write_bytes(JUNK[name])
    assert f"cannot read {name} as sound" in run("inspect", name).complaint()


def test_libraries_keep_their_comments_to_themselves(spawn: Callable[..., Any], home: Path) -> None:
    (home / "junk.mp3").write_bytes(JUNK["junk.mp3"])
    assert "cannot read junk.mp3 as sound" in spawn("inspect", "junk.mp3").complaint()
    assert "Traceback" in spawn("inspect", "junk.mp3", env={"METTA_DEBUG": "1"}).err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.mp3", "no such file"),
        ("/", "no ordinary file"),
        ("/dev/zero", "no ordinary file"),
        ("", "no ordinary file"),
    ],
)
def test_what_is_no_file(run: Callable[..., Any], name: str, words: str) -> None:
    assert words in run("inspect", name).complaint()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_a_pipe_is_not_waited_for(run: Callable[..., Any], home: Path) -> None:
    os.mkfifo(home / "a.mp3")
    assert "no ordinary file" in run("inspect", "a.mp3").complaint()


def test_tags_that_nobody_understands(run: Callable[..., Any], home: Path) -> None:
    from mutagen.flac import FLAC

    soundfile.write(home / "a.flac", np.zeros(44_100), 44_100)
    file = FLAC(home / "a.flac")
    file["CHAPTER001"] = "soon"
    file["CHAPTER002"] = "00:00:00.500"
    file["CHAPTER002NAME"] = "10:30:00"
    file["CHAPTER003"] = "00:00:00.700 or so"
    file["TITLE"] = "\x1b[31mred\nline"
    file.save()
    found = run("inspect", "a.flac", "--json").json
    assert found["chapters"] == [{"start": 0.5, "title": "10:30:00"}]
    assert "TITLE  [31mred line\n" in run("inspect", "a.flac").out
