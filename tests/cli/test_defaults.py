"""The command only wraps the calls: the same choices give the same bytes, and so do the same defaults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import metta_audio as metta

CHOICES = ["--minutes", 0.4, "--set", "name=Ana", "--set", "rounds=2", "--voice", "tone:300", "--role", "self=tone:400",
           "--bed", "rain", "--bed-level", -25, "--bell", "bell", "--rate", 100, "--seed", 7]  # fmt: skip


def chosen() -> metta.Plan:
    session = metta.fill(metta.load("s.md"), minutes=0.4, params={"name": "Ana", "rounds": 2}, seed=7)
    options = metta.Options(
        voice="tone:300", roles={"self": "tone:400"}, bed="rain", bed_level=-25, bell="bell", rate=100
    )  # fmt: skip
    return metta.plan(session, options)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_defaults_are_the_same_in_both(run: Callable[..., Any], home: Path) -> None:
    report = run("render", "s.md", "-o", "command/a.flac", "--json").json
    saved = metta.render(metta.plan(metta.fill(metta.load("s.md")))).save(home / "calls" / "a.flac")
    assert files(home / "command") == files(home / "calls")
    assert {**report, "files": []} == json.loads(json.dumps({**saved.to_json(), "files": []}))


def test_choices_are_the_same_in_both(run: Callable[..., Any], home: Path) -> None:
    assert run("render", "s.md", "-o", "command/a.ogg", *CHOICES).code == 0
    metta.render(chosen()).save(home / "calls" / "a.ogg")
    assert files(home / "command") == files(home / "calls")
    manifest = json.loads((home / "command" / "a.manifest.json").read_text())
    assert (manifest["seed"], manifest["minutes"], manifest["words_a_minute"]) == (7, 0.4, 100)
    assert manifest["bed"] == {"name": "rain", "level_db": -25}
    assert (manifest["bell"], manifest["params"], manifest["private_params"]) == ("bell", {"rounds": 2}, ["name"])
    assert {role: voice["name"] for role, voice in manifest["voices"].items()} == {
        "guide": "tone:300",
        "self": "tone:400",
    }


def test_a_plan_is_the_same_in_both(run: Callable[..., Any]) -> None:
    from metta_audio.timeline.listing import to_json

    for args, plan in (
        ([], metta.plan(metta.fill(metta.load("s.md")))),
        (["--estimate"], metta.plan(metta.fill(metta.load("s.md")), estimate=True)),
        (CHOICES, chosen()),
    ):
        record = to_json(plan.timeline, plan.session, estimated=plan.estimated)
        record |= {"notes": list(plan.notes), "voices": {role: voice.name for role, voice in plan.voices.items()}}
        assert run("plan", "s.md", "--json", *args).json == json.loads(json.dumps(record))


def test_every_option_changes_what_it_says(run: Callable[..., Any], home: Path) -> None:
    run("render", "s.md", "-o", "a.wav")
    plain = (home / "a.wav").read_bytes()
    for number, option in enumerate(["--voice=tone:300", "--role=self=tone:300", "--bed=rain", "--bed-level=-30",
                                     "--rate=90", "--set=name=Ana", "--set=rounds=3", "--minutes=0.6"]):  # fmt: skip
        assert run("render", "s.md", "-o", f"{number}.wav", option).code == 0
        same = (home / f"{number}.wav").read_bytes() == plain
        assert same is (option == "--set=rounds=3"), option  # nothing in the script asks for it


def test_a_seed_changes_what_is_random_and_nothing_else(run: Callable[..., Any], write: Callable[..., str]) -> None:
    script = write("{{ choose(['One.', 'Two.', 'Three.', 'Four.', 'Five.']) }} [silence 1s..9m]")
    spoken = [
        run("plan", script, "--estimate", "--json", "--seed", seed).json["events"][1]["text"] for seed in range(12)
    ]
    assert len(set(spoken)) > 2
    assert run("plan", script, "--estimate", "--json").json["events"][1]["text"] == spoken[0]


def test_none_of_bed_and_bell(run: Callable[..., Any], write: Callable[..., str], home: Path) -> None:
    import numpy as np
    import soundfile

    script = write("[bell] Sit. [bed rain] [silence 1s..9m]")
    run("render", script, "-o", "a.wav", "--bed", "none", "--bell", "none", "--voice", "silent")
    assert not np.any(soundfile.read(home / "a.wav")[0])


def test_the_default_that_help_tells_is_the_default(run: Callable[..., Any]) -> None:
    assert f"Default: {metta.Options().bed_level:g}." in " ".join(run("render", "--help").out.split())
