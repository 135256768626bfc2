"""Ctrl-C, a polite kill and a rude one: the older files stay, byte for byte, and nothing else is left."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metta_audio.encode.staging import Staging

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

SUFFIXES = (".wav", ".vtt", ".srt", ".txt", ".chapters.json", ".manifest.json")


@pytest.fixture
def out(home: Path) -> Path:
    """A folder that holds an older recording."""
    folder = home / "out"
    folder.mkdir()
    for suffix in SUFFIXES:
        (folder / f"a{suffix}").write_text(f"older {suffix}")
    return folder


def is_older(out: Path) -> bool:
    return {path.name: path.read_text() for path in out.iterdir() if path.stat().st_size < 100} == {
        f"a{suffix}": f"older {suffix}" for suffix in SUFFIXES
    } and len(list(out.iterdir())) == len(SUFFIXES)


def is_whole_and_new(out: Path) -> bool:
    """All six, and the sound and texts are those that the manifest was written for."""
    record = json.loads((out / "a.manifest.json").read_text())
    return {path.name for path in out.iterdir()} == {f"a{suffix}" for suffix in SUFFIXES} and all(
        hashlib.sha256((out / name).read_bytes()).hexdigest() == digest for name, digest in record["files"].items()
    )


def strike(monkeypatch: pytest.MonkeyPatch, target: str, number: int = signal.SIGINT, times: int = 1) -> None:
    """Let the signal come when ``target`` (module.function, or module.Class.method) is called."""
    where, _, name = target.rpartition(".")
    owner = Staging if where == "Staging" else importlib.import_module(where)
    original = getattr(owner, name)

    def struck(*args: Any, **kwargs: Any) -> Any:
        for _ in range(times):
            signal.raise_signal(number)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, struck)


@pytest.mark.parametrize(
    ("moment", "number", "code"),
    [
        ("metta_audio.load", signal.SIGINT, 130),
        ("metta_audio.rendering.flow._voiced", signal.SIGINT, 130),
        ("metta_audio.rendering.flow.place", signal.SIGINT, 130),
        ("metta_audio.rendering.making.write_audio", signal.SIGINT, 130),
        ("metta_audio.rendering.making.write_audio", signal.SIGTERM, 143),
        ("metta_audio.rendering.making.write_audio", signal.SIGHUP, 129),
        ("metta_audio.rendering.making.write_tags", signal.SIGINT, 130),
        ("metta_audio.rendering.making.inspect", signal.SIGTERM, 143),
    ],
)
def test_a_signal_at_any_moment(
    run: Callable[..., Any],
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    number: int,
    code: int,
    tmp_path: Path,
) -> None:
    strike(monkeypatch, moment, number)
    assert run("render", "s.md", "-o", "out/a.wav").complaint(code) == "stopped"
    assert is_older(out)
    assert not list((tmp_path / "cache").glob("work/*"))


def test_files_that_move_into_place_move_together(
    run: Callable[..., Any], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, moved = Path.replace, []

    def struck(self: Path, target: Path) -> Path:
        if target.parent.name == "out":
            moved.append(target)
            if len(moved) == 3:
                signal.raise_signal(signal.SIGINT)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", struck)
    assert run("render", "s.md", "-o", "out/a.wav").code == 0
    assert is_whole_and_new(out)


def test_who_asks_twice_does_not_wait(run: Callable[..., Any], out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strike(monkeypatch, "metta_audio.rendering.making.manifest", times=2)
    assert run("render", "s.md", "-o", "out/a.wav").complaint(130) == "stopped"
    assert is_older(out)


def test_no_half_spoken_clip_is_kept(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "other"))
    whole = run("plan", "s.md", "--json").json
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    with pytest.MonkeyPatch.context() as patch:
        strike(patch, "metta_audio.speech.speak.make_clip")
        run("plan", "s.md").complaint(130)
    assert run("plan", "s.md", "--json").json == whole


LONG = "{% for n in range(400) %}\nThis is sentence {{ n }}, which takes its time to be spoken.\n\n{% endfor %}"


def reached(stage: str, cache: Path) -> bool:
    """Whether a rendering into ``cache`` has come to a stage, seen by what it has written out of sight."""
    patterns = {
        "speaking": "clips/*/*.clip",
        "mixing": "work/*/a.wav",
        "measuring": "work/*/a.chapters.json",
        "the end": "work/*/a.manifest.json",
    }
    return any(cache.glob(patterns[stage]))


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("speaking", signal.SIGINT),
        ("mixing", signal.SIGINT),
        pytest.param("mixing", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("mixing", signal.SIGKILL, marks=pytest.mark.slow),
        ("measuring", signal.SIGINT),
        ("measuring", signal.SIGKILL),
        ("the end", signal.SIGKILL),
    ],
)
def test_a_signal_to_the_process(
    start: Callable[..., Any], write: Callable[..., str], out: Path, tmp_path: Path, stage: str, number: int
) -> None:
    script = write(LONG if stage == "speaking" else "Sit. [silence 1s..2h]")
    cache = tmp_path / "cache"
    process = start("render", script, "-o", "out/a.wav", "--minutes", 60 if stage in ("speaking", "mixing") else 1)
    while not reached(stage, cache) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(number)
    printed, complaint = process.communicate()
    if process.returncode == 0:  # it was faster
        assert stage in ("measuring", "the end")
        assert is_whole_and_new(out)
        return
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 128 + number), complaint
    if stage == "the end":  # each file is older or whole, and nothing else is there
        assert {path.name for path in out.iterdir()} == {f"a{suffix}" for suffix in SUFFIXES}
    else:
        assert is_older(out)
    assert printed == ""
    assert complaint == ("" if number == signal.SIGKILL else "metta: stopped\n")
    with Staging(out, cache / "work"):
        pass
    assert not list((cache / "work").iterdir())  # what a killed one left there, the next one sweeps


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_at_random_moments(
    start: Callable[..., Any], out: Path, number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("METTA_VOICE", "espeak")
    moments = random.Random(1)
    elsewhere = Path("/dev/shm")
    for turn in range(12):
        # Every other time the work is done on another disk than the one the files belong on.
        cache = elsewhere / f"metta-test-{os.getpid()}" if turn % 2 and elsewhere.is_dir() else tmp_path / "cache"
        process = start("render", "s.md", "-o", "out/a.wav", "--minutes", 2, env={"METTA_CACHE": str(cache)})
        while not cache.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 3))
        process.send_signal(number)
        _, complaint = process.communicate()
        assert process.returncode in (0, 128 + number, -number), complaint
        assert "Traceback" not in complaint
        assert is_older(out) or is_whole_and_new(out), sorted(out.iterdir())
        shutil.rmtree(cache, ignore_errors=True)
