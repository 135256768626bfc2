"""``metta sounds``: what there is, and how each sounds by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

Run = Callable[..., Any]

FOURTEEN = {"white", "pink", "brown", "rain-light", "rain-leaves", "rain-heavy", "ocean", "stream", "wind",
            "forest-night", "fire", "drone", "pad", "hum", "binaural", "isochronic"}  # fmt: skip
BELLS = {"bell", "temple", "bowl", "bowl-high", "bowl-low", "bowl-rubbed", "tingsha", "wooden-fish", "chime"}


def test_the_list_tells_of_each_what_it_is_and_whether_headphones_help(run: Run) -> None:
    rows = [line.split("\t") for line in run("sounds").out.splitlines()]
    assert rows[0] == ["name", "kind", "headphones", "families", "what it is"]
    beds = {row[0]: row for row in rows[1:] if row[1] == "bed"}
    bells = {row[0]: row for row in rows[1:] if row[1] == "bell"}
    assert set(beds) >= FOURTEEN
    assert set(bells) >= BELLS
    assert all(row[4] and not row[4].endswith(".") for row in rows)
    assert {name for name, row in beds.items() if row[2] == "needed"} == {"binaural"}
    assert {row[2] for row in bells.values()} == {"no"}


def test_the_list_as_json_and_without_what_is_excluded(run: Run) -> None:
    record = run("sounds", "--json", "--exclude", "water").json
    assert record["schema"] == "metta_audio.sounds/1"
    names = {sound["name"] for sound in record["sounds"]}
    assert "fire" in names
    assert not names & {"rain", "rain-light", "ocean", "stream"}


def test_a_file_at_fault_is_listed_with_its_fault(run: Run, home: Path) -> None:
    (home / "sounds" / "beds").mkdir(parents=True)
    (home / "sounds" / "beds" / "mine.toml").write_text('title = "Mine"\n[[layer]]\nkind = "noize"\n')
    row = next(line for line in run("sounds").out.splitlines() if line.startswith("mine\t"))
    assert "mine.toml:3:1" in row
    assert 'did you mean "noise"' in row
    (home / "sounds" / "beds" / "mine.toml").write_text(
        'title = "Mine"\nsummary = "My own"\n[[layer]]\nkind = "noise"\nslope = -3.0\n'
    )
    assert run("sounds", "render", "mine", "--seconds", "2", "-o", "mine.wav").code == 0
    assert soundfile.info(home / "mine.wav").frames == 2 * 44100


@pytest.mark.parametrize("name", ["ocean", "ocean:-3+drone", "pad@D3,just", "random"])
def test_a_bed_by_itself(run: Run, home: Path, name: str) -> None:
    first = run("sounds", "render", name, "--seconds", "5", "-o", "a.flac")
    assert first.code == 0, first.err
    sound, rate = soundfile.read(home / "a.flac")
    assert (len(sound), rate) == (5 * 44100, 44100)
    assert np.abs(sound).max() <= 10 ** (-12 / 20) * 1.001
    assert np.sqrt(np.mean(sound**2)) > 10 ** (-45 / 20)
    assert abs(sound[0]).max() < 1e-4
    assert abs(sound[-1]).max() < 1e-4
    run("sounds", "render", name, "--seconds", "5", "-o", "b.flac")
    assert (home / "a.flac").read_bytes() == (home / "b.flac").read_bytes()
    run("sounds", "render", name, "--seconds", "5", "-o", "c.flac", "--seed", "1")
    assert (home / "c.flac").read_bytes() != (home / "a.flac").read_bytes()


def test_the_level_is_in_db_against_a_recording(run: Run, home: Path) -> None:
    for level in (0, 6):
        run("sounds", "render", "pink", "--seconds", "3", "--level", level, "-o", f"{level}.wav")
    one, other = (soundfile.read(home / f"{level}.wav")[0] for level in (0, 6))
    assert np.allclose(other, one * 10 ** (6 / 20), atol=1e-6)
    run("sounds", "render", "pink", "--seconds", "3", "--level", 90, "-o", "x.wav")
    assert np.abs(soundfile.read(home / "x.wav")[0]).max() == pytest.approx(10 ** (-12 / 20), rel=1e-3)


def test_a_bell_is_three_strikes_until_it_has_rung_out(run: Run, home: Path) -> None:
    assert run("sounds", "render", "bowl").out.startswith(str(Path("output") / "bowl.wav"))
    sound, _ = soundfile.read(home / "output" / "bowl.wav")
    assert len(sound) > 3 * 3 * 44100
    assert not sound[-1].any()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["render", "oceen"], 'did you mean "ocean"'),
        (["render", "ocean+oceen"], 'did you mean "ocean"'),
        (["render", "ocean", "--seconds", "0"], "choose from 1 to 3600"),
        (["render", "ocean", "--seconds", "nan"], "choose from 1 to 3600"),
        (["render", "ocean", "--exclude", "water"], "is excluded"),
        (["render", "tingsha", "--exclude", "metal"], "is excluded"),
        (["render", "ocean", "-o", "a.xyz"], "unknown format"),
        (["render", "none"], "none is silence"),
        (["render", "missing.wav"], "missing.wav"),
        (["render", "pad@Z9"], "names no root"),
        (["plot", "ocean", "-o", "a.gif"], "png"),
        (["plot", "oceen"], 'did you mean "ocean"'),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, args: list[str], words: str) -> None:
    assert words in run("sounds", *args).complaint()


def test_a_picture_of_a_bed_and_of_a_bell(run: Run, home: Path) -> None:
    for name in ("rain", "bowl"):
        done = run("sounds", "plot", name, "--seconds", "5")
        assert done.code == 0, done.err
        assert (home / "output" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
