"""docs/beds.md: its examples are beds, and it tells of every bed, every key and every range there is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from metta_audio.shelves import shipped_root
from metta_audio.sound import bed, datafile
from metta_audio.sound.bed import load_bed, open_bed
from metta_audio.units import RATE

ROOTS = (Path(__file__).parents[2], Path.cwd())
PAGE = next((root / "docs" / "beds.md" for root in ROOTS if (root / "docs" / "beds.md").is_file()), None)
TEXT = PAGE.read_text(encoding="utf-8") if PAGE else ""
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
KINDS = {
    "noise": "slope = 0",
    "drops": "per_second = 1\nlow = 100\nhigh = 200\nring = 0.1",
    "tones": "root = 100\npartials = [{ ratio = 1.0, level = 0 }, { semitones = 1, level = 0 }]",
    "calls": "callers = 1\nlow = 100\nhigh = 200\nnotes = 1\nnote_rate = 20\nevery = 1",
}
MOTIONS = {"waves": "shortest = 5\nlongest = 6", "gusts": "seconds = 3", "pulse": "rate = 1"}

pytestmark = pytest.mark.skipif(PAGE is None, reason="docs/ is not beside the tests")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_the_examples_are_beds(number: int) -> None:
    model = load_bed(EXAMPLES[number], name="example", file="example.toml")
    assert model.title
    assert model.summary
    assert model.tags
    assert np.abs(open_bed(model, 1).read(0, RATE)).max() > 1e-3


def test_every_bed_is_told_of_with_its_tags() -> None:
    catalogue = TEXT[: TEXT.index("## What every bed keeps to")]
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| ([a-z, ]+) \|$", catalogue, re.MULTILINE))
    models = {
        path.stem: load_bed(path.read_text(encoding="utf-8"), name=path.stem, file=str(path))
        for path in (shipped_root() / "sounds" / "beds").glob("*.toml")
    }
    assert rows == {name: ", ".join(model.tags) for name, model in models.items()}


@pytest.mark.slow
def test_the_example_in_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (block,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    exec(compile(block, "example", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out.strip() in block


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("motion", MOTIONS)
def test_every_key_is_told_of_with_its_range(kind: str, motion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, tuple[float, float] | None] = {}
    number, value = datafile.Table.number, datafile.Table._value

    def told(table: datafile.Table, key: str, low: float, high: float, default: float | None = None) -> float:
        asked[key] = (low, high)
        return number(table, key, low, high, default)

    def noted(table: datafile.Table, key: str, *rest: object) -> object:
        asked.setdefault(key, None)
        return value(table, key, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(datafile.Table, "number", told)
    monkeypatch.setattr(datafile.Table, "_value", noted)
    text = f'[[motion]]\nname = "m"\nkind = "{motion}"\n{MOTIONS[motion]}\n'
    text += f'[[layer]]\nkind = "{kind}"\nfollows = "m"\ndepth = 1\n{KINDS[kind]}\n'
    load_bed(text, name="x", file="x")
    assert len(asked) > 12
    assert set(bed._KINDS) == set(KINDS)
    assert set(bed.MOTIONS) == set(MOTIONS)
    plain = TEXT.replace("−", "-")
    for key, limits in asked.items():
        lines = [
            line for line in plain.splitlines() if f"`{key}`" in line or f"[[{key}]]" in line or f"{key} = " in line
        ]
        assert lines, key
        # Bounds that depend on another key are told by its name.
        if limits and key not in ("longest", "high", "notes", "bunch_seconds", "edge", "ratio"):
            wanted = [f"{limits[0]:g}", str(int(limits[1])) if limits[1] == int(limits[1]) else f"{limits[1]:g}"]
            near = plain if key in ("semitones", "beat") else "\n".join(lines)
            assert all(re.search(rf"(?<![\d.]){re.escape(bound)}(?![\d.]\d)", near) for bound in wanted), (key, limits)
