"""What docs/voices.md says of voices is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from metta_audio.speech.voice import QUALITIES, Setup
from metta_audio.voices.catalogue import parse_catalogue, read_catalogue
from metta_audio.voices.registry import BEST, find_engines

ROOTS = (Path(__file__).parents[2], Path.cwd())
PAGE = next((root / "docs" / "voices.md" for root in ROOTS if (root / "docs" / "voices.md").is_file()), None)

pytestmark = pytest.mark.skipif(PAGE is None, reason="docs/ is not beside the tests")


@pytest.fixture
def page() -> str:
    assert PAGE is not None
    return PAGE.read_text(encoding="utf-8")


def tables(page: str) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_every_engine_is_in_the_table_with_its_quality(page: str) -> None:
    engines = find_engines(Setup())
    rows = {}
    for names, quality in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| .*? \| (\w+) \| .*? \|$", page, re.MULTILINE):
        rows.update(dict.fromkeys(re.findall(r"\w+", names), quality))
    assert set(rows) == set(engines)
    assert set(rows.values()) == set(QUALITIES)
    for name, engine in engines.items():
        assert {info.quality for info in engine.voices()} <= {rows[name]}


def test_auto_looks_in_the_order_of_the_page(page: str) -> None:
    order = re.findall(r"^\d\. `(\w+)`", page, re.MULTILINE)
    assert [name for name in order if name in BEST] == list(BEST)
    assert set(order) <= {*BEST, "system"}


def test_every_voice_that_is_named_can_be_fetched(page: str) -> None:
    known = {voice.name for voice in read_catalogue(Setup())}
    assert set(re.findall(r"\b(?:piper:[a-z]{2}_[A-Z]{2}-\w+-\w+|kokoro:\w+)", page)) <= known


def test_the_voices_that_were_not_begun_from_lessac_are_those(page: str) -> None:
    free = {voice.name.split("-")[1] for voice in read_catalogue(Setup()) if voice.engine == "piper"}
    marked = {voice.name.split("-")[1] for voice in read_catalogue(Setup()) if "lessac" in voice.licence}
    (told,) = re.findall(r"without that mark:(.*?)\. This", page, re.DOTALL)
    assert {name for name in free | marked if re.search(rf"\b{name}\b", told)} == free - marked


def test_ones_own_catalogue_may_look_like_that(page: str) -> None:
    (text,) = (table for table in tables(page) if "[[set]]" in table)
    (voice,) = parse_catalogue(text.replace("sha256:…", "sha256:" + "0" * 64), "voices.toml")
    assert voice.name == "piper:eo-tuko-medium"


def test_the_settings_of_the_page_are_understood(page: str, tmp_path: Path) -> None:
    text = "\n".join(table for table in tables(page) if "[[set]]" not in table)
    settings = tomllib.loads(text)
    engines = find_engines(Setup(voices=tmp_path, tables=settings))
    for name in settings:
        assert engines[name].problem() == "", name
    assert [info.name for info in engines["http"].voices()] == ["http:af_sky", "http:bm_lewis"]
    assert {info.name for info in engines["command"].voices()} == {"command:slt", "command:anna"}
