"""The record names all that made a recording, and changes with each of it."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import metta_audio as metta
from metta_audio.units import RATE

SCRIPT = """---
title: Sources
minutes: {default: 0.5, min: 0.3, max: 2}
roles:
  self: {rate: 90}
---
# One

{% include "_parts/hello.md" %}

{% for phrase in pack("wishes") %}{{ phrase }}
{% endfor %}

Self: I hear you. [sound drop.wav] [bed rain] [bell] [pause 1s..60s]
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, folder in (("METTA_CACHE", "cache"), ("METTA_SETTINGS", "settings.toml"), ("XDG_DATA_HOME", "user")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("a.md", SCRIPT),
        ("_parts/hello.md", "Hello.\n"),
        ("packs/wishes.yaml", "phrases: [Be well.]\n"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "sounds").mkdir()
    sound(tmp_path / "sounds" / "drop.wav")
    return tmp_path


def sound(path: Path, seconds: float = 3, level: float = 0.1) -> None:
    soundfile.write(path, level * np.sin(np.arange(int(seconds * RATE)) / 20), RATE)


def record(home: Path, **options: Any) -> dict[str, Any]:
    plan = metta.plan(metta.fill(metta.load("a.md")), metta.Options(**{"voice": "tone", **options}))
    metta.render(plan).save(home / "out" / "a.wav")
    found = json.loads((home / "out" / "a.manifest.json").read_text())
    assert isinstance(found, dict)
    return found


def hashed(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_file_that_was_read_stands_in_the_record_by_name(home: Path) -> None:
    found = record(home)
    assert list(found["sources"]) == [
        "bed drone", "bed rain", "bell bowl", "pack wishes", "part hello", "sound drop.wav"
    ]  # fmt: skip
    assert found["sources"]["part hello"] == hashed(home / "_parts" / "hello.md")
    assert found["sources"]["pack wishes"] == hashed(home / "packs" / "wishes.yaml")
    assert found["sources"]["sound drop.wav"] == hashed(home / "sounds" / "drop.wav")
    assert str(home) not in json.dumps(found)
    sound(home / "sounds" / "drop.wav", level=0.2)
    assert record(home)["sources"] != found["sources"]


def test_a_recording_of_the_listeners_own_is_hashed_whatever_it_comes_as(home: Path) -> None:
    sound(home / "mine.wav")
    assert record(home, bed=home / "mine.wav")["sources"]["recording mine.wav"] == hashed(home / "mine.wav")
    samples = soundfile.read(home / "mine.wav", dtype="float32", always_2d=True)[0]
    first, again, other = (
        record(home, bed=metta.Wave(part))["sources"]["recording sound"] for part in (samples, samples, samples / 2)
    )
    assert first == again != other


def test_rates_by_role_and_the_version_of_python_stand_in_the_record(home: Path) -> None:
    found = record(home)
    assert {role: voice["words_a_minute"] for role, voice in found["voices"].items()} == {"guide": 110, "self": 90}
    assert found["versions"]["python"] == ".".join(platform.python_version().split(".")[:2])
    assert {voice["words_a_minute"] for voice in record(home, rate=100)["voices"].values()} == {100}


def test_a_cache_that_cannot_be_written_costs_no_recording(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = record(home)
    (home / "file").write_text("in the way")
    monkeypatch.setenv("METTA_CACHE", str(home / "file" / "cache"))
    assert record(home) == found


def test_what_is_measured_of_the_mix_can_be_measured_again(home: Path) -> None:
    plan = metta.plan(metta.fill(metta.load("a.md")), metta.Options(voice="tone", bed="brown"))
    metta.render(plan).save(home / "a.wav", twin=True)
    found = json.loads((home / "a.manifest.json").read_text())
    bare = json.loads((home / "a-no-bed.manifest.json").read_text())
    both, dry = (
        soundfile.read(home / name)[0] / 10 ** (made["mix"]["gain_db"] / 20)
        for name, made in (("a.wav", found), ("a-no-bed.wav", bare))
    )
    lines = [event for event in plan.timeline.events if event.kind == "line"]
    distances = [
        10 * np.log10(np.mean(dry[line.start : line.end] ** 2) / np.mean((both - dry)[line.start : line.end] ** 2))
        for line in lines
    ]
    measured = found["measured"]
    assert [each["db"] for each in measured["speech_to_bed"]] == pytest.approx(distances, abs=0.1)
    assert measured["speech_to_bed_min"] == min(each["db"] for each in measured["speech_to_bed"])
    assert measured["lines"] == len(lines)
    assert bare["measured"]["speech_to_bed_min"] is None
    assert bare["events"] == found["events"]


def test_events_say_when_and_who_and_never_what(home: Path) -> None:
    text = SCRIPT.replace("roles:", "params:\n  name: {type: text, default: Zerubbabel}\nroles:")
    (home / "a.md").write_text(
        text.replace("Hello", "Hello {{ name }}").replace("I hear you", "I hear you, {{ name }}")
    )
    found = record(home)
    events = found["events"]
    assert {key for event in events for key in event} == {"kind", "start", "seconds", "role"}
    assert [event["role"] for event in events if event["kind"] == "line"] == ["guide", "guide", "self"]
    assert {event["kind"] for event in events} >= {"line", "pause", "bell", "bed", "sound"}
    assert events[-1]["start"] + events[-1]["seconds"] == pytest.approx(30, abs=0.001)
    assert found["private_params"] == ["name"]
    for word in ("Zerubbabel", "hear you", "Be well"):
        assert word not in json.dumps(found)


def test_nothing_extra_replaces_what_was_measured(home: Path) -> None:
    from metta_audio.inspection import inspect
    from metta_audio.rendering.figures import session_figures
    from metta_audio.rendering.manifest import manifest
    from metta_audio.sound.monitor import MixFigures

    plan = metta.plan(metta.fill(metta.load("a.md")), metta.Options(voice="tone"))
    sound(home / "x.wav")
    extra = {"measured": {}, "mix": {"speech": []}}
    session = session_figures(plan.timeline)
    found = manifest(plan, inspect(home / "x.wav"), MixFigures(), session, [home / "x.wav"], extra=extra)
    assert found["mix"] == {"speech": []}
    assert found["measured"]["frames"] == 3 * RATE
    assert found["measured"]["bed_peak"] is None
    json.dumps(found, allow_nan=False)
