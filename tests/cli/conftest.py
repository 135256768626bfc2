"""The real command: called in this process for speed, or in one of its own where signals, limits and pipes matter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from metta_audio.cli import main

SCRIPT = """---
title: A Minute
minutes: {default: 0.5, min: 0.3, max: 60}
params:
  name: {type: text, default: ""}
  rounds: {type: number, default: 1, min: 1, max: 3}
roles:
  self: {pan: -0.2}
---
# Arriving

You are here{% if name %}, {{ name }}{% endif %}. [pause 1s..60s]

# Leaving

Self: I hear you. [pause 1s..50s]

That is all. [silence 1s..50m]
"""
HEAD = SCRIPT[: SCRIPT.index("# Arriving")]


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        record = json.loads(self.out)
        assert isinstance(record, dict)
        return record

    def complaint(self, code: int = 1) -> str:
        """The one line on stderr, checked to be that and all there is."""
        assert self.code == code, self
        assert self.out == "", self.out
        assert self.err.startswith("metta: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.removeprefix("metta: ").strip()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, a user who has nothing, and a script ``s.md`` of half a minute."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("METTA_DEBUG", "METTA_SCRIPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("METTA_VOICE", "tone")
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(folder)
    (folder / "s.md").write_text(SCRIPT, encoding="utf-8")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Ran]]:
    """``run("plan", "s.md")``: the command, in this process."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}

    def call(*args: object) -> Ran:
        code: object = 0
        capsys.readouterr()
        try:
            main([str(arg) for arg in args])
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        assert isinstance(code, int)
        return Ran(code, out, err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def write(home: Path) -> Callable[..., str]:
    """``write("[pause 5]")``: a script ``t.md`` with that body under the usual front matter; its name."""

    def make(body: str, head: str = HEAD) -> str:
        (home / "t.md").write_text(head + body, encoding="utf-8")
        return "t.md"

    return make


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``start("render", …)``: the command in a process of its own, killed at the end of the test if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def launch(*args: object, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, **options.pop("env", {})}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        process = subprocess.Popen(
            [sys.executable, "-m", "metta_audio", *map(str, args)], cwd=home, env=environment, **streams
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def spawn(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., Ran]:
    """``spawn("render", …)``: the same, waited for."""

    def call(*args: object, **options: Any) -> Ran:
        process = start(*args, **options)
        out, err = process.communicate()
        return Ran(process.returncode, out, err)

    return call
