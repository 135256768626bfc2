"""``metta plot``: a finished recording as a picture, from the recording and what lies beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("matplotlib")


@pytest.fixture
def recording(run: Callable[..., Any], home: Path) -> Path:
    assert (
        run("render", "s.md", "-o", "a.wav", "--minutes", 0.4, "--bed", "brown", "--set", "name=Zerubbabel").code == 0
    )
    return home / "a.wav"


def texts(picture: Path) -> str:
    """All that is written in an SVG."""
    return "\n".join(re.findall(r">([^<>]+)</text>", picture.read_text(encoding="utf-8")))


def test_sections_lanes_loudness_and_bed_are_drawn(run: Callable[..., Any], recording: Path, home: Path) -> None:
    ran = run("plot", "a.wav", "-o", "a.svg")
    assert (ran.code, ran.out, ran.err) == (0, "", "drawn: a.svg\n")
    shown = texts(home / "a.svg")
    for word in ("A Minute", "0:24", "without speech", "Arriving", "Leaving", "Guide", "pause, silence",
                 "loudness (LUFS)", "over 3 s", "target of the whole, -16", "bed (dB)", "minutes"):  # fmt: skip
        assert word in shown, word
    assert "Zerubbabel" not in (home / "a.svg").read_text()


def test_by_default_it_lies_beside_the_recording(run: Callable[..., Any], recording: Path, home: Path) -> None:
    assert run("plot", "a.wav").code == 0
    assert (home / "a.png").read_bytes().startswith(b"\x89PNG")
    first = (home / "a.png").read_bytes()
    run("plot", "a.wav")
    assert (home / "a.png").read_bytes() == first


def test_no_script_and_no_voice_are_needed(run: Callable[..., Any], recording: Path, home: Path) -> None:
    (home / "s.md").unlink()
    assert run("plot", "a.wav", "-o", "b.svg").code == 0
    assert "Arriving" in texts(home / "b.svg")


def test_without_its_record_only_the_loudness_is_drawn(run: Callable[..., Any], recording: Path, home: Path) -> None:
    (home / "a.manifest.json").unlink()
    ran = run("plot", "a.wav", "-o", "a.svg")
    assert ran.code == 0
    assert "only its loudness is drawn" in ran.err
    shown = texts(home / "a.svg")
    assert "a.wav" in shown
    assert "loudness (LUFS)" in shown
    assert "Arriving" not in shown
    assert "bed (dB)" not in shown


def test_without_a_bed_there_is_no_panel_for_it(run: Callable[..., Any], home: Path) -> None:
    run("render", "s.md", "-o", "a.wav", "--minutes", 0.4, "--bed", "none")
    run("plot", "a.wav", "-o", "a.svg")
    assert "bed (dB)" not in texts(home / "a.svg")


def test_the_curve_of_the_bed_is_that_of_the_mix(run: Callable[..., Any], recording: Path, home: Path) -> None:
    from metta_audio.rendering.session_plot import _bed_gain, _read

    record = json.loads((home / "a.manifest.json").read_text())
    session = _read(record, recording)
    curve = _bed_gain(session, 24)
    depth = record["mix"]["duck"]["depth"]
    for event in record["events"]:
        if event["kind"] == "line":
            middle = round((event["start"] + event["seconds"] / 2) * len(curve) / 24)
            assert curve[middle] == pytest.approx(depth + record["mix"]["beds"][0]["level_db"], abs=0.5)
    assert curve[0] == curve[-1] == -45 or curve[-1] < -20
    assert curve.max() <= record["mix"]["duck"]["rise"] + 1e-6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["metta-classic"], "metta plan metta-classic --plot"),
        (["s.md"], "metta plan s.md --plot"),
        (["missing.wav"], "no such file"),
        (["/"], "no ordinary file"),
        ([""], "no ordinary file"),
        (["junk.wav"], "cannot read junk.wav as sound"),
        (["a.wav", "-o", "a.pdf"], "cannot plot into"),
        (["empty.wav"], "empty"),
    ],
)
def test_what_cannot_be_drawn(run: Callable[..., Any], home: Path, arguments: list[str], words: str) -> None:
    (home / "junk.wav").write_bytes(b"This is no sound.")
    soundfile.write(home / "a.wav", np.zeros(44_100), 44_100)
    soundfile.write(home / "empty.wav", np.zeros((0, 2)), 44_100)
    assert words in run("plot", *arguments).complaint()
    assert not list(home.glob("*.p*"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("sections", 3), ("events", [{}]), ("roles", {}), ("mix", {"beds": [1]}), ("mix", {"duck": {"depth": "x"}})],
)
def test_a_record_that_cannot_be_read(
    run: Callable[..., Any], recording: Path, home: Path, key: str, value: object
) -> None:
    path = home / "a.manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    assert "the manifest beside a.wav cannot be read" in run("plot", "a.wav").complaint()


@pytest.mark.parametrize("seconds", [0.1, 1, 5])
def test_short_and_silent_sounds(run: Callable[..., Any], home: Path, seconds: float) -> None:
    soundfile.write(home / "a.flac", np.zeros(round(seconds * 8000)), 8000)
    assert run("plot", "a.flac").code == 0
