"""Bytes to Script: what is accepted, what is refused, and where the refusal points."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import MettaError, Place, ScriptError, ShelfError
from metta_audio.script.model import Script
from metta_audio.script.parse import SIZE_LIMIT, parse_script, read_script

GOOD = """---
title: Six rings
summary: Kindness, ring by ring
minutes: {default: 18, min: 10, max: 30}
params:
  name:  {type: text, default: "", help: First name}
  rings: {type: list, choices: [self, friend], default: [self]}
  n:     {type: number, min: 1, max: 3}
  touch: {type: flag, default: no}
roles:
  self: {pan: -0.2, level: -1.5, room: 0.25}
  part:
---
# Arriving
Welcome.
"""


def parse(text: str | bytes) -> Script:
    return parse_script(text if isinstance(text, bytes) else text.encode(), name="six-rings", file="six-rings.md")


def fault(text: str | bytes) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        parse(text)
    assert caught.value.place is not None
    return caught.value


def place_of_fault(text: str | bytes) -> Place | None:
    """None for a script, the place for a MettaError; any other exception passes through."""
    try:
        parse(text)
    except MettaError as error:
        assert error.place is not None  # noqa: PT017 - there may be no error at all
        return error.place
    return None


def test_a_whole_script_is_read():
    script = parse(GOOD)
    header = script.header
    assert (script.name, script.file, header.title) == ("six-rings", "six-rings.md", "Six rings")
    assert (header.minutes.default, header.minutes.min, header.minutes.max) == (18, 10, 30)
    assert header.params["rings"].default == ("self",)
    assert header.params["n"].default is None
    assert header.params["touch"].default is False
    assert list(header.roles) == ["guide", "self", "part"]
    assert header.roles["part"].title == "Part"
    role = header.roles["self"]
    assert (role.pan, role.level, role.room) == (-0.2, -1.5, 0.25)
    assert (header.roles["part"].pan, header.roles["part"].level, header.roles["part"].room) == (0, 0, 0)
    assert script.body == "# Arriving\nWelcome.\n"
    assert script.body_line == GOOD.split("\n").index("# Arriving") + 1
    assert script.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


def test_what_is_left_out_has_a_sensible_default():
    header = parse("---\n---\nHi.").header
    assert header.title == "Six rings"  # from the file's name
    assert (header.minutes.default, header.minutes.min, header.minutes.max) == (10, 3, 60)
    assert (header.language, header.wpm, header.summary, header.bed) == ("en-us", 110, "", None)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20", (20, 3, 60)),
        ("{default: 90}", (90, 3, 90)),
        ("{max: 5}", (5, 3, 5)),
        ("{min: 30}", (30, 30, 60)),
        ("", (10, 3, 60)),
    ],
)
def test_minutes_fill_in_around_what_is_given(written, expected):
    minutes = parse(f"---\nminutes: {written}\n---\nHi.").header.minutes
    assert (minutes.default, minutes.min, minutes.max) == expected


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_change_nothing_but_the_hash(ends, mark):
    script = parse(mark + GOOD.replace("\n", ends))
    assert (script.header, script.body, script.body_line) == (
        parse(GOOD).header,
        parse(GOOD).body,
        parse(GOOD).body_line,
    )


def test_empty_lines_before_the_front_matter_are_counted():
    assert parse("\n\n" + GOOD).body_line == parse(GOOD).body_line + 2


@pytest.mark.parametrize(
    ("data", "line", "column", "says"),
    [
        (b"", 1, 1, "empty"),
        (b" \n\n", 1, 1, "empty"),
        (b"Hello", 1, 1, "front matter is missing"),
        (b"---\ntitle: x\nHello", 1, 1, "never closed"),
        (b"---\ntitle: x\n---\n \n", 3, 1, "nothing follows"),
        (b"\xff\xfe-\0", 1, 1, "UTF-16"),
        (b"---\ntitle: x\n---\nab\0c", 4, 3, "zero byte"),
        (b"\xef\xbb\xbf---\r\ntitle: x\r\n---\r\n\xc3\xa4\xe9 b", 4, 2, "byte 25 (0xe9) is not UTF-8"),
        ("---\n---\nHi \ufdd0".encode(), 3, 4, "U+FDD0"),
        (b"---\n---\n" + b"a" * SIZE_LIMIT, 1, 1, "larger than 1 MB"),
    ],
)
def test_what_is_no_script_is_refused_at_its_place(data, line, column, says):
    error = fault(data)
    assert says in str(error)
    assert (error.place.line, error.place.column) == (line, column)


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "says"),
    [
        ("summary", "sumary", 3, 1, 'did you mean "summary"'),
        ("pan", "pna", 11, 10, 'did you mean "pan"'),
        ("max: 3}", "mx: 3}", 8, 33, 'did you mean "max"'),
        ("type: flag", "type: flg", 9, 11, 'did you mean "flag"'),
        ("{type: flag, default: no}", "{default: no}", 9, 3, "has no type"),
        ("pan: -0.2", "pan: left", 11, 10, "number is wanted"),
        ("pan: -0.2", "pan: -2", 11, 10, "greater than or equal to -1"),
        ("level: -1.5", "level: -6.1", 11, 21, "level: it should be greater than or equal to -6"),
        ("level: -1.5", "level: 3.5", 11, 21, "level: it should be less than or equal to 3"),
        ("level: -1.5", "level: soft", 11, 21, "level: a number is wanted"),
        ("level: -1.5", "level: .nan", 11, 28, "not a number that can be used"),
        ("room: 0.25", "room: 1.5", 11, 34, "room: it should be less than or equal to 1"),
        ("room: 0.25", "room: -0.1", 11, 34, "room: it should be greater than or equal to 0"),
        ("room: 0.25", "rom: 0.25", 11, 34, 'did you mean "room"'),
        ("default: 18", "default: 40", 4, 11, "not between min 10 and max 30"),
        ("title: Six", "title: [Six", 3, 8, "not valid YAML"),
        ("title: Six", "title: a: Six", 2, 9, "not valid YAML"),
        ("default: [self]", "default: [slf]", 7, 48, 'did you mean "self"'),
        ("  part:", "  self:", 12, 3, "given twice"),
        ("summary: K", "title: K", 3, 1, "given twice"),
        ("summary: K", "summary: &a K", 3, 10, "anchors"),
        ("summary: K", "summary: *K", 3, 10, "anchors"),
        ("summary: K", "summary: !!python/object:os.system K", 3, 10, "tags"),
        ("default: no", "default: maybe", 9, 23, "neither yes nor no"),
        ("  n: ", "  pack: ", 8, 3, "already means something"),
        ("  n: ", "  N x: ", 8, 3, "cannot name a parameter"),
        ("  part:", "  Part One:", 12, 3, "cannot name a role"),
        ("  part:", "  part: {title: self}", 12, 3, "two roles"),
        ("choices: [self, friend], ", "", 7, 3, "without choices"),
        ("min: 1, max: 3", "min: 3, max: 1", 8, 3, "above max"),
        ("title: ", "title: \x01", 2, 8, "YAML forbids"),
        ("summary: K", "x: " + "[" * 30 + "]" * 30 + "\nsummary: K", 3, 11, "nested too deeply"),
        ("roles:", "- roles:", 10, 1, "not valid YAML"),
        ("summary: K", "summary: a\u2028b\nsumary: K", 4, 1, 'did you mean "summary"'),
        ("summary: K", "language: 12\nsummary: K", 3, 1, "text is wanted"),
    ],
)
def test_a_fault_in_the_front_matter_is_found_at_its_line_and_column(old, new, line, column, says):
    assert old in GOOD
    error = fault(GOOD.replace(old, new, 1))
    assert says in str(error)
    assert (error.place.file, error.place.line, error.place.column) == ("six-rings.md", line, column), str(error)


def test_aliases_that_would_unfold_to_gigabytes_answer_at_once():
    laughs = "a: &a [x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )
    assert "anchors" in str(fault(f"---\n{laughs}---\nHi"))


def test_a_hundred_megabyte_file_answers_at_once(tmp_path):
    path = tmp_path / "big.md"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    with pytest.raises(ScriptError, match="larger than 1 MB"):
        read_script(path)


def test_a_file_is_read_under_its_stem_and_shown_name(tmp_path):
    path = tmp_path / "metta-classic.md"
    path.write_text(GOOD, encoding="utf-8")
    assert read_script(path).name == "metta-classic"
    assert read_script(path, shown_as="metta-classic").file == "metta-classic"


def test_what_cannot_be_read_is_a_shelf_error(tmp_path):
    with pytest.raises(ShelfError, match="No such file"):
        read_script(tmp_path / "none.md")
    with pytest.raises(ShelfError, match="folder"):
        read_script(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.md")
        with pytest.raises(ShelfError, match="ordinary"):
            read_script(tmp_path / "pipe.md")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_script_or_an_error(data):
    for candidate in (data, b"---\n" + data, b"---\n" + data + b"\n---\nHi", b"---\ntitle: x\n---\n" + data):
        place = place_of_fault(candidate)
        assert place is None or place.file == "six-rings.md"


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#\n \t%@`,?~01.", max_size=80))
def test_any_front_matter_is_a_header_or_an_error(text):
    place = place_of_fault(f"---\n{text}\n---\nHi.")
    assert place is None or place.line >= 1


def test_reading_scripts_needs_no_numpy():
    code = "import sys, metta_audio.script.parse, metta_audio.script.fill; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
