"""Every example of the README, docs/python.md and docs/commands.md runs as it stands."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from metta_audio.cli import main

ROOTS = (Path(__file__).parents[1], Path.cwd())
ROOT = next((root for root in ROOTS if (root / "README.md").is_file() and (root / "docs").is_dir()), None)
PAGES = ("README.md", "docs/python.md", "docs/commands.md")

pytestmark = pytest.mark.skipif(ROOT is None, reason="README.md and docs/ are not beside the tests")

SLOW = {("README.md", 1), ("README.md", 2), ("docs/python.md", 2), ("docs/python.md", 3)}
"""Python blocks that make five minutes of sound or more, or speak as much."""


def blocks(page: str, language: str) -> list[str]:
    if ROOT is None:
        return []
    text = (ROOT / page).read_text(encoding="utf-8")
    return [match.group(1) for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


ELSEWHERE = re.compile(r"metta (voices (get|remove)|takes (import|check)|render .*--voice (piper|takes):)")
"""Commands that need a network, a voice that was fetched, or somebody's recording: tested where those can be had."""


def commands(page: str) -> list[str]:
    lines = "".join(blocks(page, "console")).splitlines()
    found = [line.partition(" #")[0].strip() for line in lines if line.startswith("metta ")]
    return [command for command in found if not ELSEWHERE.match(command)]


PYTHON = [
    pytest.param(block, id=f"{page}-{number}", marks=[pytest.mark.slow] if (page, number) in SLOW else [])
    for page in PAGES
    for number, block in enumerate(blocks(page, "python"), 1)
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, and a user who has nothing."""
    for name in ("METTA_VOICE", "METTA_SCRIPTS", "METTA_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield project
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    code: object = 0
    try:
        main(shlex.split(command)[1:])
    except SystemExit as stop:
        code = stop.code or 0
    out, err = capsys.readouterr()
    assert (code, "metta: " in err) == (0, False), (command, err)
    return out


# pydub's export() gives back an open file, and everyone leaves it to Python to close it.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("block", PYTHON)
def test_python(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "example", "exec"), {"__name__": "example"})
    for shown in re.findall(r"^\s*print\(.*?\)\s+# (.+)$", block, re.MULTILINE):
        assert shown in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_in_order(page: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(page):
        run(command, capsys)
        written = re.search(r"(?:-o|--plot) (\S+)", command)
        assert written is None or (folder / written.group(1)).stat().st_size > 1000, command


@pytest.mark.parametrize(
    "command",
    [
        line
        for line in sorted({line for page in PAGES for line in commands(page)})
        if "--help" in line
        or not re.match("metta (render|inspect|plot|voices try|sounds (render|plot)|plan (?!.*--estimate))", line)
    ],
)
def test_commands_that_make_no_sound(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(command, capsys)
    drawn = re.search(r"--plot (\S+)", command)
    assert (folder / drawn[1]).stat().st_size > 1000 if drawn else out.strip()


def test_the_script_of_the_readme(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (script,) = blocks("README.md", "markdown")
    (folder / "three-breaths.md").write_text(script, encoding="utf-8")
    assert "Three breaths: 3:00.000 (7,938,000 samples), 3 sections" in run("metta plan three-breaths.md", capsys)


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    from metta_audio.settings import read_settings

    (block,) = blocks("docs/commands.md", "toml")
    (tmp_path / "settings.toml").write_text(block, encoding="utf-8")
    assert read_settings().voice == "espeak:en-gb"


def test_there_is_something_to_run() -> None:
    assert len(PYTHON) >= 6
    assert all(commands(page) for page in ("README.md", "docs/commands.md"))
