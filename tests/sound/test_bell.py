"""A bell is struck, beats, dies away, and ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.errors import SoundError
from metta_audio.shelves import shipped_root
from metta_audio.sound import bell
from metta_audio.sound.bell import BellModel, Partial, load_bell
from metta_audio.sound.levels import BELL
from metta_audio.sound.loudness import loudest
from metta_audio.units import RATE, to_samples

SHIPPED = ("bowl", "bell")

TEXT = """\
title = "Test bell"
root = 400.0
attack = 0.01
partials = [
  { ratio = 1.0, level = 0.0, decay = 6.0, beat = 1.0 },
  { ratio = 2.7, level = -6.0, decay = 3.0 },
]
"""


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


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_every_strike_has_the_level_of_a_bell(name: str, seed: int) -> None:
    wave = shipped(name).strike(seed)
    assert loudest(wave.samples, wave.rate) == pytest.approx(BELL, abs=0.02)
    assert wave.channels == 2
    assert np.abs(wave.samples).max() < 0.5


@pytest.mark.parametrize("name", SHIPPED)
def test_strikes_differ_a_little_and_repeat_exactly(name: str) -> None:
    model = shipped(name)
    first, second = model.strike(1).samples.copy(), model.strike(2).samples.copy()
    for seed in range(10, 20):  # more than are kept
        model.strike(seed)
    assert np.array_equal(model.strike(1).samples, first)
    assert first.shape == second.shape
    assert not np.array_equal(first, second)
    assert np.abs(strength(first)[:40] - strength(second)[:40]).max() < 4


@pytest.mark.parametrize("name", SHIPPED)
def test_it_begins_gently_and_ends_in_silence(name: str) -> None:
    samples = shipped(name).strike(3).samples.astype(np.float64)
    peak = np.abs(samples).max()
    assert not samples[0].any()
    assert np.abs(samples[: to_samples(0.001)]).max() < 0.1 * peak
    assert np.abs(samples[: to_samples(0.06)]).max() > 0.5 * peak
    assert not samples[-1].any()
    end = strength(samples)[-6:]
    assert np.all(np.diff(end) < 0)
    assert end[-1] < -110
    # Nowhere does a sample bend away from its neighbours more than the highest partial can.
    highest = 2 * np.pi * max(p.ratio for p in shipped(name).partials) * shipped(name).root / RATE
    assert np.abs(np.diff(samples, 2, axis=0)).max() < peak * highest**2


@pytest.mark.parametrize("name", SHIPPED)
def test_it_rings_for_seconds_but_not_for_ever(name: str) -> None:
    wave = shipped(name).strike(3)
    assert 5 <= wave.seconds <= 14
    levels = strength(wave.samples, 0.5)
    assert np.all(levels[2:] < levels[:-2] + 1)  # a beat may lift it for a moment, never a whole second
    assert abs(wave.samples.mean(dtype=np.float64)) < 1e-5


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


@pytest.mark.parametrize("name", SHIPPED)
def test_its_partials_are_where_the_file_says_and_not_harmonic(name: str) -> None:
    model = shipped(name)
    samples = model.strike(0).samples[:, 0].astype(np.float64)[: 2 * RATE]
    lines = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    for partial in model.partials:
        middle = round(partial.ratio * model.root * 2)
        near = lines[middle - 100 : middle + 100]
        assert abs(near.argmax() - 100) <= 2 * partial.beat + 2
        assert near.max() > 20 * np.median(near)
    ratios = [partial.ratio for partial in model.partials if partial.ratio > 1]
    assert all(abs(ratio - round(ratio)) > 0.04 for ratio in ratios)


@pytest.mark.parametrize("name", SHIPPED)
def test_speech_waits_until_it_has_fallen_12_db(name: str) -> None:
    model = shipped(name)
    after = bell.speech_after(model)
    for seed in range(3):
        levels = strength(model.strike(seed).samples)
        later = levels[after // to_samples(0.05) :]
        assert later.max() <= levels.max() - 11  # 12 for the seed that is measured
    first = strength(model.strike(0).samples)
    assert first[after // to_samples(0.05) :].max() <= first.max() - 12
    assert first[after // to_samples(0.05) - 1] > first.max() - 12
    assert 0.5 * RATE < after < 6 * RATE


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=5)
@given(count=st.integers(1, 4), seed=st.integers(0, 1000))
def test_gap_and_ring_fit_the_strikes(name: str, count: int, seed: int) -> None:
    model = shipped(name)
    series = [(number * bell.spacing(model), model.strike(seed, number)) for number in range(count)]
    assert len(series) == count
    assert series[0][0] == 0
    spaces = np.diff([offset for offset, _ in series])
    assert np.all(spaces == bell.spacing(model))
    assert bell.spacing(model) >= 3 * RATE
    last, wave = series[-1]
    assert bell.gap(model, count) == last + bell.speech_after(model)
    assert bell.ring(model, count) == last + wave.frames
    assert bell.gap(model, count) < bell.ring(model, count)
    assert not any(np.array_equal(wave.samples, other.samples) for _, other in series[:-1])


@pytest.mark.parametrize("decay", [0.05, 60.0])
def test_a_bell_may_be_as_short_or_long_as_it_likes(decay: float) -> None:
    model = one_tone(decay=decay)
    wave = model.strike(0)
    assert wave.seconds <= 14
    assert not wave.samples[-1].any()
    assert loudest(wave.samples, RATE) == pytest.approx(BELL, abs=0.02)
    assert bell.speech_after(model) <= wave.frames


def test_a_data_file_is_read() -> None:
    model = load_bell(TEXT, name="test", file="test.toml")
    assert model.title == "Test bell"
    assert model.partials == (Partial(1.0, 0.0, 6.0, 1.0), Partial(2.7, -6.0, 3.0, 0.0))
    assert load_bell(TEXT, name="test", file="elsewhere.toml") == model


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
