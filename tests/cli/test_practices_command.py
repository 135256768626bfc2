"""``metta practices``: what there is, what can be chosen, and a copy to edit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHIPPED = ("body-scan", "breath-belly", "ifs-protector", "metta-classic")


def test_every_practice_is_listed_with_lengths_and_summary(run: Callable[..., Any], home: Path) -> None:
    (home / "scripts" / "own").mkdir(parents=True)
    (home / "scripts" / "own" / "mine.md").write_text("---\nminutes: 4\nsummary: |\n  Two\n  lines\n---\nSit.\n")
    (home / "scripts" / "broken.md").write_text("---\nminutes: [4\n---\nSit.\n")
    heads, *rows = [line.split("\t") for line in run("practices").out.splitlines()]
    assert heads == ["name", "minutes", "summary"]
    listed = {name: (minutes, summary) for name, minutes, summary in rows}
    assert set(listed) >= {*SHIPPED, "mine", "broken"}
    assert listed["mine"][1] == "Two lines"
    assert listed["broken"][1].startswith("cannot be read: scripts/broken.md:")
    assert all(summary for _, summary in listed.values())


def test_a_practice_explains_itself(run: Callable[..., Any]) -> None:
    shown = run("practices", "show", "metta-classic").out
    for word in (
        "Loving-Kindness",
        "minutes",
        "10 to 30",
        "default 18",
        "name (text), default empty",
        "rings (list: self,",
    ):
        assert word in shown
    assert 'did you mean "metta-classic"' in run("practices", "show", "meta-classic").complaint()


def test_a_parameter_that_must_be_given_says_so(run: Callable[..., Any], write: Callable[..., str]) -> None:
    script = write(
        "Sit.", head="---\nparams:\n  name: {type: text, help: Whose.}\n  n: {type: number, default: 2}\n---\n"
    )
    shown = run("practices", "show", script).out
    assert "name (text), default none: it must be given" in shown
    assert "Whose." in shown
    assert "n (number), default 2" in shown


def test_a_copy_is_the_same_bytes_and_found_first(run: Callable[..., Any], home: Path) -> None:
    ran = run("practices", "copy", "metta-classic")
    assert ran.out == f"{Path('scripts', 'metta-classic.md')}\n"
    copy = home / "scripts" / "metta-classic.md"
    copy.write_text(copy.read_text(encoding="utf-8").replace("Loving-Kindness, Six Rings", "Mine"), encoding="utf-8")
    assert run("practices", "show", "metta-classic").out.startswith("Mine")
    assert run("practices", "show", "shipped:metta-classic").out.startswith("Loving-Kindness")
    assert run("plan", "metta-classic", "--estimate", "--json").json["title"] == "Mine"
    assert run("practices", "copy", "shipped:metta-classic", "other").code == 0
    assert (home / "other" / "metta-classic.md").stat().st_size > 1000


def test_a_copy_never_overwrites(run: Callable[..., Any], home: Path) -> None:
    (home / "scripts").mkdir()
    target = home / "scripts" / "body-scan.md"
    target.write_text("mine")
    assert "is there already" in run("practices", "copy", "shipped:body-scan").complaint()
    assert target.read_text() == "mine"
    target.unlink()
    target.symlink_to(home / "nowhere.md")
    assert "is there already" in run("practices", "copy", "shipped:body-scan").complaint()
    assert not (home / "nowhere.md").exists()
    assert "is there already" in run("practices", "copy", "./s.md", ".").complaint()


def test_a_copy_to_where_nothing_can_be(run: Callable[..., Any], home: Path) -> None:
    assert "s.md is no folder" in run("practices", "copy", "body-scan", "s.md").complaint()
    assert "cannot write" in run("practices", "copy", "body-scan", "s.md/scripts").complaint()
    assert "no practice is called" in run("practices", "copy", "nothing").complaint()


def test_no_half_copy_is_left(run: Callable[..., Any], home: Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        ran = run("practices", "copy", "body-scan")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot write" in ran.complaint()
    assert list((home / "scripts").iterdir()) == []


@pytest.mark.parametrize("before", [True, False])
def test_a_folder_of_scripts_is_looked_in_first(run: Callable[..., Any], home: Path, before: bool) -> None:
    (home / "mine").mkdir()
    (home / "s.md").rename(home / "mine" / "body-scan.md")
    option = ["--scripts", "mine"]
    args = ["practices", *option, "show", "body-scan"] if before else ["practices", "show", "body-scan", *option]
    assert run(*args).out.startswith("A Minute")
    assert "0.3-60 (0.5)" in run("practices", *option).out
    assert run("plan", "body-scan", *option, "--estimate", "--json").json["title"] == "A Minute"
