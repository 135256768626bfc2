"""What a listener must not hear is heard nowhere: not as a name, a layer, a family, by chance, or in a script."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import metta_audio as metta
from metta_audio.errors import SoundError
from metta_audio.rendering.catalogue import beds, bells
from metta_audio.rendering.score import bed_starts
from metta_audio.script.model import BedChange

SCRIPT = """---
title: Places
minutes: {{default: 2, min: 1, max: 9}}
{header}
---
# One

{body}

Sit. [silence 10s..9m]
"""


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.delenv("METTA_EXCLUDE", raising=False)
    monkeypatch.chdir(tmp_path)


def planned(body: str = "", *, header: str = "", seed: int = 0, folder: Path = Path(), **options: object) -> metta.Plan:
    script = folder / "places.md"
    script.write_text(SCRIPT.format(header=header, body=body), encoding="utf-8")
    session = metta.fill(metta.load(str(script.absolute())), seed=seed)
    return metta.plan(session, metta.Options(**options), estimate=True)  # type: ignore[arg-type]


def names(plan: metta.Plan) -> list[str]:
    """The beds of a plan, in order."""
    cues = [event.item for event in plan.timeline.events if isinstance(event.item, BedChange) and event.item.name]
    return [plan.palette.first_bed.name, *(plan.palette.bed(cue).name for cue in cues)]


EVERY = sorted({bed.name for bed in beds(metta.Shelves.standard())})
TAGS = sorted({tag for bed in beds(metta.Shelves.standard()) for tag in bed.tags})


def test_a_bed_that_a_script_names_gives_way() -> None:
    assert names(planned("[bed ocean]", header="bed: ocean")) == ["ocean", "ocean"]
    plan = planned("[bed ocean]", header="bed: ocean", exclude=("ocean",))
    assert names(plan) == ["drone", "drone"]
    assert plan.notes == ("ocean is excluded: drone in its place",)


def test_a_layer_is_left_out_and_the_others_stay() -> None:
    plan = planned(header='bed: "ocean:-3+drone"', exclude=("ocean",))
    assert names(plan) == ["drone"]
    assert plan.notes == ("ocean is excluded and left out",)
    assert names(planned(bed="ocean:-3+drone", exclude=("ocean",))) == ["drone"]


def test_what_is_asked_for_and_excluded_is_an_error() -> None:
    with pytest.raises(SoundError, match='bed "ocean" is excluded'):
        planned(bed="ocean", exclude=("ocean",))
    with pytest.raises(SoundError, match="every layer of the bed is excluded"):
        planned(bed="ocean+stream", exclude=("water",))
    with pytest.raises(SoundError, match='bell "tingsha" is excluded'):
        planned("[bell]", bell="tingsha", exclude=("tingsha",))
    for name in ("my-ocean.wav", "OceanWaves.wav", "ocean2.flac", "Rain Heavy 03.mp3"):
        Path(name).write_bytes(b"")
        with pytest.raises(SoundError, match="is excluded by"):
            planned(bed=name, exclude=("ocean", "rain"))
        with pytest.raises(SoundError, match='is excluded by "water"'):
            planned(bed=name, exclude=("water",))


def test_a_family_is_excluded_as_a_whole() -> None:
    for name in ("rain", "rain-light", "rain-leaves", "rain-heavy"):
        assert names(planned(f"[bed {name}]", exclude=("rain",))) == ["drone", "drone"]
        assert names(planned(f"[bed {name}]", exclude=("water",))) == ["drone", "drone"]
    assert names(planned("[bed rain-light]", exclude=("rain-heavy",))) == ["drone", "rain-light"]


@pytest.mark.slow
def test_chance_never_brings_what_is_excluded() -> None:
    chosen = {names(planned(bed="random", seed=seed))[0] for seed in range(14)}
    assert len(chosen) > 4
    assert "binaural" not in chosen  # it needs headphones
    kept = {names(planned(bed="random", seed=seed, exclude=("nature",)))[0] for seed in range(10)}
    assert kept <= {bed.name for bed in beds(metta.Shelves.standard()) if "nature" not in bed.tags}
    assert len(kept) > 2
    assert "binaural" not in kept
    body = "{% set bed = choose(['ocean', 'stream']) %}\n[bed {{ bed }}]"
    assert {names(planned(body, seed=seed, exclude=("ocean",)))[1] for seed in range(12)} == {"drone", "stream"}


def test_with_every_bed_excluded_there_is_none() -> None:
    plan = planned("[bed rain]", header="bed: ocean", exclude=tuple(EVERY))
    assert names(plan) == ["none", "none"]
    assert plan.notes == ("every bed is excluded: there is none",)
    assert all(bed is None for _, bed, _ in bed_starts(plan))
    assert names(planned(bed="random", exclude=tuple(EVERY))) == ["none"]


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag_excludes_all_that_have_it(tag: str) -> None:
    tagged = [bed.name for bed in beds(metta.Shelves.standard()) if tag in bed.tags]
    plan = planned("\n\n".join(f"[bed {name}]" for name in tagged), exclude=(tag,))
    assert not set(names(plan)) & set(tagged)


def test_bells_too() -> None:
    plan = planned("[bell tingsha]", exclude=("tingsha",))
    assert plan.palette.bell(next(e.item for e in plan.timeline.events if e.kind == "bell")).name == "bowl"  # type: ignore
    every = tuple(bell.name for bell in bells(metta.Shelves.standard()))
    silent = planned("[bell] [bell bowl x3]", exclude=every)
    assert [event.kind for event in silent.timeline.events].count("bell") == 0
    assert silent.palette.bell_name == "none"


def test_and_sound_files(tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "big-gong.wav", np.full((44100, 2), 0.1), 44100)
    plan = planned("[sound big-gong.wav]", exclude=("gong",))
    cue = next(event.item for event in plan.timeline.events if event.kind == "sound")
    assert not plan.palette.sound(cue).samples.any()  # type: ignore[arg-type]
    assert plan.notes == ("big-gong.wav is excluded: silence in its place",)
    assert planned("[sound big-gong.wav]").timeline.events[1].length == plan.timeline.events[1].length


def test_settings_and_environment_count_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.toml").write_text('exclude = ["Ocean"]\n')
    assert names(planned(header="bed: ocean")) == ["drone"]
    monkeypatch.setenv("METTA_EXCLUDE", "stream, drone")
    assert names(planned(header="bed: ocean")) == ["pad"]
    assert names(planned(header="bed: rain", exclude=("rain",))) == ["pad"]


def test_a_misspelt_exclusion_is_an_error() -> None:
    with pytest.raises(SoundError, match='nothing called "oceen" can be excluded; did you mean "ocean"'):
        planned(exclude=("oceen",))
    assert names(planned(exclude=("  ", ""))) == ["drone"]


def test_a_bed_at_fault_on_a_shelf_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "sounds" / "beds").mkdir(parents=True)
    (tmp_path / "sounds" / "beds" / "broken.toml").write_text("title = 3\n")
    assert names(planned(header="bed: ocean", exclude=("ocean",))) == ["drone"]
    with pytest.raises(SoundError, match=r"broken\.toml:1:1"):
        planned(bed="broken")
