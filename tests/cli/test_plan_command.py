"""``metta plan``: the whole timeline before any sound."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

PRACTICE = """---
title: "What $x^$ costs & <more>"
minutes: {default: 5, min: 1, max: 60}
roles:
  self: {title: "My $elf_"}
---
# Arriving where we are, with a title that is longer than any title should be

[bed rain]

Sit. [pause 1s..60s]

# Breathing

[breath 4-4-6 x3]

# Short

Self: Hm.

# 呼吸

Hm.

# The last of all titles, near the edge

[bell] Bye. [silence 1s..50m]
"""


def test_the_table_is_the_timeline(run: Callable[..., Any]) -> None:
    printed = run("plan", "s.md").out.splitlines()
    heads, *rows, summary, voices = [line.split("\t") for line in printed]
    assert heads == ["start", "length", "kind", "role", "section", "text", "bounds"]
    assert all(len(row) == len(heads) for row in rows)
    events = run("plan", "s.md", "--json").json["events"]
    assert [row[2] for row in rows] == [event["kind"] for event in events]
    assert [row[5] for row in rows] == [event["text"] for event in events]
    assert "1,323,000 samples" in summary[0]
    assert "2 sections" in summary[0]
    assert voices == ["spoken by tone:220 (guide), tone:330 (self)"]


def test_a_plan_tells_which_voices_it_took_and_an_estimate_takes_none(run: Callable[..., Any]) -> None:
    assert run("plan", "s.md", "--json").json["voices"] == {"guide": "tone:220", "self": "tone:330"}
    assert "spoken by espeak:en-us" in run("plan", "s.md", "--voice", "auto").out
    assert run("plan", "s.md", "--estimate", "--json").json["voices"] == {}
    assert "spoken by" not in run("plan", "s.md", "--estimate").out


def test_json_covers_the_whole_length_without_a_gap(run: Callable[..., Any]) -> None:
    plan = run("plan", "s.md", "--json", "--minutes", 1).json
    assert plan["samples"] == 60 * plan["rate"] == 2_646_000
    at = 0
    for event in plan["events"]:
        assert event["start_samples"] == at
        assert event["start"] == pytest.approx(at / plan["rate"])
        assert event["bounds"][0] <= event["seconds"] <= event["bounds"][1]
        at += event["samples"]
    assert at == plan["samples"]
    assert {event["section"] for event in plan["events"]} == {section["title"] for section in plan["sections"]}


def test_each_breath_tells_its_phases(run: Callable[..., Any], write: Callable[..., str]) -> None:
    plan = run("plan", write("[breath 4-4-6 x2] Sit. [silence 1s..9m]"), "--estimate", "--json", "--minutes", 2).json
    (breath,) = (event for event in plan["events"] if event["kind"] == "breath")
    assert [(phase["name"], phase["seconds"]) for phase in breath["phases"]] == [("in", 4), ("hold", 4), ("out", 6)] * 2


def test_a_plan_writes_no_sound(run: Callable[..., Any], home: Path) -> None:
    before = sorted(home.iterdir())
    assert run("plan", "s.md").code == 0
    assert sorted(home.iterdir()) == before


def test_an_estimate_needs_no_voice_and_no_cache(run: Callable[..., Any], tmp_path: Path) -> None:
    plan = run("plan", "s.md", "--estimate", "--json", "--voice", "espeak").json
    assert plan["estimated"] is True
    assert plan["samples"] == 30 * 44_100
    assert not (tmp_path / "cache").exists()
    assert run("plan", "s.md", "--estimate").out.rstrip().endswith("estimated")
    assert run("plan", "s.md", "--json").json["estimated"] is False


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture_is_the_same_bytes_every_time(
    run: Callable[..., Any], write: Callable[..., str], home: Path, kind: str
) -> None:
    pytest.importorskip("matplotlib")
    script = write("", head=PRACTICE)
    pictures = []
    for name in (f"a.{kind}", f"new/b.{kind.upper()}"):
        ran = run("plan", script, "--plot", name)
        assert (ran.code, ran.out, ran.err) == (0, "", f"drawn: {name}\n")
        pictures.append((home / name).read_bytes())
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG" if kind == "png" else b"<?xml")


def test_titles_stand_in_the_picture_and_apart(run: Callable[..., Any], write: Callable[..., str], home: Path) -> None:
    pytest.importorskip("matplotlib")
    assert run("plan", write("", head=PRACTICE), "--plot", "a.svg", "--json").json["practice"] == "t"
    texts = [
        element
        for element in ElementTree.parse(home / "a.svg").iter()
        if element.tag.endswith("}text") and element.text
    ]
    shown = [element.text or "" for element in texts]
    for label in ("Guide", "My $elf_", "breath", "bell", "bed", "pause, silence", "minutes", "Breathing", "呼吸"):
        assert label in shown
    assert "What $x^$ costs & <more>   5:00" in shown
    titles = [element for element in texts if "8.5px" in element.attrib["style"]]
    assert len(titles) == 5
    boxes = sorted((float(each.attrib["y"]), float(each.attrib["x"]), len(each.text or "")) for each in titles)
    for (y, x, letters), (next_y, next_x, _) in pairwise(boxes):
        assert y != next_y or x + 3 * letters < next_x  # a letter is wider than three points


@pytest.mark.parametrize("name", ["a.pdf", "a", "png"])
def test_a_picture_of_another_kind(run: Callable[..., Any], name: str) -> None:
    assert "cannot plot into" in run("plan", "s.md", "--estimate", "--plot", name).complaint()


def test_a_picture_that_cannot_be_written(run: Callable[..., Any], home: Path) -> None:
    pytest.importorskip("matplotlib")
    (home / "a.png").mkdir()
    assert "a.png is a folder" in run("plan", "s.md", "--estimate", "--plot", "a.png").complaint()
    assert "cannot write into s.md" in run("plan", "s.md", "--estimate", "--plot", "s.md/a.png").complaint()


def test_without_matplotlib_the_error_says_what_to_install(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert "metta-audio[plot]" in run("plan", "s.md", "--estimate", "--plot", "a.png").complaint()
