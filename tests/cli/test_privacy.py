"""What a listener tells us is spoken and written down for them, and stands nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME = "Zaphodia"


def holds_name(data: bytes) -> bool:
    lowered = data.lower()
    return any(NAME.lower().encode(encoding) in lowered for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


@pytest.mark.parametrize("suffix", ["mp3", "flac", "opus"])
def test_a_name_is_in_captions_and_transcript_only(
    run: Callable[..., Any], home: Path, tmp_path: Path, suffix: str
) -> None:
    ran = run("render", "s.md", "--set", f"name={NAME}", "--minutes", 0.4, "--format", suffix, "--json")
    assert ran.code == 0, ran.err
    files = [path for folder in (home / "output", tmp_path / "cache") for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 6 + 3
    assert {path.suffix for path in files if holds_name(path.read_bytes())} == {".vtt", ".srt", ".txt"}
    assert not any(NAME.lower() in str(path).lower() for path in files)
    assert not holds_name((ran.out + ran.err).encode())
    assert NAME in (home / "output" / "s-0.4min.txt").read_text()


def test_the_plan_shows_it_as_text_and_in_no_title(run: Callable[..., Any]) -> None:
    plan = run("plan", "s.md", "--set", f"name={NAME}", "--json").json
    assert any(NAME in event["text"] for event in plan["events"])
    assert not holds_name(repr(plan["sections"]).encode())
    assert not any(holds_name((event["section"] + str(event["place"])).encode()) for event in plan["events"])


FAULTS = [
    "# For {{ name }}\n\nSit.",
    "# For {{ name | upper }}\n\nSit.",
    "# For {{ name[:4] ~ name[4:] }}\n\nSit.",
    "[bell {{ name }}]",
    "Sit. [bed {{ name }}]",
    "[sound {{ name }}.wav]",
    "{{ pack(name) }}",
    "[{{ name }}]",
    "[pause {{ name }}]",
    "{{ name.nothing }}",
    "{{ name + 1 }}",
    "{{ [1, 2][name] }}",
    "{{ name | int }}",
    "{% include '_parts/' ~ name %}",
    "{{ {'a': 1}[name] }}",
    "{{ range(name) }}",
]


@pytest.mark.parametrize("body", FAULTS)
def test_no_error_tells_it(run: Callable[..., Any], write: Callable[..., str], body: str) -> None:
    assert not holds_name(run("plan", write(body), "--set", f"name={NAME}").complaint().encode())


@pytest.mark.parametrize(
    "args",
    [
        ("--set", NAME),
        ("--set", f"nmae={NAME}"),
        ("--set", f"name={NAME}", "--set", f"name={NAME}"),
        ("--set", f"name={NAME * 2_000}"),
        ("--set", f"name={NAME}\ud800"),
        ("--set", f"name={NAME}", "--minutes", "59"),
        ("--set", f"name={NAME}", "--voice", "nobody"),
    ],
)
def test_no_error_of_an_option_tells_it(
    run: Callable[..., Any], write: Callable[..., str], args: tuple[str, ...]
) -> None:
    script = write("Sit, {{ name }}.")
    assert not holds_name(run("plan", script, *args).complaint().encode())
