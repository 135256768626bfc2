"""What a listener may wish for beside the script: twin, loudness, bells, what leads the breath, plain voices."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import metta_audio as metta
from metta_audio.errors import SettingsError
from metta_audio.rendering.counting import counting_lines
from metta_audio.rendering.score import led_otherwise, said, to_score
from metta_audio.sound.loudness import Meter
from metta_audio.sound.mix import stems
from metta_audio.timeline.breath import phases
from metta_audio.units import RATE, Decibels, to_samples

SCRIPT = """---
title: Wishes
minutes: {default: 1.5, min: 1, max: 20}
bed: pink
roles:
  self: {pan: 0.4, level: -2, room: 0.5}
---
# Arriving

[bell]

Sit as you like. [pause 5s..20s]

# Breathing

[breath 4-2-4 x2]

Self: That was good. [silence 8s..19m]

[bell x2]
"""


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("METTA_EXCLUDE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.md").write_text(SCRIPT, encoding="utf-8")


def planned(minutes: float = 1.5, **options: Any) -> metta.Plan:
    return metta.plan(metta.fill(metta.load("s.md"), minutes=minutes), metta.Options(voice="tone", **options))


def kinds(plan: metta.Plan) -> list[str]:
    return [event.kind for event in plan.timeline.events if event.kind in ("bell", "line", "breath")]


def stem(plan: metta.Plan, name: str, *, with_bed: bool = True) -> np.ndarray:
    return all_stems(plan, with_bed=with_bed)[name]


def all_stems(plan: metta.Plan, *, with_bed: bool = True) -> dict[str, np.ndarray]:
    score = replace(to_score(plan, with_bed=with_bed), bed_gain=Decibels(0))  # how far it fell depends on all else
    blocks = list(stems(score))
    return {name: np.concatenate([getattr(block, name) for block in blocks]) for name in ("voice", "cues", "bed")}


def level(samples: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def test_the_twin_is_the_same_session_without_its_bed(tmp_path: Path) -> None:
    plan = planned()
    report = metta.render(plan).save("out/a.flac", twin=True)
    names = {path.name for path in report.files}
    assert {"a.flac", "a.vtt", "a.manifest.json", "a-no-bed.flac", "a-no-bed.vtt", "a-no-bed.manifest.json"} <= names
    assert report.twin == Path("out/a-no-bed.flac")
    both, twin = (soundfile.read(f"out/{name}.flac")[0] for name in ("a", "a-no-bed"))
    assert len(both) == len(twin) == to_samples(90)
    assert Path("out/a.vtt").read_bytes() == Path("out/a-no-bed.vtt").read_bytes()
    # Where nothing else sounds, the twin is silent and the mix is not.
    silence = next(event for event in plan.timeline.events if event.kind == "silence")
    quiet = slice(silence.start + RATE, silence.end - RATE)
    assert level(twin[quiet]) < -100
    assert level(both[quiet]) > -50
    records = [json.loads(Path(f"out/{name}.manifest.json").read_text()) for name in ("a", "a-no-bed")]
    assert [record["with_bed"] for record in records] == [True, False]
    assert metta.render(plan).save("out/b.flac").twin is None


def test_the_twin_never_replaces_the_script() -> None:
    Path("s-no-bed.md").write_text(SCRIPT)
    session = metta.fill(metta.load("s-no-bed.md"))
    plan = metta.plan(session, metta.Options(voice="silent"))
    with pytest.raises(metta.MettaError):
        metta.render(plan).save("s-no-bed.md", "wav")


@pytest.mark.parametrize(("asked", "lufs"), [("apple", -16), ("ebu", -23), (-19, -19), ("SLEEP", -20)])
def test_the_loudness_that_was_asked_for(asked: str | float, lufs: float) -> None:
    Path("s.md").write_text(SCRIPT.replace("Sit as you like.", "Sit as you like, and let yourself arrive. " * 9))
    meter = Meter(RATE, 2)
    for block in metta.render(planned(3, loudness=asked)).blocks():
        meter.add(block)
    assert meter.result().integrated == pytest.approx(lufs, abs=0.3)


@pytest.mark.parametrize("asked", ["loud", -13, -31, "", "1e9", "nan"])
def test_a_loudness_that_cannot_be(asked: str | float) -> None:
    with pytest.raises(SettingsError, match="loudness"):
        metta.Options(loudness=asked)


def test_settings_choose_loudness_and_ducking(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('loudness = "ebu"\n[duck]\ndepth = -12\nattack = 1.2\nrise = 0\n')
    plan = planned()
    assert (plan.mastering.target, plan.mastering.ducking.depth, plan.mastering.ducking.rise) == (-23, -12, 0)
    assert planned(loudness="aes").mastering.target == -18
    for text in ('loudness = "loud"\n', "loudness = -3\n", "[duck]\nattack = 0.1\n", "[duck]\ndepth = 3\n"):
        (tmp_path / "settings.toml").write_text(text)
        with pytest.raises(SettingsError, match=r"settings\.toml"):
            planned()
    (tmp_path / "settings.toml").write_text("[duck]\ndeph = -3\n")
    with pytest.raises(SettingsError, match=r'settings\.toml:2:1: \[duck\] has no "deph"; did you mean "depth"'):
        planned()


def test_bells_at_the_ends_and_in_between() -> None:
    assert kinds(planned()) == ["bell", "line", "breath", "line", "bell"]
    assert kinds(planned(start_bell="none", end_bell="none")) == ["line", "breath", "line"]
    plan = planned(start_bell="chime x3", end_bell="tingsha")
    bells = [event.item for event in plan.timeline.events if event.kind == "bell"]
    assert [(bell.name, bell.strikes) for bell in bells] == [("chime", 3), ("tingsha", 1)]  # type: ignore[union-attr]
    assert plan.timeline.length == to_samples(90)
    last = max((event for event in plan.timeline.events if event.kind == "bell"), key=lambda event: event.start)
    assert last.start + last.ring <= plan.timeline.length
    every = planned(10, interval_bell="2m chime")
    assert [event.item.name for event in every.timeline.events if event.kind == "bell"].count("chime") == 4  # type: ignore
    assert kinds(planned(10, interval_bell="2m", bell="none")) == ["line", "breath", "line"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"start_bell": "bowl chime"}, "a bell takes a name and a count"),
        ({"end_bell": "x0"}, "strikes"),
        ({"interval_bell": "5"}, "no unit"),
        ({"interval_bell": "5s"}, "out of range"),
        ({"interval_bell": "5m none"}, "without a bell"),
        ({"breath": "tonne"}, 'did you mean "tone"'),
        ({"exclude": "ocean"}, "the option exclude"),
        ({"plain": 1}, "the option plain"),
    ],
)
def test_what_cannot_be_wished_for(option: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        metta.Options(**option)


def test_an_unknown_bell_is_an_error_without_a_place() -> None:
    with pytest.raises(metta.MettaError, match=r'^unknown bell "bowel"; did you mean "bowl"'):
        planned(end_bell="bowel")


@pytest.mark.parametrize("sound", ["tone", "noise", "tick", "silence", "bed", "count"])
def test_everything_that_leads_a_breath_does_so_where_the_breath_is(sound: str) -> None:
    plan, without = planned(breath=sound), planned(breath="silence")
    breath = next(event for event in plan.timeline.events if event.kind == "breath")
    assert [event.start for event in plan.timeline.events] == [event.start for event in without.timeline.events]
    stems_that_differ = {"tone": "cues", "noise": "cues", "tick": "cues", "bed": "bed", "count": "voice"}
    with_sound, silent = all_stems(plan), all_stems(without)
    for name in ("voice", "cues", "bed"):
        one, other = with_sound[name], silent[name]
        changed = np.flatnonzero(np.abs(one - other).max(axis=1) > 1e-4)
        if name == stems_that_differ.get(sound):
            assert changed[0] > breath.start - 4 * RATE
            assert changed[-1] < breath.end + 4 * RATE
            assert len(changed) > 0.02 * breath.length
        elif not (sound == "count" and name == "bed"):  # counting ducks the bed
            assert not len(changed)


def test_the_bed_swells_with_the_breath_and_without_a_bed_noise_does() -> None:
    plan = planned(breath="bed", bed="pink")
    breath = next(event for event in plan.timeline.events if event.kind == "breath")
    bed = stem(plan, "bed")
    course = {phase.name: breath.start + phase.start for phase in phases(breath.item) if phase.cycle == 1}  # type: ignore[arg-type]
    low = level(bed[course["in"] : course["in"] + RATE // 2])
    high = level(bed[course["hold"] : course["hold"] + RATE])
    assert high - low > 5
    assert np.abs(stem(plan, "cues", with_bed=False)[breath.start : breath.end]).max() > 0
    assert np.abs(stem(planned(breath="bed", bed="none"), "cues")[breath.start : breath.end]).max() > 0


def test_counts_are_spoken_on_their_seconds() -> None:
    plan = planned(breath="count")
    breath = next(event for event in plan.timeline.events if event.kind == "breath")
    lines = [(start, line.text) for start, line in said(plan) if line.role == "counter"]
    assert [text for _, text in lines] == ["In", "2", "3", "4", "Hold", "2", "Out", "2", "3", "4"] * 2
    for number, (start, _) in enumerate(lines):
        assert 0 <= breath.start + number * RATE - start <= to_samples(0.03)
    assert len(counting_lines(plan.session, plan.options)) == 6
    voice = stem(plan, "voice")
    for second in range(20):
        at = breath.start + second * RATE
        assert level(voice[at + to_samples(0.02) : at + to_samples(0.1)]) > -30
        assert level(voice[at - to_samples(0.1) : at - to_samples(0.02)]) < -60


def test_counts_stand_in_the_captions(tmp_path: Path) -> None:
    metta.render(planned(breath="count")).save("a.wav")
    captions = Path("a.vtt").read_text()
    assert captions.count("<v Counter>") == 20
    assert captions.count("Hold</v>") == 2
    assert "Counter" not in Path("a.txt").read_text()


def test_a_bed_that_comes_and_goes_leads_no_breath() -> None:
    for bed, leads in (("pink", True), ("isochronic", True), ("ocean", False), ("wind", False), ("pink+ocean", False)):
        plan = planned(breath="bed", bed=bed)
        assert (to_score(plan).swell is not None) is leads, bed
        assert (led_otherwise(plan) == ()) is leads
    assert to_score(planned(breath="bed", bed="pink", bed_level=-40)).swell is None


def test_a_cue_and_the_front_matter_choose_what_leads_the_breath() -> None:
    text = SCRIPT.replace("bed: pink", "breath: tick").replace("x2]", "x2 noise]", 1)
    Path("s.md").write_text(text)
    from metta_audio.rendering.counting import breath_sound

    plan = planned()
    breath = next(event.item for event in plan.timeline.events if event.kind == "breath")
    assert breath_sound(breath, plan.session, plan.options) == "noise"  # type: ignore[arg-type]
    Path("s.md").write_text(SCRIPT.replace("bed: pink", "breath: tick"))
    plan = planned()
    breath = next(event.item for event in plan.timeline.events if event.kind == "breath")
    assert breath_sound(breath, plan.session, plan.options) == "tick"  # type: ignore[arg-type]
    Path("s.md").write_text(SCRIPT.replace("bed: pink", "breath: tik"))
    with pytest.raises(
        metta.MettaError, match=r's\.md:4:\d+: "tik" is no sound that leads a breath; did you mean "tick"'
    ):
        planned()


def test_a_role_has_its_place_and_plain_takes_the_room_away() -> None:
    plan = planned()
    line = next(event for event in plan.timeline.events if event.role == "self")
    after = slice(line.end + to_samples(0.03), line.end + to_samples(0.1))
    roomy, dry = stem(plan, "voice"), stem(planned(plain=True), "voice")
    assert level(roomy[after]) > -90
    assert level(dry[after]) < -150
    for sound in (roomy, dry):
        left, right = (level(sound[line.start : line.end, side]) for side in (0, 1))
        assert right - left > 2


def test_an_unknown_bed_of_the_front_matter_is_shown_in_its_line() -> None:
    Path("s.md").write_text(SCRIPT.replace("bed: pink", "bed: pinc"))
    with pytest.raises(metta.MettaError, match=r's\.md:4:\d+: unknown bed "pinc"; did you mean "pink"'):
        planned()
    Path("s.md").write_text(SCRIPT.replace("bed: pink", "bell: bol"))
    with pytest.raises(metta.MettaError, match=r's\.md:4:\d+: unknown bell "bol"; did you mean "bowl"'):
        planned()


def test_notes_say_what_to_know() -> None:
    assert "needs headphones" in planned(bed="binaural").notes[0]
    assert planned(bed="pink").notes == ()
    report = metta.render(planned(bed="binaural+pink:-6")).save("a.wav")
    assert any("headphones" in note for note in report.notes)
    assert any("headphones" in note for note in json.loads(Path("a.manifest.json").read_text())["notes"])


def test_a_codec_that_overshoots_gets_a_lower_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    from metta_audio.rendering import making

    real, seen = making.inspect, []

    def overshooting(path: Path, **given: Any) -> metta.Inspection:
        found = real(path, **given)
        seen.append(found.true_peak)
        return replace(found, true_peak=-0.4) if len(seen) == 1 else found

    monkeypatch.setattr(making, "inspect", overshooting)
    report = metta.render(planned(loudness=-14)).save("a.mp3")
    assert len(seen) == 2
    assert report.inspection.true_peak == seen[1] <= seen[0]
