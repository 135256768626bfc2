"""``metta inspect``: what a finished file holds, and a clear word where it is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
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
    later = ("schema", "captions", "session", "breaches")  # known when all is written
    assert {key: value for key, value in found.items() if key not in later} == {
        key: value for key, value in report["measured"].items() if key not in later
    }
    assert (found["clicks"], found["dropouts"], found["clipped"]) == (0, 0, 0)
    assert found["session"]["net"] > 0
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


def rendered(run: Callable[..., Any], *options: object) -> dict[str, Any]:
    report: dict[str, Any] = run("render", "s.md", "-o", "a.wav", "--minutes", 0.4, "--json", *options).json
    return report


def test_the_record_beside_it_says_how_the_session_is_made_up(run: Callable[..., Any], home: Path) -> None:
    rendered(run, "--bed", "brown")
    found = run("inspect", "a.wav", "--json").json["session"]
    plan = run("plan", "s.md", "--minutes", 0.4, "--json").json
    spoken = sum(event["seconds"] for event in plan["events"] if event["kind"] == "line")
    assert found["silence_share"] == pytest.approx(1 - spoken / 24, abs=1e-3)
    assert found["net"] == pytest.approx(9 / 24 * 60, abs=0.1)  # You are here. I hear you. That is all.
    assert found["articulation"] == pytest.approx(9 / spoken * 60, abs=0.1)
    assert found["speech_to_bed_min"] >= 20
    assert found["speech_to_bed_median"] >= found["speech_to_bed_min"]
    assert (found["target"], found["target_name"], found["wcag_1_4_7"]) == (-16, "apple", "mix")
    shown = run("inspect", "a.wav").out
    for word in ("-16.00 LUFS (apple)", "met by the mix", "without speech", "words a minute", "no bell", "seams"):
        assert word in shown


def test_a_record_of_another_file_is_none(run: Callable[..., Any], home: Path) -> None:
    rendered(run)
    assert run("inspect", "a.wav", "--json").json["session"] is not None
    (home / "b.wav").write_bytes((home / "a.wav").read_bytes())
    assert run("inspect", "b.wav", "--json").json["session"] is None
    with (home / "a.wav").open("ab") as file:
        file.write(b"\0\0")
    ran = run("inspect", "a.wav")
    assert "no record of this file beside it" in ran.out
    assert run("inspect", "a.wav", "--json").json["session"] is None


OURS = '{"schema": "metta_audio.manifest/1", "files": {"a.wav": "HASH"}, '
RECORDS = ["", "[]", "{}", "nonsense", '{"files": 3}', '{"files": {}}', "[" * 100_000, '{"files": {"a.wav": "HASH"}}',
           OURS + '"measured": [1], "loudness": 7}',
           OURS + '"twin": "yes", "loudness": {"lufs": "x"}, "measured": {"net": "many", "articulation": true, '
           '"noise_floor": 1e999, "seams": null, "junk": {}}}']  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_odd_records_break_nothing(run: Callable[..., Any], home: Path, record: str) -> None:
    import hashlib

    soundfile.write(home / "a.wav", np.zeros(44_100), 44_100)
    text = record.replace("HASH", hashlib.sha256((home / "a.wav").read_bytes()).hexdigest())
    (home / "a.manifest.json").write_text(text)
    for arguments in ([], ["--json"]):
        assert run("inspect", "a.wav", *arguments).code == 0


def test_our_own_recordings_are_within_their_ranges(run: Callable[..., Any], home: Path) -> None:
    rendered(run, "--bed", "brown")
    ran = run("inspect", "a.wav", "--strict")
    assert "should be" not in ran.out
    assert (ran.code, ran.err) == (0, "")
    assert run("inspect", "a.wav", "--json").json["breaches"] == []


def test_strict_says_which_figure_and_what_to_change(run: Callable[..., Any], home: Path) -> None:
    rendered(run, "--bed", "brown", "--bed-level", 0)
    ran = run("inspect", "a.wav", "--strict")
    assert ran.code == 1
    assert "not met" in ran.out
    lines = ran.err.splitlines()
    assert all(line.startswith("metta: ") for line in lines)
    [line] = [line for line in lines if "speech to bed" in line]
    assert re.search(r"speech to bed is -?[\d.]+ dB, should be at least 20 dB; lower --bed-level", line)
    plain = run("inspect", "a.wav")
    assert (plain.code, plain.err) == (0, "")
    assert "<- should be at least 20 dB" in plain.out
    record = run("inspect", "a.wav", "--strict", "--json")
    assert record.code == 1
    assert "speech_to_bed_min" in {breach["figure"] for breach in record.json["breaches"]}


def test_a_twin_meets_wcag(run: Callable[..., Any], home: Path) -> None:
    rendered(run, "--bed", "brown", "--bed-level", 0, "--twin")
    found = run("inspect", "a.wav", "--json").json
    assert found["session"]["wcag_1_4_7"] == "twin"
    assert "speech_to_bed_min" not in {breach["figure"] for breach in found["breaches"]}
    assert run("inspect", "a-no-bed.wav", "--json").json["session"]["wcag_1_4_7"] == "mix"


def test_loudness_is_judged_by_the_target_of_the_record(run: Callable[..., Any], home: Path) -> None:
    rendered(run, "--loudness", -27, "--bed", "none")
    assert run("inspect", "a.wav", "--strict").code == 0
    (home / "a.manifest.json").unlink()
    ran = run("inspect", "a.wav", "--strict")
    assert ran.code == 1
    assert "should be -23.3 to -22.7 LUFS" in ran.err  # the nearest that has a name
    rendered(run, "--loudness", "sleep", "--bed", "none")
    (home / "a.manifest.json").unlink()
    assert run("inspect", "a.wav", "--strict").code == 0


def test_faults_are_found_in_anybodys_file(run: Callable[..., Any], home: Path) -> None:
    time = np.arange(20 * 44_100) / 44_100
    sound = 0.2 * np.sin(2 * np.pi * 300 * time) * np.minimum(1, np.minimum(time, 20 - time))
    sound[3 * 44_100] += 0.05
    sound[5 * 44_100 : 5 * 44_100 + 300] = 0
    sound[7 * 44_100 : 7 * 44_100 + 50] = 1
    sound[10 * 44_100 : 12 * 44_100] = 0
    soundfile.write(home / "a.wav", sound, 44_100)
    ran = run("inspect", "a.wav", "--json", "--strict")
    found = ran.json
    assert found["dropouts"] == 1
    assert found["clipped"] == 50
    assert {3.0, 5.0, 7.0} <= set(found["fault_places"])
    assert (found["longest_still"], found["longest_still_at"]) == (2.0, 10.0)
    assert {"clicks", "dropouts", "clipped"} <= {breach["figure"] for breach in found["breaches"]}
    assert "0:03.000" in run("inspect", "a.wav").out


def test_silence_is_a_breach(run: Callable[..., Any], home: Path) -> None:
    soundfile.write(home / "a.wav", np.zeros(44_100), 44_100)
    assert "loudness is silence" in run("inspect", "a.wav", "--strict").err


def test_others_measure_the_same(run: Callable[..., Any], home: Path, require_program: Callable[[str], str]) -> None:
    rendered(run, "--bed", "rain")
    found = run("inspect", "a.wav", "--json").json
    command = [require_program("ffmpeg"), "-hide_banner", "-nostats", "-i", "a.wav", "-af"]
    loudness = subprocess.run(
        [*command, "ebur128=peak=true", "-f", "null", "-"], check=True, capture_output=True, text=True
    ).stderr
    summary = loudness[loudness.rindex("Summary:") :]
    assert found["lufs"] == pytest.approx(float(re.search(r"I:\s+(-?[\d.]+) LUFS", summary)[1]), abs=0.1)  # type: ignore[index]
    stats = subprocess.run([*command, "astats", "-f", "null", "-"], check=True, capture_output=True, text=True).stderr
    overall = stats[stats.rindex("Overall") :]
    peak = float(re.search(r"Peak level dB: (-?[\d.]+)", overall)[1])  # type: ignore[index]
    assert peak - 0.01 <= found["true_peak"] <= peak + 1


def test_the_manifest_has_the_same_figures(run: Callable[..., Any], home: Path) -> None:
    rendered(run, "--bed", "rain")
    found = run("inspect", "a.wav", "--json").json
    measured = json.loads((home / "a.manifest.json").read_text())["measured"]
    for key in ("lufs", "clicks", "clipped", "dropouts", "longest_still"):
        assert measured[key] == found[key]
    for key in ("silence_share", "speech_to_bed_min", "worst_seam", "net", "bed_peak"):
        assert measured[key] == found["session"][key]
