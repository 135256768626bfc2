"""What goes to stdout, what to stderr, and what a terminal gets that a pipe does not."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMANDS = ("render", "plan", "practices", "inspect", "doctor")


@pytest.mark.parametrize(
    ("args", "schema"),
    [
        (("render", "s.md", "-o", "a.wav", "--json"), "metta_audio.report/1"),
        (("plan", "s.md", "--json"), "metta_audio.timeline/1"),
        (("plan", "s.md", "--estimate", "--json"), "metta_audio.timeline/1"),
        (("doctor", "--json"), "metta_audio.diagnosis/1"),
    ],
)
def test_json_is_one_object_and_nothing_else(run: Callable[..., Any], args: tuple[str, ...], schema: str) -> None:
    ran = run(*args)
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["schema"] == schema
    assert "NaN" not in ran.out
    assert "Infinity" not in ran.out


def test_the_report_of_a_rendering(run: Callable[..., Any], home: Path) -> None:
    report = run("render", "s.md", "-o", "out/a.wav", "--json").json
    assert report["files"] == [f"out/a{suffix}" for suffix in (
        ".wav", ".vtt", ".srt", ".txt", ".chapters.json", ".manifest.json"
    )]  # fmt: skip
    assert report["measured"]["frames"] == 30 * 44_100
    assert report["measured"]["file"] == "a.wav"
    assert [chapter["title"] for chapter in report["measured"]["chapters"]] == ["Arriving", "Leaving"]
    assert report["speech_to_bed_db"] >= 20


def test_a_rendering_is_described(run: Callable[..., Any]) -> None:
    ran = run("render", "s.md", "-o", "out/a.wav")
    assert ran.err == ""
    assert ran.out.startswith("out/a.wav\n")
    for word in (
        "A Minute",
        "0:30.000 (1,323,000 samples at 44100 Hz)",
        "LUFS",
        "dBTP",
        "Arriving",
        "Leaving",
        "a.vtt",
    ):
        assert word in ran.out


def test_json_is_utf_8_on_any_terminal(spawn: Callable[..., Any], write: Callable[..., str]) -> None:
    script = write("# Übung 呼吸 🧘\n\nSit. [silence 1s..9m]")
    ran = spawn("plan", script, "--estimate", "--json", env={"PYTHONIOENCODING": "latin-1"}, encoding="utf-8")
    assert ran.code == 0, ran.err
    assert ran.json["sections"][0]["title"] == "Übung 呼吸 🧘"
    table = spawn("plan", script, "--estimate", env={"PYTHONIOENCODING": "latin-1"}, encoding="latin-1")
    assert table.code == 0, table.err
    assert "Übung \\u547c\\u5438" in table.out


def test_a_reader_who_has_seen_enough_is_no_error(start: Callable[..., Any]) -> None:
    reader = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process = start("plan", "metta-classic", "--estimate", stdout=reader.stdin)
    assert reader.stdin is not None
    reader.stdin.close()
    reader.wait()
    process.wait()
    assert process.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_a_terminal_gets_a_progress_bar_and_an_aligned_table(start: Callable[..., Any], home: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    terminal = {"COLUMNS": "120", "TERM": "xterm"}
    rendering = start("render", "s.md", "-o", "a.wav", stderr=theirs, env=terminal)
    shown = read_terminal(ours, rendering)
    assert rendering.wait() == 0
    for stage in ("speaking", "mixing", "measuring"):
        assert stage in shown
    assert "100 %" in shown
    assert rendering.stdout.read().startswith("a.wav\n")

    quiet = start("render", "s.md", "-o", "a.wav", "--json", stderr=theirs, env=terminal)
    assert read_terminal(ours, quiet) == ""
    assert json.loads(quiet.stdout.read())["schema"] == "metta_audio.report/1"

    planning = start("plan", "s.md", "--estimate", stdout=theirs, env=terminal)
    shown = read_terminal(ours, planning)
    assert "\t" not in shown
    assert "That is all." in shown
    for descriptor in (ours, theirs):
        os.close(descriptor)


def read_terminal(descriptor: int, process: Any) -> str:
    """All that comes until the process has ended."""
    shown = b""
    while True:
        ended = process.poll() is not None
        if select.select([descriptor], [], [], 0.05)[0]:
            shown += os.read(descriptor, 65_536)
        elif ended:
            return shown.decode()


def test_a_pipe_gets_no_progress_bar(spawn: Callable[..., Any]) -> None:
    ran = spawn("render", "s.md", "-o", "a.wav")
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("args", [("--help",), ("-h",), *((command, "--help") for command in COMMANDS)])
def test_help(run: Callable[..., Any], args: tuple[str, ...]) -> None:
    ran = run(*args)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: metta")


def test_help_lists_every_command_as_it_calls_itself(run: Callable[..., Any]) -> None:
    listed = run("--help").out
    assert all(f"  {command} " in listed for command in COMMANDS)
    assert run().code == 2


def test_help_needs_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from metta_audio.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'soundfile', 'rich', 'pydantic', 'jinja2', 'matplotlib', 'PIL', 'mutagen'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr == "[]\n"


def test_python_keeps_its_comments_to_itself() -> None:
    program = (
        "import warnings, metta_audio\n"
        "from metta_audio.cli import main\n"
        "class Careless:\n"
        "    def __del__(self): raise ValueError\n"
        "def load(*_, **__):\n"
        "    Careless(), warnings.warn('by the way'), 1 / 0\n"
        "metta_audio.load = load\n"
        "main(['plan', 's.md'])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr == "metta: unexpected ZeroDivisionError: division by zero; METTA_DEBUG=1 shows where\n"


def test_the_version(run: Callable[..., Any]) -> None:
    import metta_audio

    assert run("--version").out == f"metta, version {metta_audio.__version__}\n"
