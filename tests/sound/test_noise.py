"""Noise has the spectrum it promises, anywhere, however it is read."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from metta_audio.errors import SoundError
from metta_audio.sound.calls import Calls
from metta_audio.sound.datafile import read_table
from metta_audio.sound.drops import Drops
from metta_audio.sound.noise import Noise
from metta_audio.sound.stream import CHUNK, Chunks, Stream, drifting, random
from metta_audio.sound.tones import Tone, Tones
from metta_audio.units import RATE

WHITE = Noise(slope=0.0, high_pass=35.0, low_pass=20_000.0)
BROWN = Noise(slope=-6.0, high_pass=35.0, low_pass=20_000.0, width=0.7)
MAKERS: dict[str, Chunks] = {
    "noise": BROWN.chunks(7, 1),
    "drops": Drops(per_second=80.0, low=800.0, high=4000.0, ring=0.04, spread=8.0, width=0.8).chunks(7, 1),
    "bunches": Drops(90.0, 800.0, 4000.0, 0.04, 8.0, 0.8, grain=0.5, bunch=4.0, bunch_seconds=0.5).chunks(7, 1),
    "tones": Tones(110.0, (Tone(1.0, 0.0, 0.2), Tone(1.5, -6.0, 0.3)), 3.0, 5.0, 0.6, harmonics=3).chunks(7, 1),
    "calls": Calls(5, 2000.0, 3000.0, 4, 25.0, 0.7, 0.5, 0.0, 4.0, 0.9).chunks(7, 1),
}


def spectrum(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Without removing the mean of each window: that would itself put something at 0 Hz.
    return welch(samples.astype(np.float64), RATE, nperseg=1 << 15, detrend=False)


def slope(samples: np.ndarray) -> float:
    """Of a straight line through third-octave levels from 50 Hz to 10 kHz, in dB per octave."""
    hertz, power = spectrum(samples)
    edges = 50 * 2 ** (np.arange(24) / 3)
    bands = [power[(hertz >= low) & (hertz < high)].mean() for low, high in itertools.pairwise(edges)]
    return float(np.polyfit(np.arange(len(bands)) / 3, 10 * np.log10(bands), 1)[0])


def relative_db(part: float, whole: float) -> float:
    return 10 * np.log10(part / whole)


@pytest.mark.parametrize("wanted", [0.0, -3.0, -6.0])
def test_the_slope_is_exact(wanted: float) -> None:
    samples = Stream(Noise(wanted, 35.0, 20_000.0, 0.7).chunks(1, 0)).read(0, 30 * RATE)
    for channel in samples.T:
        assert slope(channel) == pytest.approx(wanted, abs=0.3)


@pytest.mark.parametrize("wanted", [0.0, -6.0])
def test_rms_is_one_and_nothing_lies_at_zero_hertz(wanted: float) -> None:
    samples = Stream(Noise(wanted, 35.0, 20_000.0, 0.7).chunks(2, 0)).read(0, 30 * RATE)
    for channel in samples.T:
        hertz, power = spectrum(channel)
        assert float(np.sqrt(np.mean(np.square(channel)))) == pytest.approx(1.0, abs=0.03)
        top = power.max()
        assert relative_db(power[0], top) < -55  # the density at 0 Hz itself, brown noise being strongest beside it
        # Weighted, or the last wave that the window cuts in two would count.
        assert 20 * np.log10(abs(np.average(channel, weights=np.hanning(len(channel))))) < -80
        assert relative_db(power[hertz < 18].sum(), power.sum()) < -20


def test_the_corners_cut() -> None:
    hertz, power = spectrum(Stream(Noise(0.0, 200.0, 4000.0).chunks(1, 0)).read(0, 20 * RATE)[:, 0])
    middle = power[(hertz > 600) & (hertz < 1500)].mean()
    for corner, beyond in ((200.0, 100.0), (4000.0, 8000.0)):
        near = power[(hertz > corner * 0.95) & (hertz < corner * 1.05)].mean()
        far = power[(hertz > beyond * 0.95) & (hertz < beyond * 1.05)].mean()
        assert relative_db(near, middle) == pytest.approx(-3, abs=0.7)
        assert relative_db(far, middle) < -20


@pytest.mark.parametrize("width", [0.0, 0.5, 0.7, 1.0])
def test_width_is_what_both_sides_do_not_share(width: float) -> None:
    samples = Stream(Noise(0.0, 35.0, 20_000.0, width).chunks(1, 0)).read(0, 10 * RATE)
    assert float(np.corrcoef(samples.T)[0, 1]) == pytest.approx(1 - width, abs=0.02)
    mono = np.mean(np.square(samples.mean(axis=1)))
    assert relative_db(mono, float(np.mean(np.square(samples)))) > -3.1


BAND = "slope = 0.0\nhigh_pass = {}\nlow_pass = {}\n"


def test_a_band_has_its_upper_end_above_its_lower() -> None:
    with pytest.raises(SoundError) as caught:
        Noise.read(read_table(BAND.format(8000.0, 300.0), "b.toml"))
    says = 'b.toml:3:1: "low_pass" (300 Hz) lies below "high_pass" (8000 Hz); high_pass is the lower end'
    assert str(caught.value).startswith(says)
    narrow = Noise.read(read_table(BAND.format(265.0, 275.0), "b.toml"))  # a howl of the wind
    assert (narrow.high_pass, narrow.low_pass) == (265, 275)
    assert Noise.read(read_table(BAND.format(300.0, 300.0), "b.toml")).low_pass == 300


def test_it_is_gaussian() -> None:
    samples = Stream(WHITE.chunks(1, 0)).read(0, 10 * RATE)[:, 0].astype(np.float64)
    moments = [np.mean(samples**4), np.mean(samples**6)]
    assert moments == pytest.approx([3, 15], rel=0.05)


def test_strength_is_even_across_the_joints_of_pieces() -> None:
    samples = Stream(WHITE.chunks(1, 0)).read(0, 60 * CHUNK).reshape(60, 32, -1)
    by_position = np.sqrt(np.mean(np.square(samples), axis=(0, 2)))
    assert np.ptp(by_position) < 0.03


def test_it_never_repeats() -> None:
    """No stretch resembles another: not of its neighbours, an hour on, another seed, another stream."""
    ours = Stream(WHITE.chunks(5, 3))
    first = ours.read(0, CHUNK)[:, 0]
    others = [
        *(ours.read(index * CHUNK, CHUNK) for index in (1, 2, 3, 4800)),
        Stream(WHITE.chunks(6, 3)).read(0, CHUNK),
        Stream(WHITE.chunks(5, 4)).read(0, CHUNK),
    ]
    for other in others:
        shifted = np.fft.irfft(np.fft.rfft(first) * np.conj(np.fft.rfft(other[:, 0]))) / CHUNK
        assert np.abs(shifted).max() < 6 / np.sqrt(CHUNK)


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=25)
@given(data=st.data())
def test_however_it_is_cut_it_is_the_same(kind: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, 4).map(lambda n: n * CHUNK) | st.sampled_from([3600 * RATE]))
    begin = max(0, begin - data.draw(st.integers(0, 2000)))
    cuts = data.draw(st.lists(st.integers(1, CHUNK + 2000), min_size=1, max_size=5))
    whole = Stream(MAKERS[kind]).read(begin, sum(cuts))
    reader, position, parts = Stream(MAKERS[kind]), begin, []
    for cut in cuts:
        parts.append(reader.read(position, cut))
        position += cut
    assert whole.shape == (sum(cuts), 2)
    assert whole.dtype == np.float32
    assert np.array_equal(np.concatenate(parts), whole)
    # Nor does it matter what was read before.
    assert np.array_equal(reader.read(begin, cuts[0]), whole[: cuts[0]])


@pytest.mark.parametrize("kind", MAKERS)
def test_it_is_ours_to_change(kind: str) -> None:
    reader = Stream(MAKERS[kind])
    block = reader.read(0, 100)
    kept = block.copy()
    block[:] = 9
    assert np.array_equal(reader.read(0, 100), kept)


@pytest.mark.parametrize("kind", MAKERS)
def test_strength_is_one_over_a_long_time(kind: str) -> None:
    chunk = MAKERS[kind]
    power = np.mean([np.mean(np.square(chunk(index)), axis=0) for index in range(0, 4800, 60)], axis=0)
    assert 10 * np.log10(power) == pytest.approx([0, 0], abs=0.6)


@pytest.mark.parametrize(("swell", "least", "most"), [(0.0, 0.0, 0.1), (6.0, 5.0, 12.0)])
def test_a_tone_swells_as_far_as_asked(swell: float, least: float, most: float) -> None:
    tone = Tones(220.0, (Tone(1.0, 0.0, 0.0),), swell, 3.0, 0.0)
    seconds = Stream(tone.chunks(1, 1)).read(0, 30 * RATE).reshape(60, -1)
    levels = 10 * np.log10(np.mean(np.square(seconds), axis=1))
    assert least <= np.ptp(levels) <= most


def test_reading_makes_each_chunk_once_and_none_before() -> None:
    made: list[int] = []

    def chunk(index: int) -> np.ndarray:
        made.append(index)
        return np.zeros((CHUNK, 2), np.float32)

    reader = Stream(chunk)
    for start in range(1000 * CHUNK, 1003 * CHUNK, 1024):
        reader.read(start, 1024)
    assert made == [1000, 1001, 1002]


def test_memory_does_not_grow() -> None:
    reader = Stream(BROWN.chunks(1, 1))
    reader.read(0, 4 * CHUNK)
    tracemalloc.start()
    for index in range(40):
        reader.read(index * CHUNK, CHUNK)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 3_000_000


@given(st.integers(0, 2**70), st.integers(0, 1000), st.integers(-1, 10**9))
def test_random_numbers_are_their_own(seed: int, stream: int, index: int) -> None:
    draw = random(seed, stream, index).integers(0, 2**63, 4)
    assert np.array_equal(draw, random(seed, stream, index).integers(0, 2**63, 4))
    for other in (random(seed + 1, stream, index), random(seed, stream + 1, index), random(seed, stream, index + 1)):
        assert not np.array_equal(draw, other.integers(0, 2**63, 4))


def test_a_drift_stays_in_its_bounds_and_has_no_steps() -> None:
    gains = drifting(3, 0, depth=4.0, period=5.0)
    curve = 20 * np.log10(np.concatenate([gains(index) for index in range(200)]).astype(np.float64))
    assert np.abs(curve).max() <= 4.0001
    assert np.ptp(curve) > 5  # it does use them
    # The steepest a smooth curve can be: 1.5 times its mean slope of 8 dB in 5 s.
    assert np.abs(np.diff(curve)).max() < 1.5 * 8 / (5 * RATE) * 1.2 + 1e-6


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [0.0, 0.5])
def test_tones_that_do_not_beat_neither_vanish_nor_double(width: float, seed: int) -> None:
    samples = Stream(Tones(220.0, (Tone(1.0, 0.0, 0.0),), 0.0, 5.0, width).chunks(seed, 1)).read(0, RATE)
    assert 10 * np.log10(np.mean(np.square(samples), axis=0)) == pytest.approx([0, 0], abs=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_callers_sit_around_the_listener(seed: int) -> None:
    calls = Calls(6, 2000.0, 4000.0, 4, 25.0, 0.7, 0.5, 0.0, 4.0, 0.9)
    samples = Stream(calls.chunks(seed, 1)).read(0, 20 * RATE)
    assert 0 < np.corrcoef(samples.T)[0, 1] < 0.25  # panned alone, as loud on both sides in the mean, 0.7
    assert abs(np.diff(10 * np.log10(np.mean(np.square(samples), axis=0)))[0]) < 4
