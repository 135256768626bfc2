"""Every example of docs/script-language.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metta_audio.errors import MettaError, Place
from metta_audio.script.breath_pattern import BreathPattern, Phases
from metta_audio.script.cues import read_cue
from metta_audio.script.fill import fill
from metta_audio.script.gaps import PARAGRAPH, SECTION, SENTENCE
from metta_audio.script.header import _FrontMatter
from metta_audio.script.model import Pause, Session
from metta_audio.script.parse import parse_script
from metta_audio.script.values import FILTERS
from metta_audio.shelves import Shelves, shipped_root

SHIPPED = Shelves((shipped_root() / "scripts",), ())

PAGE = Path(__file__).parents[2] / "docs" / "script-language.md"


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.is_file():
        pytest.skip("docs/ is not beside these tests")
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def library():
    class Library:
        def pack(self, name: str) -> tuple[str, ...]:
            assert name == "four-wishes"
            return ("be safe", "be well")

        def part(self, name: str) -> tuple[str, str]:
            raise AssertionError(name)

        def breath(self, name: str) -> BreathPattern:
            return SHIPPED.breath(name)

        def breath_like(self, phases: Phases) -> BreathPattern | None:
            return SHIPPED.breath_like(phases)

    return Library()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def session(text: str, library) -> Session:
    front = "" if text.startswith("---") else "---\ntitle: Example\n---\n"
    return fill(parse_script((front + text).encode(), name="example", file="example.md"), library=library)


def test_every_script_on_the_page_can_be_filled(page, library):
    examples = blocks(page, "metta")
    assert len(examples) >= 7
    for example in examples:
        assert session(example, library).sections


def test_every_error_on_the_page_is_what_happens(page, library):
    examples = blocks(page, "metta-error")
    assert len(examples) >= 4
    for example in examples:
        text, _, message = example.partition("→ ")
        with pytest.raises(MettaError) as caught:
            session(text, library)
        assert message.strip() in str(caught.value)


def test_the_table_of_written_gaps_is_true(page):
    rows = re.findall(r"^\| `\[([^`]*)\]` \| ([\d.]+) s \| ([\d.]+) s \| ([\d.]+) s \|$", page, re.MULTILINE)
    assert len(rows) >= 8
    for cue, *bounds in rows:
        gap = read_cue(cue, Place("x", 1))
        assert isinstance(gap, Pause)
        assert [gap.low, gap.preferred, gap.high] == pytest.approx([float(bound) for bound in bounds])


def test_the_table_of_implied_gaps_is_true(page):
    for words, gap in (("two sentences", SENTENCE), ("two paragraphs", PARAGRAPH), ("two sections", SECTION)):
        assert re.search(
            rf"^\| {words}[^|]*\| {gap.low:g} s \| {gap.preferred:g} s \| {gap.high:g} s \|$", page, re.MULTILINE
        )


def test_every_cue_in_the_tables_is_one(page):
    cues = re.findall(r"^\| `\[([^`]*)\]` \|", page, re.MULTILINE)
    assert len(cues) >= 16
    for cue in cues:
        read_cue(cue, Place("x", 1), library=SHIPPED)


def test_every_name_the_program_knows_is_on_the_page(page):
    breaths = {name: SHIPPED.breath(name).phases for name in SHIPPED.breaths()}
    for name in [*breaths, *_FrontMatter.model_fields]:
        assert f"`{name}`" in page, name
    listed = page[page.index("- the filters") : page.index("**A value is never markup.**")]
    assert set(re.findall(r"[a-z]+", listed)) - {"the", "filters", "and"} == set(FILTERS) - {"d", "count"}
    for name, phases in breaths.items():
        assert f"`{name}` {'-'.join(f'{phase:g}' for phase in phases if phase)}" in page


def test_the_modifiers_in_the_table_work(page, library):
    rows = re.findall(r"^\| `(\(.*?\])` \|", page, re.MULTILINE)
    assert len(rows) == 4
    for row in rows:
        (line,) = session(row, library).sections[0].items
        assert line.spans


def test_the_python_example_runs(page, capsys):
    (code,) = blocks(page, "python")
    exec(compile(code, "script-language.md", "exec"), {})
    out = capsys.readouterr().out
    assert "May I be safe." in out
    assert "preferred=5.0" in out
