"""``metta doctor``: what is there, what is missing, what to do; and it never faints."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metta_audio.rendering import diagnosis
from metta_audio.voices import registry
from metta_audio.voices.espeak import EspeakEngine
from metta_audio.voices.tone import ToneEngine


def findings(ran: Any) -> dict[str, dict[str, Any]]:
    assert ran.code == 0, ran.err
    return {finding["subject"]: finding for finding in ran.json["findings"]}


def test_all_that_matters_is_looked_at(run: Callable[..., Any], tmp_path: Path) -> None:
    found = findings(run("doctor", "--json"))
    for subject in ("metta", "voice espeak", "voice silent", "voice system", "voice tone", "format mp3", "format opus",
                    "ffmpeg", "player", "plots", "settings", "scripts shelf", "sounds shelf", "practices",
                    "speech cache"):  # fmt: skip
        assert subject in found
    assert found["format mp3"]["ok"]
    assert found["voice tone"]["ok"]
    assert "metta-classic" in found["practices"]["what"]
    assert found["speech cache"]["what"] == str(tmp_path / "cache" / "clips")
    assert all(finding["ok"] or finding["advice"] or finding["what"] for finding in found.values())
    shown = run("doctor").out
    assert all(subject in shown for subject in found)


def test_nothing_installed(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(diagnosis, "find_spec", lambda _: None)
    found = findings(run("doctor", "--json"))
    for subject in ("ffmpeg", "player", "plots"):
        assert not found[subject]["ok"]
        assert found[subject]["advice"]


def test_an_engine_that_breaks_is_a_finding(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name = "broken"

        def problem(self) -> str:
            raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(registry, "find_engines", lambda setup: {"broken": Broken()})
    found = findings(run("doctor", "--json"))["voice broken"]
    assert not found["ok"]
    assert found["what"] == "ZeroDivisionError: oh no"


def test_settings_that_are_broken_are_a_finding(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("voice = [")
    found = findings(run("doctor", "--json"))["folders"]
    assert not found["ok"]
    assert "settings.toml is not TOML" in found["what"]
    assert found["advice"]


def test_a_cache_that_cannot_be_written_is_a_finding(
    run: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METTA_CACHE", str(home / "s.md"))
    found = findings(run("doctor", "--json"))
    assert not found["speech cache"]["ok"]
    assert found["practices"]["ok"]


def test_a_shelf_that_is_not_there_is_a_finding(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_SCRIPTS", "/nowhere")
    assert "/nowhere" in findings(run("doctor", "--json"))["folders"]["what"]


@pytest.mark.parametrize("module", ["soundfile", "espeakng_loader", "scipy"])
def test_a_broken_installation_is_a_finding(module: str, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from metta_audio.cli import main\n"
        "main(['doctor', '--json'])"
    )  # fmt: skip
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)["findings"]
    assert any(not finding["ok"] for finding in found)
    assert ran.stderr == ""


def test_a_bed_that_cannot_be_read_is_told(run: Callable[..., Any], home: Path) -> None:
    assert "ok  beds: 17 can be read" in run("doctor").out
    (home / "sounds" / "beds").mkdir(parents=True)
    (home / "sounds" / "beds" / "mine.toml").write_text('[[layer]]\nkind = "noize"\n')
    line = next(line for line in run("doctor").out.splitlines() if "beds:" in line)
    assert line.startswith("--  beds: 17 can be read; ")
    assert "mine.toml:2:1" in line


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://127.0.0.1:8880/v1", "the text goes to 127.0.0.1:8880, on this machine"),
        ("https://speech.example/v1", "the text goes to speech.example:443, another machine"),
    ],
)
def test_where_a_text_goes_is_told_without_asking_the_server(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, url: str, where: str
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("no network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("METTA_HTTP_URL", url)
    found = findings(run("doctor", "--json"))["voice http"]
    assert found["ok"]
    assert found["what"] == f"ready; {where} (the server was not asked)"


def test_a_voice_that_was_chosen_at_a_glance_is_not_praised_where_it_cannot_run(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = 'the eSpeak NG library cannot be loaded: pip install "that"'
    monkeypatch.setattr(EspeakEngine, "problem", lambda self: lacking)
    found = findings(run("doctor", "--json"))
    assert found["voice espeak"]["what"] == lacking
    auto = found["voice auto"] if "voice auto" in found else found["voices"]
    assert not auto["ok"]
    assert auto["advice"] == lacking
    assert "cannot be used" in auto["what"] or "no voice here" in auto["what"]


def test_an_engine_that_cannot_list_its_voices_is_not_ready(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(ToneEngine, "voices", broken)
    found = findings(run("doctor", "--json"))["voice tone"]
    assert not found["ok"]
    assert found["what"] == "metta_audio.voices.tone:ToneEngine fails (ZeroDivisionError: oh no)"
    assert not found["advice"]
