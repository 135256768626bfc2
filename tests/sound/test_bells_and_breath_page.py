"""Everything that docs/bells-and-breath.md says is so, and its examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metta_audio.errors import Place, SoundError
from metta_audio.script.breath_pattern import read_pattern
from metta_audio.script.cues import read_cue
from metta_audio.script.model import BREATH_SOUNDS, Breath
from metta_audio.shelves import Shelves, shipped_root
from metta_audio.sound import bell_wait
from metta_audio.sound.bell import load_bell
from metta_audio.units import RATE

PAGE = Path(__file__).parents[2] / "docs" / "bells-and-breath.md"
SHELVES = Shelves((shipped_root() / "scripts",), (shipped_root() / "sounds",))


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.is_file():
        pytest.skip("docs/ is not beside these tests")
    return PAGE.read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def rows(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    below = page[page.index(f"\n## {heading}\n") :]
    table = re.search(r"^\|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)", below, re.MULTILINE)
    assert table
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def test_the_example_bells_load_and_ring(page: str) -> None:
    struck, rubbed = (load_bell(text, name="kitchen", file="kitchen.toml") for text in blocks(page, "toml"))
    assert struck.mallet
    assert struck.spacing == 4
    assert rubbed.rise == 4
    assert struck.strike(0).samples.any()
    assert rubbed.strike(0).samples.any()


def test_the_example_patterns_load(page: str) -> None:
    evening, double = (read_pattern(text, name="mine", file="mine.yaml") for text in blocks(page, "yaml"))
    assert (evening.phases, evening.most_minutes, evening.first_minutes) == ((3, 0, 6, 1), 10, 3)
    assert (double.sip, double.most_breaths, double.first_breaths, double.no_hold) == (1, 20, 5, "calm")
    assert SHELVES.breath(double.no_hold)


def test_the_table_of_bells_is_true(page: str) -> None:
    table = rows(page, "The bells")
    assert sorted(row[0].strip("`") for row in table) == SHELVES.bells()
    for name, _, tags, after, between, rings in table:
        file, text = SHELVES.bell(name.strip("`"))
        model = load_bell(text, name=name, file=file)
        assert tags == ", ".join(model.tags)
        assert bell_wait.speech_after(model) / RATE == pytest.approx(float(after.removesuffix(" s")), abs=0.03)
        assert bell_wait.spacing(model) / RATE == pytest.approx(float(between.removesuffix(" s")), abs=0.03)
        assert bell_wait.ring(model, 1) / RATE == pytest.approx(float(rings.removesuffix(" s")), abs=0.06)


def loads(**values: float) -> bool:
    partials = "partials = [{ ratio = 1.0, level = 0.0, decay = 1.0 }]\n"
    try:
        load_bell(partials + "".join(f"{key} = {value}\n" for key, value in values.items()), name="x", file="x")
    except SoundError:
        return False
    return True


def test_the_table_of_keys_is_true(page: str) -> None:
    for key, least, most, _ in rows(page, "Make a bell"):
        name, low, high = key.strip("`"), float(least), float(most)
        others = {"root": 310.0, "mallet": -6.0} if name.startswith("mallet_") else {"root": 310.0}
        assert loads(**others | {name: low}), name
        assert loads(**others | {name: high}), name
        assert not loads(**others | {name: low - 0.1 * abs(low)}), name
        assert not loads(**others | {name: high * 1.1}), name
    assert not loads()  # the root is needed


def test_the_table_of_patterns_is_true(page: str) -> None:
    table = rows(page, "The breath patterns")
    assert sorted(row[0].strip("`") for row in table) == SHELVES.breaths()

    def cap(breaths: float, minutes: float) -> str:
        return f"{breaths} breaths" if breaths else f"{minutes:g} minutes" if minutes else ""

    for name, phases, most, first, without in table:
        pattern = SHELVES.breath(name.strip("`"))
        assert phases == "-".join(f"{phase:g}" for phase in pattern.phases)
        assert most == cap(pattern.most_breaths, pattern.most_minutes)
        assert first == cap(pattern.first_breaths, pattern.first_minutes)
        assert without.strip("`") == pattern.no_hold


def test_the_cues_on_the_page_are_cues_and_the_sounds_are_all(page: str) -> None:
    cues = re.findall(r"`\[([^`]*)\]`", page)
    assert len(cues) >= 8
    for cue in cues:
        if "evening" not in cue:
            read_cue(cue, Place("x", 1), library=SHELVES)
    assert [row[0].strip("`") for row in rows(page, "What leads a breath")] == list(BREATH_SOUNDS)
    told = read_cue("breath 4-7-8 x20", Place("x", 1), library=SHELVES)
    assert isinstance(told, Breath)
    assert told.cautions[-1].replace("4-7-8", "relax") in page
