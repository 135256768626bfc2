"""Beds are read from their files, tuned, laid over one another, and change without being noticed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.errors import SoundError
from metta_audio.shelves import shipped_root
from metta_audio.sound.bed import LEVEL, Bed, BedModel, load_bed, open_bed, open_beds, retuned, to_level
from metta_audio.sound.bed_track import BedTrack
from metta_audio.sound.levels import BED, BED_CROSSFADE, BED_FADE_IN, BED_FADE_OUT
from metta_audio.sound.loudness import integrated
from metta_audio.units import RATE, Decibels, Samples, to_samples

TEXT = """\
title = "Test"

[[layer]]
kind = "noise"
slope = -3.0

[[layer]]
kind = "tones"
level = -6.0
root = 200.0
partials = [
  { ratio = 1.0, level = 0.0, beat = 0.2 },
  { ratio = 1.5, level = -3.0 },
]

[[layer]]
kind = "drops"
level = -10.0
per_second = 20
low = 500.0
high = 2000.0
ring = 0.05
"""


def shipped(name: str) -> BedModel:
    path = shipped_root() / "sounds" / "beds" / f"{name}.toml"
    return load_bed(path.read_text(encoding="utf-8"), name=name, file=str(path))


def db(power: float) -> float:
    return float(10 * np.log10(power))


def test_a_data_file_makes_a_bed() -> None:
    model = load_bed(TEXT, name="test", file="test.toml")
    assert [layer.level for layer in model.layers] == [0.0, -6.0, -10.0]
    samples = open_bed(model, 1).read(0, 20 * RATE)
    over = max(db(np.mean(np.square(samples))) - LEVEL, integrated(samples, RATE) - BED)
    assert over == pytest.approx(0, abs=1)


def test_layers_of_one_kind_are_unrelated() -> None:
    layer = '[[layer]]\nkind = "noise"\nslope = 0\nwidth = 0\n'
    one, two = (load_bed(layer * count, name="n", file="n.toml") for count in (1, 2))
    # Were they the same noise, two of it would be the one at the same level.
    similar = np.corrcoef(open_bed(one, 1).read(0, RATE)[:, 0], open_bed(two, 1).read(0, RATE)[:, 0])[0, 1]
    assert similar == pytest.approx(np.sqrt(0.5), abs=0.03)


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ('"noise"', '"nois"', "b.toml:4:1", 'did you mean "noise"?'),
        ("slope = -3.0", "", "b.toml:3:1", '"slope" is missing'),
        ("slope", "slop = 1\nslope", "b.toml:5:1", 'did you mean "slope"?'),
        ("level = -6.0", "level = 6.0", "b.toml:9:1", "between -60 and 0"),
        ("level = -3.0", "level = 3.0", "b.toml:13:18", "between -60 and 0"),
        ("low = 500.0", "low = 5000.0", "b.toml:21:1", "between 5000 and 16000"),
        ("per_second = 20", "per_second = 1e9", "b.toml:19:1", "between 0.1 and 400"),
        ("title", "titel", "b.toml:1:1", 'did you mean "title"?'),
        ("[[layer]]", "[layer]", "b.toml", "TOML"),
    ],
)
def test_faults_say_what_and_where(old: str, new: str, place: str, says: str) -> None:
    with pytest.raises(SoundError) as caught:
        load_bed(TEXT.replace(old, new), name="b", file="b.toml")
    assert str(caught.value).startswith(place), str(caught.value)
    assert says in str(caught.value)


def test_a_bed_has_a_layer() -> None:
    for text in ("", 'title = "x"', "layer = []", '[layer]\nkind = "noise"'):
        with pytest.raises(SoundError, match="layer"):
            load_bed(text, name="b", file="b.toml")


MOVING = (
    TEXT
    + """
[[motion]]
name = "swell"
kind = "waves"
shortest = 6.0
longest = 9.0

[[layer]]
kind = "calls"
callers = 3
low = 2000.0
high = 3000.0
notes = 4
note_rate = 20.0
every = 1.0
follows = "swell"
depth = 12.0
"""
)


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ('follows = "swell"', 'follows = "swel"', "b.toml:38:1", '"follows" cannot be "swel"; did you mean "swell"?'),
        ('kind = "waves"', 'kind = "wave"', "b.toml:26:1", 'did you mean "waves"?'),
        ("longest = 9.0", "longest = 5.0", "b.toml:28:1", "between 6 and 240"),
        ("depth = 12.0", "depht = 12.0", "b.toml:30:1", '"depth" is missing'),
        ('follows = "swell"', "", "b.toml:39:1", 'unknown key "depth"'),
        ("notes = 4", "notes = 4.5", "b.toml:35:1", "whole number"),
        ("notes = 4", "notes = true", "b.toml:35:1", "must be a whole number, not true"),
        ("notes = 4", "notes = 40", "b.toml:35:1", "between 1 and 13"),
        ('title = "Test"', 'tags = "rain"', "b.toml:1:1", "list of words"),
        ('title = "Test"', 'tags = ["Two words"]', "b.toml:1:1", "list of words"),
        ('title = "Test"', "headphones = 1", "b.toml:1:1", "true or false, not 1"),
        ('title = "Test"', "title = false", "b.toml:1:1", "a text in quotes, not false"),
        ('title = "Test"', "title = [1, 2]", "b.toml:1:1", "a text in quotes, not a list"),
        ('title = "Test"', "title = {a = 1}", "b.toml:1:1", "a text in quotes, not a table"),
        ('title = "Test"', "seed = -1", "b.toml:1:1", '"seed" is -1; it must lie between 0 and 4294967296'),
        ('title = "Test"', "seed = 0x" + "f" * 4000, "b.toml:1:1", '"seed" is a number with very many digits'),
        ('title = "Test"', 'seed = "' + "x" * 999 + '"', "b.toml:1:1", 'number, not "' + "x" * 40 + "…"),
        ("root = 200.0", 'root = "H3"', "b.toml:10:1", "write for example A2, C#3 or Bb2"),
        ("root = 200.0", 'root = "C9"', "b.toml:10:1", "between 40 and 8000"),
        ("root = 200.0", 'root = 200.0\ntuning = "jsut"', "b.toml:11:1", 'did you mean "just"?'),
        ("ratio = 1.5", "semitones = 70", "b.toml:13:5", "between 40 and 8000"),
        ("root = 200.0", "root = 200.0\nharmonics = 99", "b.toml:11:1", "between 1 and 16"),
    ],
)
def test_faults_of_what_moves_and_is_tuned(old: str, new: str, place: str, says: str) -> None:
    load_bed(MOVING, name="b", file="b.toml")
    with pytest.raises(SoundError) as caught:
        load_bed(MOVING.replace(old, new, 1), name="b", file="b.toml")
    assert str(caught.value).startswith(place), str(caught.value)
    assert says in str(caught.value)


def test_a_motion_is_named_once_and_must_be_there() -> None:
    with pytest.raises(SoundError, match="already"):
        load_bed(MOVING + '[[motion]]\nname = "swell"\nkind = "gusts"\nseconds = 5\n', name="b", file="b.toml")
    with pytest.raises(SoundError, match="no motion to follow"):
        load_bed(TEXT + 'follows = "swell"\ndepth = 3.0\n', name="b", file="b.toml")


def lines(bed: Bed) -> np.ndarray:
    """Magnitudes of the mono sum, a line every 1/8 Hz."""
    samples = bed.read(0, 8 * RATE).mean(axis=1, dtype=np.float64)
    return np.abs(np.fft.rfft(samples * np.hanning(len(samples))))


def peak_near(magnitudes: np.ndarray, hertz: float) -> float:
    low = round((hertz - 4) * 8)
    return (low + int(magnitudes[low : low + 64].argmax())) / 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("root", "tuning", "wanted"),
    [
        (None, None, [110.0, 165.0, 220.0, 275.0]),
        ("D3", None, [146.832, 220.248, 293.665, 367.08]),
        (100.0, "equal", [100.0, 149.83, 200.0, 251.98]),
        ("Bb2", "pythagorean", [116.541, 174.811, 233.08, 295.0]),
    ],
)
def test_a_pad_stands_on_its_root_in_its_tuning(
    root: float | str | None, tuning: str | None, wanted: list[float]
) -> None:
    model = shipped("pad")
    moved = model if root is None else retuned(model, root, tuning)
    magnitudes = lines(open_bed(moved, 1))
    for hertz in wanted:
        assert peak_near(magnitudes, hertz) == pytest.approx(hertz, abs=0.6)
    assert moved.name == model.name
    assert len(moved.layers) == len(model.layers)


def test_layers_keep_their_distance_when_they_are_tuned() -> None:
    tones = 'kind = "tones"\nroot = {}\npartials = [{{ ratio = 1.0, level = 0 }}]\n'
    text = "[[layer]]\n" + tones.format('"A2"') + "[[layer]]\n" + tones.format("165.0")
    model = retuned(load_bed(text, name="two", file="two.toml"), 220.0, None)
    assert [layer.sound.root for layer in model.layers] == [220.0, 330.0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "root", "tuning", "says"),
    [
        ("rain", "D3", None, '"rain" has no tones to tune'),
        ("pad", "X3", None, '"X3" is not a note'),
        ("pad", "D3", "jus", 'did you mean "just"?'),
        ("pad", 20.0, None, "choose one between 40 and"),
        ("pad", "C8", None, "a root of 4186"),
    ],
)
def test_what_cannot_be_tuned(name: str, root: float | str, tuning: str | None, says: str) -> None:
    with pytest.raises(SoundError) as caught:
        retuned(shipped(name), root, tuning)
    assert says in str(caught.value)


def test_layers_of_beds_keep_their_levels_and_the_level_of_a_bed() -> None:
    brown, white = (open_bed(shipped(name), 1) for name in ("brown", "white"))
    both = open_beds([(brown, Decibels(-9)), (white, Decibels(0))])
    samples = both.read(5 * RATE, 20 * RATE)
    over = max(db(np.mean(np.square(samples))) - LEVEL, integrated(samples, RATE) - BED)
    assert over == pytest.approx(0, abs=0.5)
    plain = brown.read(5 * RATE, 20 * RATE) * 10 ** (-9 / 20) + white.read(5 * RATE, 20 * RATE)
    assert np.ptp(samples[plain > 1e-3] / plain[plain > 1e-3]) < 1e-3  # one factor for all
    assert np.array_equal(both.read(5 * RATE + 100, 1000), samples[100:1100])


@pytest.mark.slow
def test_one_bed_is_itself_and_the_same_seed_makes_no_twins() -> None:
    rain = open_bed(shipped("rain"), 1)
    assert open_beds([(rain, Decibels(-6))]) is rain
    layer = '[[layer]]\nkind = "noise"\nslope = 0\nwidth = 0\n'
    one, two = (open_bed(load_bed(layer, name=name, file=name), 1).read(0, RATE)[:, 0] for name in ("one", "two"))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.05
    given = (load_bed("seed = 7\n" + layer, name=name, file=name) for name in ("one", "two"))
    one, two = (open_bed(model, 1).read(0, RATE)[:, 0] for model in given)
    assert np.array_equal(one, two)


def test_crests_peaks_and_loudness_hold_a_bed_down() -> None:
    plain = to_level(0.1, -99.0)
    assert plain == pytest.approx(10 ** (LEVEL / 20) / 0.1)
    assert to_level(0.1, -99.0, crest=0.12, peak=0.5) == plain
    assert 20 * np.log10(to_level(0.1, -99.0, crest=0.4) * 0.4) == pytest.approx(LEVEL + 2.5)
    assert 20 * np.log10(to_level(0.001, -99.0, peak=1.0)) == pytest.approx(-16)
    assert to_level(0.001, BED + 20) == pytest.approx(0.1)


def test_what_lies_below_40_hz_does_not_count() -> None:
    deep = '[[layer]]\nkind = "noise"\nslope = -6\nhigh_pass = 20\nlow_pass = 4000\n'
    samples = open_bed(load_bed(deep, name="deep", file="deep.toml"), 1).read(0, 30 * RATE)
    assert db(np.mean(np.square(samples), axis=0).max()) > LEVEL + 1


class Constant:
    """A bed that is 1 on one side: the track's own gain can be read off it."""

    def __init__(self, side: int) -> None:
        self.side = side

    def read(self, start: int, frames: int) -> np.ndarray:
        block = np.zeros((frames, 2), np.float32)
        block[:, self.side] = 1
        return block


LEFT, RIGHT = Constant(0), Constant(1)
MINUTE = Samples(60 * RATE)
Changes = Sequence[tuple[Samples, Bed | None, Decibels]]


def gains(changes: Sequence[tuple[float, Bed | None, float]], length: Samples = MINUTE) -> np.ndarray:
    track = BedTrack([(to_samples(start), bed, Decibels(level)) for start, bed, level in changes], length)
    return track.read(0, length).astype(np.float64)


def test_a_track_fades_in_and_out_to_exact_silence() -> None:
    left = gains([(0, LEFT, 0)])[:, 0]
    fade_in, fade_out = to_samples(BED_FADE_IN), to_samples(BED_FADE_OUT)
    assert left[0] == 0
    assert left[-1] == 0
    assert np.all(np.diff(left[:fade_in]) >= 0)
    assert np.all(left[fade_in : MINUTE - fade_out - 1] == 1)
    assert np.all(np.diff(left[MINUTE - fade_out :]) <= 0)
    assert left[fade_in // 2] == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert left[MINUTE - fade_out // 2] == pytest.approx(0.5, abs=0.01)
    assert not BedTrack([(Samples(0), LEFT, Decibels(0))], MINUTE).read(MINUTE, 1000).any()


@pytest.mark.slow
def test_beds_give_way_to_one_another_at_equal_power() -> None:
    track = gains([(0, LEFT, 0), (20, RIGHT, 0)])
    change, end = to_samples(20), to_samples(20 + BED_CROSSFADE)
    assert np.all(track[change - RATE : change] == [1, 0])
    assert np.all(track[end : end + RATE] == [0, 1])
    assert np.sum(track[change:end] ** 2, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.all(np.diff(track[change:end, 1]) >= 0)


def test_a_change_of_level_is_smooth_and_of_this_bed_alone() -> None:
    left = gains([(0, LEFT, 0), (20, LEFT, -6)])[:, 0]
    change, end = to_samples(20), to_samples(20 + BED_CROSSFADE)
    assert left[change - 1] == 1
    assert left[end] == pytest.approx(10 ** (-6 / 20))
    assert np.all(np.diff(left[change:end]) <= 0)
    assert np.abs(np.diff(left[change:end], 2)).max() < 1e-6  # no corner


def test_off_and_on_again() -> None:
    left = gains([(0, None, 0), (10, LEFT, -3), (20, None, 0), (40, LEFT, 0)])[:, 0]
    assert not left[: to_samples(10)].any()
    assert left[to_samples(15)] == pytest.approx(10 ** (-3 / 20))
    assert not left[to_samples(25) : to_samples(40)].any()
    assert left[to_samples(45)] == 1
    assert np.abs(np.diff(left)).max() < 1e-4


changes = st.lists(
    st.tuples(st.integers(0, 20 * RATE), st.sampled_from([LEFT, RIGHT, None]), st.sampled_from([0.0, -6.0, 3.0])),
    max_size=6,
).map(lambda found: sorted(found, key=lambda change: change[0]))


@pytest.mark.slow
@settings(max_examples=40)
@given(changes)
def test_changes_may_come_as_close_as_they_like(found: Changes) -> None:
    """Never a jump, never louder than the loudest asked for."""
    track = BedTrack(found, Samples(25 * RATE)).read(0, 25 * RATE).astype(np.float64)
    assert np.abs(np.diff(track, axis=0)).max(initial=0) < 1e-3
    loudest = max((10 ** (level / 20) for _, bed, level in found if bed is not None), default=0)
    assert np.sum(track**2, axis=1).max() <= loudest**2 + 1e-6
    assert not track[0].any()
    assert not track[-1].any()


@settings(max_examples=40)
@given(changes, st.lists(st.integers(1, 8 * RATE), min_size=1, max_size=6), st.integers(0, 30 * RATE))
def test_however_a_track_is_cut_it_is_the_same(found: Changes, cuts: list[int], length: int) -> None:
    track = BedTrack(found, Samples(length))
    whole, position, parts = track.read(0, sum(cuts)), 0, []
    for cut in cuts:
        parts.append(track.read(position, cut))
        position += cut
    assert np.array_equal(np.concatenate(parts), whole)
    assert not whole[length:].any()


def test_a_real_bed_comes_through_unchanged() -> None:
    bed = open_bed(shipped("brown"), 1)
    track = BedTrack([(Samples(0), bed, Decibels(0))], MINUTE)
    assert np.array_equal(track.read(20 * RATE, RATE), bed.read(20 * RATE, RATE))
