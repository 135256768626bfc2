"""Whatever is wrong with an option is said on one line; wrong usage exits with 2, all else with 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

OPTIONS = {
    "an unknown practice": (["metta-clasic"], 'did you mean "metta-classic"'),
    "a missing script": (["nowhere/t.md"], "no such file: nowhere/t.md"),
    "a practice with a suffix": (["metta-classic.md"], 'did you mean "metta-classic"'),
    "no practice at all": ([""], "no practice is called"),
    "a folder": (["/"], "is a folder"),
    "a device": (["/dev/zero"], "no ordinary file"),
    "a name too long": (["a" * 300 + ".md"], "aaa.md"),
    "an unknown voice": (["s.md", "--voice", "espaek"], 'did you mean "espeak"'),
    "an unknown variant": (["s.md", "--voice", "espeak:xx-yy"], "xx-yy"),
    "a role that is not declared": (["s.md", "--role", "slef=tone"], 'did you mean "self"'),
    "an unknown voice of a role": (["s.md", "--role", "self=tune"], 'did you mean "tone"'),
    "a role without a voice": (["s.md", "--role", "self"], "KEY=VALUE"),
    "an unknown bed": (["s.md", "--bed", "rian"], 'did you mean "rain"'),
    "an unknown bell": (["s.md", "--bell", "../bowl"], "unknown bell"),
    "an unknown parameter": (["s.md", "--set", "nmae=Ana"], 'did you mean "name"'),
    "a parameter twice": (["s.md", "--set", "name=a", "--set", "name=b"], "twice"),
    "a parameter without a name": (["s.md", "--set", "=a"], "KEY=VALUE"),
    "a parameter of the wrong type": (["s.md", "--set", "rounds=many"], "is not a number"),
    "a parameter out of range": (["s.md", "--set", "rounds=9"], "from 1 to 3"),
    "a parameter that is not a number": (["s.md", "--set", "rounds=nan"], "is not a number"),
    "minutes below": (["s.md", "--minutes", "0"], "0.3 to 60 minutes, not 0"),
    "negative minutes": (["s.md", "--minutes", "-5"], "0.3 to 60 minutes, not -5"),
    "no minutes": (["s.md", "--minutes", "nan"], "0.3 to 60 minutes, not nan"),
    "endless minutes": (["s.md", "--minutes", "inf"], "0.3 to 60 minutes, not inf"),
    "huge minutes": (["s.md", "--minutes", "1e300"], "0.3 to 60 minutes, not 1e+300"),
    "a rate of nothing": (["s.md", "--rate", "0"], "60 to 200"),
    "a negative rate": (["s.md", "--rate", "-110"], "60 to 200"),
    "no rate": (["s.md", "--rate", "nan"], "60 to 200"),
    "a huge rate": (["s.md", "--rate", "1e9"], "60 to 200"),
    "a loud bed": (["s.md", "--bed-level", "6"], "-60 to 0 dB"),
    "no level": (["s.md", "--bed-level", "nan"], "-60 to 0 dB"),
    "an endless level": (["s.md", "--bed-level", "-inf"], "-60 to 0 dB"),
    "a folder of scripts that is none": (["s.md", "--scripts", "nowhere"], "no such folder of scripts"),
    "a file for a folder of scripts": (["s.md", "--scripts", "s.md"], "no such folder of scripts"),
}

USAGE = {
    "an unknown command": (["rendr", "s.md"], 'Did you mean "render"?'),
    "an unknown option": (["plan", "s.md", "--minuts", "5"], "--minutes"),
    "an unknown short option": (["plan", "s.md", "-x"], "-x"),
    "minutes that are no number": (["plan", "s.md", "--minutes", "ten"], "'ten' is not a valid float"),
    "a seed that is no whole number": (["plan", "s.md", "--seed", "1.5"], "'1.5' is not a valid integer"),
    "an argument too many": (["plan", "s.md", "t.md"], "unexpected extra argument"),
    "an argument too few": (["plan"], "PRACTICE|FILE"),
    "an option without its value": (["plan", "s.md", "--bed"], "--bed"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_an_unfit_option_is_named(run: Callable[..., Any], case: str) -> None:
    args, words = OPTIONS[case]
    assert words in run("plan", *args).complaint()


@pytest.mark.parametrize("case", ["an unknown voice", "a rate of nothing", "no level", "minutes below"])
def test_render_says_the_same_as_plan(run: Callable[..., Any], case: str, home: Path) -> None:
    args, words = OPTIONS[case]
    assert words in run("render", *args).complaint()
    assert not (home / "output").exists()


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage_is_one_line_too(run: Callable[..., Any], case: str) -> None:
    args, words = USAGE[case]
    complaint = run(*args).complaint(code=2)
    assert words in complaint
    assert "--help" in complaint


def test_a_missing_parameter_is_asked_for(run: Callable[..., Any], write: Callable[..., str]) -> None:
    script = write("Sit, {{ name }}.", head="---\nparams:\n  name: {type: text}\n---\n")
    complaint = run("plan", script).complaint()
    assert "needs name" in complaint
    assert "--set name=" in complaint


@pytest.mark.parametrize("seed", ["-1", "-9999999999999999999", "9" * 60, "4294967296"])
def test_any_whole_number_is_a_seed(run: Callable[..., Any], write: Callable[..., str], seed: str) -> None:
    script = write("[bell]\n\nSit. [bed rain] [silence 1s..9m]", head="---\nminutes: {default: 0.5, min: 0.1}\n---\n")
    assert run("render", script, "--seed", seed, "-o", "a.wav").code == 0


@pytest.mark.parametrize(
    "value", ["", " ", "=", "a=b", "-x", "{{ 7*7 }}", "[bell]", "Self: hi", "*", "ä\n# b", "'\"\\"]
)
def test_any_text_is_a_value_and_never_markup(run: Callable[..., Any], value: str) -> None:
    plan = run("plan", "s.md", "--set", f"name={value}", "--json")
    assert plan.code == 0, plan.err
    lines = [event for event in plan.json["events"] if event["kind"] == "line"]
    assert [line["role"] for line in lines] == ["guide", "self", "guide"]
    assert "49" not in lines[0]["text"]
    assert [section["title"] for section in plan.json["sections"]] == ["Arriving", "Leaving"]
    assert not any(event["kind"] == "bell" for event in plan.json["events"])


@pytest.fixture
def sounds(home: Path) -> Path:
    soundfile.write(home / "short.wav", np.ones((100, 1)), 44_100)
    soundfile.write(home / "silent.wav", np.zeros((44_100 * 5, 2)), 44_100)
    soundfile.write(home / "empty.wav", np.zeros((0, 2)), 44_100)
    soundfile.write(home / "fine.wav", np.random.default_rng(1).normal(0, 0.1, (44_100 * 3, 1)), 44_100)
    (home / "cut.flac").write_bytes(b"fLaC" + bytes(range(40)))
    (home / "text.wav").write_text("This is no sound.")
    (home / "plain").write_bytes((home / "fine.wav").read_bytes())
    (home / "folder.wav").mkdir()
    return home


@pytest.mark.parametrize(
    ("bed", "words"),
    [
        ("short.wav", "too short"),
        ("silent.wav", "is silent"),
        ("empty.wav", "too short"),
        ("cut.flac", "cut.flac"),
        ("text.wav", "text.wav"),
        ("folder.wav", "no sound file"),
        ("./folder.wav/", "no sound file"),
        ("missing.wav", "no sound file"),
        ("/dev/zero", "no sound file"),
        ("/", "no sound file"),
        ("a" * 300 + ".wav", "aaa.wav"),
    ],
)
def test_a_bed_that_is_no_bed(run: Callable[..., Any], sounds: Path, bed: str, words: str) -> None:
    assert words in run("plan", "s.md", "--bed", bed).complaint()


@pytest.mark.parametrize("bed", ["fine.wav", "./plain", "none", "rain"])
def test_a_bed_that_is_one(run: Callable[..., Any], sounds: Path, bed: str) -> None:
    assert run("plan", "s.md", "--bed", bed).code == 0


def test_a_script_without_a_suffix_is_named_by_its_folder(run: Callable[..., Any], home: Path) -> None:
    (home / "s.md").rename(home / "sit")
    assert run("plan", "./sit", "--estimate").code == 0
    assert "no practice is called" in run("plan", "sit").complaint()


def test_an_error_shows_its_traceback_when_asked(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_DEBUG", "1")
    ran = run("plan", "nowhere.md")
    assert ran.code == 1
    assert "Traceback (most recent call last)" in ran.err
    assert "ShelfError" in ran.err


def test_a_fault_of_ours_is_one_line_too(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("two\nlines")

    monkeypatch.setattr("metta_audio.plan", broken)
    assert run("plan", "s.md").complaint() == "unexpected ValueError: two lines; METTA_DEBUG=1 shows where"
