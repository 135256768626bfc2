"""A bell is struck or rubbed, beats, dies away, and ends."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.errors import SoundError
from metta_audio.shelves import shipped_root
from metta_audio.sound import bell, bell_wait
from metta_audio.sound.bell import BellModel, Mallet, Partial, load_bell
from metta_audio.sound.levels import BELL, SPEECH
from metta_audio.sound.loudness import loudest
from metta_audio.units import RATE, to_samples

STRUCK = ("bell", "bowl", "bowl-high", "bowl-low", "chime", "temple", "tingsha")
RUBBED = ("bowl-rubbed", "bowl-high-rubbed", "bowl-low-rubbed")
SHORT = ("wooden-fish",)
RINGING = (*STRUCK, *RUBBED)
SHIPPED = (*RINGING, *SHORT)

TEXT = """\
title = "Test bell"
root = 400.0
attack = 0.01
partials = [
  { ratio = 1.0, level = 0.0, decay = 6.0, beat = 1.0 },
  { ratio = 2.7, level = -6.0, decay = 3.0 },
]
"""


@cache
def shipped(name: str) -> BellModel:
    path = shipped_root() / "sounds" / "bells" / f"{name}.toml"
    return load_bell(path.read_text(encoding="utf-8"), name=name, file=str(path))


def one_tone(**changes: float) -> BellModel:
    tone = dataclasses.replace(Partial(ratio=1.0, level=0.0, decay=6.0, beat=0.0), **changes)
    return BellModel("one", "One", "", root=500.0, attack=0.01, partials=(tone,))


def strength(samples: np.ndarray, seconds: float = 0.05) -> np.ndarray:
    """RMS in dB, over windows of that length."""
    step = to_samples(seconds)
    power = np.square(samples[: len(samples) // step * step], dtype=np.float64).reshape(-1, step * 2).mean(axis=1)
    return 10 * np.log10(power + 1e-20)


def loudest_tenth(samples: np.ndarray) -> float:
    """LUFS of the loudest 100 ms, by the meter's own 400 ms: three quarters of them are silence, 6.02 dB."""
    tenth = RATE // 10
    silence = np.zeros((3 * tenth, 2), np.float32)
    steps = range(0, len(samples) - tenth, tenth // 4)
    top = max(steps, key=lambda step: float(np.square(samples[step : step + tenth]).sum()))
    return loudest(np.concatenate([samples[top : top + tenth], silence]), RATE) + 6.02


def test_these_are_all_and_each_says_what_it_is() -> None:
    folder = shipped_root() / "sounds" / "bells"
    assert {path.stem for path in folder.glob("*.toml")} == set(SHIPPED)
    for name in SHIPPED:
        model = shipped(name)
        assert model.title
        assert model.summary
        assert ("rubbed" in model.tags) == (name in RUBBED)
        assert ("metal" in model.tags) == (name not in SHORT)
        assert ("bowl" in model.tags) == name.startswith("bowl")


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_every_strike_has_the_level_of_a_bell(name: str, seed: int) -> None:
    wave = shipped(name).strike(seed)
    level = loudest(wave.samples, wave.rate)
    assert wave.channels == 2
    assert np.abs(wave.samples).max() <= 0.5012  # -6 dBFS
    assert loudest_tenth(wave.samples) < SPEECH - 0.8
    if name in SHORT:
        assert SPEECH - 9 < level < BELL  # not set up by the silence in the window
        assert loudest_tenth(wave.samples) > SPEECH - 2  # nor lost
    else:
        assert level == pytest.approx(BELL, abs=0.02)


def test_a_knock_is_held_down_by_its_tenth_and_its_peak() -> None:
    knock = one_tone(decay=0.1)
    assert loudest_tenth(knock.strike(0).samples) == pytest.approx(SPEECH - 1, abs=0.3)
    click = dataclasses.replace(one_tone(decay=0.05), root=100.0)  # K-weighting hears little of it
    assert np.abs(click.strike(0).samples).max() == pytest.approx(0.5012, abs=0.001)


@pytest.mark.parametrize("name", SHIPPED)
def test_strikes_differ_a_little_and_repeat_exactly(name: str) -> None:
    model = shipped(name)
    first, second = model.strike(1).samples.copy(), model.strike(2).samples.copy()
    for seed in range(10, 15):  # more than are kept
        model.strike(seed)
    assert np.array_equal(model.strike(1).samples, first)
    assert first.shape == second.shape
    assert not np.array_equal(first, second)
    assert np.abs(strength(first)[:40] - strength(second)[:40]).max() < 4


@pytest.mark.parametrize("name", SHIPPED)
def test_it_begins_gently_and_ends_in_silence(name: str) -> None:
    model = shipped(name)
    samples = model.strike(3).samples.astype(np.float64)
    peak = np.abs(samples).max()
    assert not samples[0].any()
    assert np.abs(samples[: to_samples(0.001)]).max() < 0.1 * peak
    if name not in RUBBED:
        assert np.abs(samples[: to_samples(0.06)]).max() > 0.5 * peak
    assert not samples[-1].any()
    end = strength(samples)[-6:]
    assert np.all(np.diff(end) <= 0)
    assert end[-1] < -110
    # Nowhere does a sample bend away from its neighbours more than the highest partial, or the touch, can.
    highest = max(p.ratio for p in model.partials) * model.root
    if model.mallet:
        highest = max(highest, 4 * model.mallet.hertz)
    assert np.abs(np.diff(samples, 2, axis=0)).max() < peak * (2 * np.pi * highest / RATE) ** 2


@pytest.mark.parametrize("name", RINGING)
def test_it_rings_for_seconds_but_not_for_ever(name: str) -> None:
    model = shipped(name)
    wave = model.strike(3)
    assert 5 <= wave.seconds - model.rise <= 20
    # A beat may lift it for a moment, never from one beat to the next.
    slowest = max(1 / partial.beat for partial in model.partials if partial.beat and partial.level == 0)
    step = 0.25
    levels = strength(wave.samples, step)[int(model.rise / step) :]
    period = round(max(1.0, slowest) / step)
    assert np.all(levels[period:] < levels[:-period] + 1)
    assert abs(wave.samples.mean(dtype=np.float64)) < 1e-5
    # Its loudest partial has fallen by more than 50 dB: the ring is not cut.
    assert model.rise + 50 / 60 * model.partials[0].decay < wave.seconds or name == "temple"


def test_a_temple_bell_hums_when_all_else_is_gone() -> None:
    samples = shipped("temple").strike(0).samples[:, 0].astype(np.float64)
    late = samples[14 * RATE : 16 * RATE]
    lines = np.abs(np.fft.rfft(late * np.hanning(len(late)), 8 * RATE))
    assert abs(lines.argmax() / 8 - 74) < 1.5


@pytest.mark.parametrize("name", RUBBED)
def test_a_rubbed_bowl_grows_slowly_sings_and_rings_out(name: str) -> None:
    model = shipped(name)
    levels = strength(model.strike(1).samples, 0.5)
    top = int(levels.argmax())
    assert model.rise >= 4
    assert model.rise - 2.5 <= top / 2 <= model.rise + 1.5
    # Nothing startles: from start to top it takes seconds, by no more than 12 dB in half a second once it is heard.
    heard = levels[: top + 1][levels[: top + 1] > levels[top] - 25]
    assert np.all(np.diff(heard) < 12)
    assert levels[0] < levels[top] - 25
    # Mostly the first and second mode.
    samples = model.strike(1).samples[:, 0].astype(np.float64)[: to_samples(model.rise)]
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert power[hertz < 1.2 * model.partials[1].ratio * model.root].sum() / power.sum() > 0.99
    assert 0.3 <= model.partials[0].beat <= 3
    assert bell_wait.speech_after(model) > to_samples(model.rise)


def test_a_wooden_fish_is_a_knock() -> None:
    model = shipped("wooden-fish")
    samples = model.strike(0).samples
    levels = strength(samples, 0.02)
    assert levels[:3].argmax() == levels.argmax()
    assert levels[8] < levels.max() - 25  # after 160 ms
    # Hollow: most of it is the air inside, the rest is not its harmonics.
    power = np.abs(np.fft.rfft(samples[:, 0].astype(np.float64), RATE)) ** 2
    assert 350 < power.argmax() < 430
    assert power[:700].sum() / power.sum() > 0.7
    # It may come quicker than a bowl, and is no alarm.
    assert RATE <= bell_wait.spacing(model) < 2 * RATE


def test_a_tingsha_is_bright_and_beats() -> None:
    model = shipped("tingsha")
    samples = model.strike(0).samples[:, 0].astype(np.float64)
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert power[(hertz > 2000) & (hertz < 6200)].sum() / power.sum() > 0.99
    levels = strength(samples[:, None].repeat(2, axis=1))[: 20 * 3]
    levels -= np.polyval(np.polyfit(np.arange(60), levels, 1), np.arange(60))
    beats = np.abs(np.fft.rfft(levels))
    assert beats[1:].argmax() + 1 in (6, 7)  # 2.2 times a second, in 3 s


@pytest.mark.parametrize("decay", [2.0, 6.0])
def test_a_partial_falls_by_60_db_in_its_decay(decay: float) -> None:
    levels = strength(one_tone(decay=decay).strike(0).samples)
    fall = np.polyfit(np.arange(8) * 0.05, levels[1:9], 1)[0]  # after the attack, before the last fade
    assert fall == pytest.approx(-60 / decay, rel=0.02)


def test_a_pair_beats() -> None:
    levels = strength(one_tone(beat=2.0).strike(0).samples)[:60]  # 3 s
    levels -= np.polyval(np.polyfit(np.arange(60), levels, 1), np.arange(60))
    lines = np.abs(np.fft.rfft(levels))
    assert lines.argmax() == 6  # twice a second
    assert np.ptp(levels) > 3


@pytest.mark.parametrize("name", RINGING)
def test_its_partials_are_where_the_file_says_and_not_harmonic(name: str) -> None:
    model = shipped(name)
    samples = model.strike(0).samples[:, 0].astype(np.float64)[: to_samples(model.rise + 2)]
    lines = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), len(samples) * 2))
    per_hertz = 2 * len(samples) / RATE
    tones = sorted(partial.ratio * model.root for partial in model.partials)
    for partial in model.partials:
        tone = partial.ratio * model.root
        room = min(50.0, *(abs(tone - other) / 2 for other in tones if other != tone))
        low, high = round((tone - room) * per_hertz), round((tone + room) * per_hertz)
        near = lines[low:high]
        assert abs((near.argmax() + low) / per_hertz - tone) <= partial.beat + 1
        assert near.max() > 5 * np.median(near)
    ratios = [partial.ratio for partial in model.partials if partial.ratio > 1]
    assert all(abs(ratio - round(ratio)) > 0.04 for ratio in ratios)
    assert all(0.3 <= partial.beat <= 3 for partial in model.partials)


def fallen(samples: np.ndarray) -> int:
    """Frames until it has fallen by 12 dB for good, in steps of 50 ms."""
    levels = strength(samples)
    return int(np.flatnonzero(levels > levels.max() - 12)[-1] + 1) * to_samples(0.05)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("strikes", [3, pytest.param(24, marks=pytest.mark.slow)])
def test_speech_waits_until_any_strike_has_fallen_12_db(name: str, strikes: int) -> None:
    model = shipped(name)
    waits = [fallen(model.strike(11 * number, number % 4).samples) for number in range(strikes)]
    after = bell_wait.speech_after(model)
    assert max(waits) <= after
    # No longer than one or another takes, but for a moment after a knock.
    assert after == RATE or after <= max(waits) + to_samples(0.7)
    assert RATE <= after < 6 * RATE + to_samples(model.rise)


class Worst:
    """Dice that fall to one side or the other, never between: strikes as unlike each other as there are."""

    def __init__(self, seed: int) -> None:
        self.dice = np.random.default_rng(seed)

    def uniform(self, low: float, high: float) -> float:
        return float(self.dice.choice([low, high])) if low else float(self.dice.uniform(low, high))

    def standard_normal(self, count: int) -> np.ndarray:
        return self.dice.standard_normal(count)


CLOSE = BellModel(
    "close", "", "", 400.0, 0.01, (Partial(1.0, 0, 4, 0.7), Partial(1.01, -2, 5, 0), Partial(2.3, 0, 2, 3))
)
KNOCKED = BellModel("knocked", "", "", 200.0, 0.05, (Partial(1.0, 0, 3, 5),), mallet=Mallet(12.0, 500.0, 1.0))


@pytest.mark.parametrize(
    ("bell_of", "longest"),
    [("bowl-high", 0.05), ("tingsha", 0.1), ("chime", 0.1), (CLOSE, 1.0), (KNOCKED, 1.0)],
    ids=["bowl-high", "tingsha", "chime", "close", "knocked"],
)
def test_the_wait_is_that_of_the_worst_strike(
    bell_of: str | BellModel, longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shipped(bell_of) if isinstance(bell_of, str) else bell_of
    after = bell_wait.speech_after(model)
    monkeypatch.setattr(bell, "random", lambda seed, *_: Worst(seed))
    waits = [fallen(bell._strike.__wrapped__(model, seed, 0).samples) for seed in range(12)]
    assert max(waits) <= after <= max(waits) + to_samples(longest)


@pytest.mark.parametrize("apart", [0.0005, 0.03])
def test_tones_that_lie_close_may_add_up_or_cancel_while_it_waits(apart: float) -> None:
    near = (Partial(1.0, 0.0, 3.0, 0.0), Partial(1.0 + apart, 0.0, 3.0, 0.0))
    model = BellModel("near", "", "", 400.0, 0.01, near)
    most = 10 * np.log10(np.maximum(bell_wait._most(model), 1e-20))
    for seed in range(12):
        levels = strength(model.strike(seed).samples)
        assert np.all(levels - levels.max() <= most + 0.01)


def test_the_wait_is_known_without_a_strike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_strike", None)
    bell_wait.speech_after.cache_clear()
    assert bell_wait.speech_after(shipped("temple")) > 2 * RATE


def test_partials_that_cannot_be_told_apart_do_not_stop_it() -> None:
    same = (Partial(1.0, 0.0, 6.0, 0.0), Partial(1.0, 0.0, 6.0, 0.0))  # may cancel at the strike, so nothing is sure
    model = BellModel("same", "", "", 500.0, 0.01, same)
    assert bell_wait.speech_after(model) <= bell_wait.ring(model, 1)


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=2)
@given(count=st.integers(1, 3), seed=st.integers(0, 1000))
def test_gap_and_ring_fit_the_strikes(name: str, count: int, seed: int) -> None:
    model = shipped(name)
    series = [(number * bell_wait.spacing(model), model.strike(seed, number)) for number in range(count)]
    assert bell_wait.spacing(model) == max(to_samples(model.spacing), bell_wait.speech_after(model))
    assert bell_wait.spacing(model) >= (RATE if name in SHORT else 3 * RATE)
    last, wave = series[-1]
    assert bell_wait.gap(model, count) == last + bell_wait.speech_after(model)
    assert bell_wait.ring(model, count) == last + wave.frames
    assert bell_wait.gap(model, count) < bell_wait.ring(model, count)
    assert not any(np.array_equal(wave.samples, other.samples) for _, other in series[:-1])


@pytest.mark.parametrize("decay", [0.05, 60.0])
def test_a_bell_may_be_as_short_or_long_as_it_likes(decay: float) -> None:
    model = one_tone(decay=decay)
    wave = model.strike(0)
    assert wave.seconds <= 24
    assert not wave.samples[-1].any()
    assert loudest(wave.samples, RATE) <= BELL + 0.02
    assert bell_wait.speech_after(model) <= wave.frames


def test_a_data_file_is_read() -> None:
    model = load_bell(TEXT, name="test", file="test.toml")
    assert model.title == "Test bell"
    assert model.partials == (Partial(1.0, 0.0, 6.0, 1.0), Partial(2.7, -6.0, 3.0, 0.0))
    assert (model.rise, model.mallet, model.tags) == (0, None, ())
    assert load_bell(TEXT, name="test", file="elsewhere.toml") == model
    more = TEXT.replace(
        "attack = 0.01",
        'rise = 3\ntags = ["bowl", "metal"]\nspacing = 9\nmallet = -9\nmallet_hertz = 700\nmallet_decay = 0.1',
    )
    rich = load_bell(more, name="test", file="test.toml")
    assert (rich.rise, rich.tags, rich.spacing, rich.mallet) == (3, ("bowl", "metal"), 9, Mallet(-9, 700, 0.1))


def test_a_mallet_is_heard_at_the_touch_and_never_clicks() -> None:
    plain = dataclasses.replace(one_tone(), root=300.0)
    touched = dataclasses.replace(plain, mallet=Mallet(0.0, 3000.0, 0.05))

    def above(model: BellModel, start: float) -> float:
        part = model.strike(0).samples[to_samples(start) :, 0][: RATE // 20].astype(np.float64)
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
        return float(power[100:].sum() / power.sum())  # over 2 kHz

    assert above(touched, 0.0) > 0.002 > 100 * above(plain, 0.0)
    assert above(touched, 0.3) < 1e-6
    assert not touched.strike(0).samples[0].any()


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("root = 400.0", "rooot = 400.0", "b.toml:1:1", '"root" is missing'),
        ("attack", "atack", "b.toml:3:1", 'did you mean "attack"?'),
        ("decay = 3.0", "decay = 0", "b.toml:6:32", "between 0.05 and 60"),
        ("decay = 3.0", "decai = 3.0", "b.toml:6:3", '"decay" is missing'),
        ("decay = 3.0", "decay = 3.0, beet = 1", "b.toml:6:45", 'did you mean "beat"?'),
        ("400.0", '"high"', "b.toml:2:1", "must be a number"),
        ("400.0", "true", "b.toml:2:1", "must be a number"),
        ("400.0", "nan", "b.toml:2:1", "between"),
        ("400.0", "1" + "0" * 400, "b.toml:2:1", "between"),
        ("400.0", "1" + "0" * 9000, "b.toml", "not valid TOML"),
        ('"Test bell"', "7", "b.toml:1:1", "must be a text"),
        ("ratio = 2.7", "ratio = 41", "b.toml:6:5", "between 0.1 and 40"),  # no one hears 16 kHz
        ("root = 400.0", "root = ", "b.toml:2:8", "not valid TOML"),
        ("attack = 0.01", "attack = 0.01\nrise = 4", "b.toml:3:1", "struck or rubbed, not both"),
        ("attack = 0.01", "rise = 0.2", "b.toml:3:1", "between 1 and 12"),
        ("attack = 0.01", "spacing = 0.3", "b.toml:3:1", "between 1 and 60"),
        ("attack = 0.01", "mallet = 40", "b.toml:3:1", "between -60 and 12"),
        ("attack = 0.01", 'tags = "bowl"', "b.toml:3:1", "must be a list of words"),
        ("partials = [", "partials = [[", "b.toml", "not valid TOML"),
    ],
)
def test_faults_say_what_and_where(old: str, new: str, place: str, says: str) -> None:
    with pytest.raises(SoundError) as caught:
        load_bell(TEXT.replace(old, new), name="b", file="b.toml")
    message = str(caught.value)
    assert message.startswith(place), message
    assert says in message
    assert len(message) < 200


@pytest.mark.parametrize(
    "partials", ["3", "[]", "[1, 2]", "[" + "{ratio=1.0,level=0.0,decay=1.0}," * 33 + "]", "[" * 5000]
)
def test_partials_must_be_a_list_of_tables(partials: str) -> None:
    with pytest.raises(SoundError, match=r"partials|TOML"):
        load_bell(f"root = 200.0\npartials = {partials}", name="b", file="b.toml")
