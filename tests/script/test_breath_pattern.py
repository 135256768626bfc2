"""A breath pattern is a small file, and a user's own stands beside the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from metta_audio.errors import Place, ScriptError, ShelfError
from metta_audio.script.breath_pattern import read_pattern
from metta_audio.script.cues import read_cue
from metta_audio.shelves import Shelves, shipped_root

TEXT = """\
title: Evening breath
summary: In for three, out for six.
phases: [3, 0, 6.5, 1]
sip: 0.5
caution: Lie down.
most_breaths: 40
first_breaths: 10
most_minutes: 5
first_minutes: 2.5
no_hold: calm
"""


def shelves(folder: Path) -> Shelves:
    return Shelves((folder, shipped_root() / "scripts"), ())


def put(folder: Path, name: str, text: str) -> None:
    (folder / "breaths").mkdir(exist_ok=True)
    (folder / "breaths" / name).write_text(text, encoding="utf-8")


def test_a_pattern_is_read():
    pattern = read_pattern(TEXT, name="evening", file="evening.yaml")
    assert (pattern.name, pattern.title, pattern.summary) == ("evening", "Evening breath", "In for three, out for six.")
    assert (pattern.phases, pattern.sip) == ((3, 0, 6.5, 1), 0.5)
    assert (pattern.most_breaths, pattern.first_breaths) == (40, 10)
    assert (pattern.most_minutes, pattern.first_minutes, pattern.no_hold) == (5, 2.5, "calm")
    least = read_pattern("phases: [3, 0, 6, 0]", name="least", file="least.yaml")
    assert (least.title, least.sip, least.cautions(10_000)) == ("least", 0, ())
    # 31 breaths of 10.5 s are 5.4 minutes.
    assert pattern.cautions(31) == (
        "Lie down.",
        "10 breaths of evening at most while it is new; this cue has 31",
        "5 minutes of evening at most; this cue has 5.4",
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("phases", "fases", "3:1", 'did you mean "phases"?'),
        ("[3, 0, 6.5, 1]", "[3, 0, 6.5]", "3:1", "needs four phases"),
        ("[3, 0, 6.5, 1]", "3", "3:1", "needs four phases"),
        ("[3, 0, 6.5, 1]", "[3, yes, 6.5, 1]", "3:1", "needs four phases"),
        ("[3, 0, 6.5, 1]", "[0, 0, 6.5, 1]", "3:1", "both take time"),
        ("[3, 0, 6.5, 1]", "[3, -1, 6.5, 1]", "3:1", "only a hold may be 0"),
        ("[3, 0, 6.5, 1]", "[3, 0, 61, 1]", "3:1", "too long for one breath"),
        ("[3, 0, 6.5, 1]", "[3, 0, .nan, 1]", "3:16", "not a number"),
        ("sip: 0.5", "sip: 3", "4:1", "a sip of 3 s in 3 s"),
        ("sip: 0.5", "sip: 0.1", "4:1", "leave 0.25 s or more"),
        ("sip: 0.5", "sip: much", "4:1", "must be a number from 0 to 3"),
        ("caution: Lie down.", "caution: [a]", "5:1", "must be a text"),
        ("most_breaths: 40", "most_breaths: -1", "6:1", "from 0 to 10000"),
        ("title: Evening", "title: &a Evening", "1:8", "anchors"),
        ("title: Evening", "title: [Evening", "", "the pattern is not valid YAML"),
    ],
)
def test_faults_say_what_and_where(old, new, place, says, tmp_path):
    put(tmp_path, "mine.yaml", TEXT.replace(old, new))
    with pytest.raises(ScriptError, match=r"mine\.yaml") as direct:
        read_pattern(TEXT.replace(old, new), name="mine", file="mine.yaml")
    assert str(direct.value).startswith(f"mine.yaml:{place}")
    assert says in str(direct.value)
    # A script that asks for it gets the place in the pattern's own file.
    with pytest.raises(ShelfError) as caught:
        read_cue("breath mine x3", Place("x.md", 1), library=shelves(tmp_path))
    assert str(caught.value).startswith(str(tmp_path / "breaths" / f"mine.yaml:{place}"))


def test_a_users_pattern_is_one_file(tmp_path):
    put(tmp_path, "Evening.yaml", TEXT)
    mine = shelves(tmp_path)
    assert "Evening" in mine.breaths()
    assert "box" in mine.breaths()
    read = read_cue("breath evening for 2m noise", Place("x.md", 1), library=mine)
    assert (read.phases, read.cycles, read.sip, read.pattern) == ((3, 0, 6.5, 1), 11, 0.5, "Evening")
    with pytest.raises(ScriptError, match='did you mean "Evening"'):
        read_cue("breath evning x3", Place("x.md", 1), library=mine)


def test_the_first_shelf_wins_but_numbers_keep_the_shipped_caution(tmp_path):
    put(tmp_path, "relax.yaml", "phases: [4, 0, 8, 0]")
    mine = shelves(tmp_path)
    assert mine.breath("relax").phases == (4, 0, 8, 0)
    numeric = read_cue("breath 4-7-8 x20", Place("x.md", 1), library=mine)
    assert numeric.cautions == read_cue("breath 4-7-8 x20", Place("x.md", 1), library=Shelves.standard()).cautions
    assert len(numeric.cautions) == 2


def test_a_pattern_is_no_practice_and_no_path(tmp_path):
    put(tmp_path, "notes.md", "---\ntitle: Notes\n---\nHello.")
    assert "notes" not in shelves(tmp_path).practices()
    with pytest.raises(ShelfError):
        shelves(tmp_path).breath("../breaths/box")
