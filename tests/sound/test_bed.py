"""Beds stand at their level, harm no ear, never end, and change without being noticed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt
from scipy.stats import kurtosis

from metta_audio.errors import SoundError
from metta_audio.shelves import shipped_root
from metta_audio.sound.bed import LEVEL, Bed, BedModel, load_bed, open_bed
from metta_audio.sound.bed_track import BedTrack
from metta_audio.sound.levels import BED, BED_BELOW_SPEECH, BED_CROSSFADE, BED_FADE_IN, BED_FADE_OUT, SPEECH_RMS
from metta_audio.sound.loudness import integrated
from metta_audio.sound.stream import CHUNK
from metta_audio.units import RATE, Decibels, Samples, to_samples

SHIPPED = ("brown", "rain", "drone")

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


def minute(name: str, seed: int = 5) -> np.ndarray:
    return open_bed(shipped(name), seed).read(0, 60 * RATE).astype(np.float64)


def db(power: float) -> float:
    return float(10 * np.log10(power))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_bed_stands_at_its_level_and_startles_nobody(name: str) -> None:
    assert LEVEL == SPEECH_RMS + BED_BELOW_SPEECH
    samples = minute(name)
    # Whichever it reaches first: the RMS of beds, or their loudness.
    over = max(db(np.mean(samples**2, axis=0).max()) - LEVEL, integrated(samples.astype(np.float32), RATE) - BED)
    assert over == pytest.approx(0, abs=1.0)
    seconds = samples.reshape(60, -1)
    assert db(np.mean(seconds**2, axis=1).max()) < LEVEL + 3
    assert np.abs(samples).max() < 10 ** (-12 / 20)


@pytest.mark.parametrize("name", SHIPPED)
def test_its_sound_can_be_heard(name: str) -> None:
    samples = minute(name)
    power = np.mean(samples**2)
    above = sosfilt(butter(8, 40, "high", fs=RATE, output="sos"), samples, axis=0)
    assert db(np.mean(above**2) / power) > -0.5
    mono = samples.mean(axis=1)
    assert db(np.mean(mono**2) / power) > -3
    assert np.corrcoef(samples.T)[0, 1] < 0.9  # and it is stereo
    weighted = np.average(samples, axis=0, weights=np.hanning(len(samples)))
    assert np.abs(weighted).max() < np.sqrt(power) * 1e-4


@pytest.mark.parametrize("name", ["brown", "drone"])
def test_there_is_no_click(name: str) -> None:
    """What a jump would leave above 14 kHz stands out from the little that is there."""
    samples = open_bed(shipped(name), 5).read(0, 30 * RATE).astype(np.float64)
    above = sosfilt(butter(6, 14_000, "high", fs=RATE, output="sos"), samples, axis=0)[2000:]
    assert np.abs(above).max() < 7 * np.sqrt(np.mean(above**2)) + 1e-7


def test_rain_falls_in_drops_and_noise_does_not() -> None:
    assert kurtosis(minute("rain")[:, 0]) > 1
    assert abs(kurtosis(minute("brown")[:, 0])) < 0.2


def test_the_drone_has_the_tones_of_its_file() -> None:
    samples = minute("drone")[: 16 * RATE, 0]
    lines = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    for hertz in (110, 165, 220, 330, 440):
        near = lines[(hertz - 10) * 16 : (hertz + 10) * 16]
        assert abs(near.argmax() - 160) <= 6
        assert near.max() > 30 * np.median(near)
    assert db(np.sum(lines[200 * 16 :] ** 2) / np.sum(lines**2)) > -4  # where a telephone has sound, too


@pytest.mark.parametrize("name", SHIPPED)
def test_seeds_are_different_moments_of_the_same_place(name: str) -> None:
    model = shipped(name)
    first = open_bed(model, 1).read(0, CHUNK)
    assert np.array_equal(open_bed(model, 1).read(0, CHUNK), first)
    assert not np.array_equal(open_bed(model, 2).read(0, CHUNK), first)
    assert not np.array_equal(open_bed(model, 1).read(CHUNK, CHUNK), first)


@pytest.mark.parametrize("name", SHIPPED)
def test_however_it_is_cut_it_is_the_same(name: str) -> None:
    begin = 1800 * RATE + 17
    whole = open_bed(shipped(name), 3).read(begin, 100_000)
    reader = open_bed(shipped(name), 3)
    parts = [reader.read(begin + start, min(4410, 100_000 - start)) for start in range(0, 100_000, 4410)]
    assert np.array_equal(np.concatenate(parts), whole)


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
