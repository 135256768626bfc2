"""What every shipped bed promises a listener, measured on its sound."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, find_peaks, sosfilt, sosfiltfilt
from scipy.stats import kurtosis

from metta_audio.shelves import shipped_root
from metta_audio.sound.bed import LEVEL, BedModel, load_bed, open_bed
from metta_audio.sound.levels import BED
from metta_audio.sound.loudness import integrated
from metta_audio.sound.stream import CHUNK
from metta_audio.units import RATE

SLOPES = {"white": 0.0, "pink": -3.0, "brown": -6.0}
RAINS = ("rain", "rain-light", "rain-leaves", "rain-heavy")
NATURE = (*RAINS, "ocean", "stream", "wind", "forest-night", "fire")
TONES = ("drone", "pad", "hum", "binaural", "isochronic")
ALL = (*SLOPES, *NATURE, *TONES)
HOUR = 3600 * RATE
Samples = NDArray[np.float32]


@cache
def shipped(name: str) -> BedModel:
    path = shipped_root() / "sounds" / "beds" / f"{name}.toml"
    return load_bed(path.read_text(encoding="utf-8"), name=name, file=str(path))


@cache
def minute(name: str, seed: int = 5, start: int = 0) -> Samples:
    samples = open_bed(shipped(name), seed).read(start, 60 * RATE)
    samples.setflags(write=False)
    return samples


def db(power: float | NDArray[np.floating]) -> float:
    return 10 * np.log10(power)  # type: ignore[return-value]


def density(channel: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power at each frequency: windowed transforms of 1.5 s that overlap by half, averaged."""
    length = 1 << 16
    window = np.hanning(length)
    starts = range(0, len(channel) - length + 1, length // 2)
    power = np.mean([np.abs(np.fft.rfft(channel[at : at + length] * window)) ** 2 for at in starts], axis=0)
    return np.fft.rfftfreq(length, 1 / RATE), power


def heard(samples: Samples) -> NDArray[np.float64]:
    return np.asarray(sosfilt(butter(2, 40, "high", fs=RATE, output="sos"), samples, axis=0))


def test_the_catalogue() -> None:
    names = {path.stem for path in (shipped_root() / "sounds" / "beds").glob("*.toml")}
    assert names == set(ALL)
    for name in ALL:
        model = shipped(name)
        assert model.title
        assert model.summary
        assert 20 <= len(model.summary) <= 100, name
        assert model.headphones == (name == "binaural")
        assert ("nature" in model.tags) == (name in NATURE)
        assert ("rain" in model.tags) == (name in RAINS)
        assert {"noise", "nature", "tone"} & set(model.tags)


@pytest.mark.parametrize(("seed", "start"), [(1, 0), (2, HOUR + 12345)])
@pytest.mark.parametrize("name", SLOPES)
def test_noise_has_the_slope_of_its_colour(name: str, seed: int, start: int) -> None:
    for channel in minute(name, seed, start).T:
        hertz, power = density(channel)

        def level(low: float, high: float, hertz: Samples = hertz, power: Samples = power) -> float:
            return db(power[(hertz >= low) & (hertz < high)].mean())

        thirds = [level(50 * 2 ** (n / 3), 50 * 2 ** ((n + 1) / 3)) for n in range(23)]  # to 10,159 Hz
        assert np.polyfit(np.arange(23) / 3, thirds, 1)[0] == pytest.approx(SLOPES[name], abs=0.1)
        octaves = [level(50 * 2.0**n, 100 * 2.0**n) for n in range(7)] + [level(5000, 10_000)]
        assert np.diff(octaves[:-1]) == pytest.approx(SLOPES[name], abs=0.3)
        assert octaves[-1] - level(2500, 5000) == pytest.approx(SLOPES[name], abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SLOPES, "rain", "rain-light", "stream"])
def test_nothing_comes_again_within_a_minute(name: str) -> None:
    samples = open_bed(shipped(name), 5).read(0, 1 << 22).mean(axis=1, dtype=np.float64)  # 95 s

    def likeness(signal: NDArray[np.float64], nearest: int, furthest: int) -> float:
        """Largest autocorrelation between two distances."""
        signal = signal - signal.mean()
        lines = np.abs(np.fft.rfft(signal, 1 << (2 * len(signal) - 1).bit_length())) ** 2
        correlation = np.fft.irfft(lines)
        return float(np.abs(correlation[nearest:furthest]).max() / correlation[0])

    # Differences: of brown noise itself, the deepest would drown the rest.
    assert likeness(np.diff(samples, 2), RATE // 2, 60 * RATE) < 0.05
    power = np.square(samples[: len(samples) // 441 * 441]).reshape(-1, 441).mean(axis=1)
    envelope = np.log(power)
    # Without what moves slowly, which is alike over some seconds as weather is.
    quick = envelope - np.convolve(envelope, np.ones(50) / 50, "same")
    assert likeness(quick[50:-50], 100, 6000) < 0.1


@pytest.mark.parametrize("name", SLOPES)
def test_where_chunks_meet_nothing_is_louder_or_softer(name: str) -> None:
    samples = open_bed(shipped(name), 3).read(0, 100 * CHUNK).reshape(100, 64, -1)
    by_place = np.square(samples).mean(axis=(0, 2), dtype=np.float64)
    assert np.abs(db(by_place / by_place.mean())).max() < 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_where_chunks_meet_nothing_clicks(name: str) -> None:
    """A jump stands out among fourth differences; a place where chunks meet must be like any other."""
    samples = minute(name)
    jumps = np.abs(np.diff(samples, 4, axis=0)).max(axis=1)

    def strongest(frames: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.max([jumps[frames + more] for more in range(-5, 2)], axis=0)

    borders = np.arange(CHUNK, len(jumps) - 10, CHUNK)
    others = np.random.default_rng(1).integers(10, len(jumps) - 10, 40 * len(borders))
    assert np.median(strongest(borders)) < 1.35 * np.median(strongest(others))
    assert strongest(borders).max() <= 1.2 * strongest(others).max()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_ocean_waves_come_slowly_and_swell_far(seed: int) -> None:
    samples = open_bed(shipped("ocean"), seed).read(0, 200 * RATE)
    tenths = np.square(samples).mean(axis=1).reshape(-1, RATE // 10).mean(axis=1, dtype=np.float64)
    envelope = db(np.convolve(tenths, np.hanning(17) / np.hanning(17).sum(), "same"))
    crests, _ = find_peaks(envelope, prominence=5)
    troughs = [int(one + envelope[one:other].argmin()) for one, other in pairwise(crests)]
    seconds = np.diff(crests) / 10
    assert np.mean((seconds >= 6) & (seconds <= 12)) >= 0.95
    assert np.ptp(seconds) > 1.5  # no machine
    falls = envelope[crests[:-1]] - envelope[troughs]
    rises = envelope[crests[1:]] - envelope[troughs]
    assert np.mean(np.minimum(falls, rises) >= 9) >= 0.95
    assert np.std(envelope[crests]) > 0.4  # no two alike


def test_ocean_waves_break_bright_and_drain_away_as_a_hiss() -> None:
    """Beside the deep sound of a wave, the highest comes later."""
    samples = minute("ocean").mean(axis=1)

    def envelope(low: float, high: float) -> NDArray[np.float64]:
        band = sosfilt(butter(4, (low, high), "band", fs=RATE, output="sos"), samples)
        powers = np.square(band).reshape(-1, RATE // 10).mean(axis=1)
        smoothed = db(np.convolve(powers, np.hanning(9) / np.hanning(9).sum(), "valid"))
        return np.asarray(smoothed - np.mean(smoothed))

    deep, bright = envelope(80, 400), envelope(5000, 12_000)
    lags = np.arange(-40, 41)
    alike = [np.sum(deep[40:-40] * np.roll(bright, -lag)[40:-40]) for lag in lags]
    assert 3 <= lags[int(np.argmax(alike))] <= 25  # tenths of a second
    assert np.ptp(bright) > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6])
@pytest.mark.parametrize("name", RAINS)
def test_rain_falls_in_drops_over_a_hiss(name: str, seed: int) -> None:
    assert kurtosis(minute(name, seed)).min() > 1  # noise: 0
    drops = sosfilt(butter(4, (1000, 6000), "band", fs=RATE, output="sos"), minute(name, seed)[:, 0])

    def standing_out(band: NDArray[np.float64]) -> float:
        """How many times a second 4 ms are 6 dB over what is usual."""
        powers = np.square(band[: len(band) // 176 * 176]).reshape(-1, 176).mean(axis=1)
        over = powers > 4 * np.median(powers)
        return float(np.count_nonzero(over[1:] & ~over[:-1])) / 60

    assert standing_out(drops) > 2
    noise = sosfilt(butter(4, (1000, 6000), "band", fs=RATE, output="sos"), minute("pink")[:, 0])
    assert standing_out(noise) < 0.2
    # The hiss: never silent between them.
    powers = np.square(drops).reshape(-1, 441).mean(axis=1)
    assert db(np.percentile(powers, 1) / powers.mean()) > -14


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6])
@pytest.mark.parametrize("name", NATURE)
def test_nature_is_around_the_listener_and_stays_in_mono(name: str, seed: int) -> None:
    samples = minute(name, seed, (seed - 5) * HOUR)
    assert 0.03 <= np.corrcoef(samples.T)[0, 1] <= 0.47
    power = np.mean(np.square(samples), axis=0, dtype=np.float64)
    assert db(np.mean(np.square(samples.mean(axis=1, dtype=np.float64))) / power.mean()) >= -3
    assert abs(db(power[0] / power[1])) < 0.7  # neither side is favoured


def frequency(channel: Samples, near: float) -> float:
    """Of the tone ``near`` that frequency: the slope of its phase over a minute."""
    seconds = np.arange(len(channel)) / RATE
    turned = (channel * np.exp(-2j * np.pi * near * seconds)).reshape(60, -1).mean(axis=1)
    phases = np.unwrap(np.angle(turned)) / (2 * np.pi)
    return near + float(np.polyfit(np.arange(60), phases, 1)[0])


@pytest.mark.slow
@pytest.mark.parametrize("start", [0, 3 * HOUR])
def test_the_binaural_beat_is_exact_and_otherwise_the_same_in_both_ears(start: int) -> None:
    left, right = minute("binaural", 5, start).T
    assert frequency(left, 197) == pytest.approx(197, abs=0.01)
    assert frequency(right, 203) == pytest.approx(203, abs=0.01)
    assert frequency(right, 203) - frequency(left, 197) == pytest.approx(6, abs=0.01)
    seconds = np.arange(60 * RATE) / RATE

    def strength(channel: Samples, hertz: float) -> float:
        turned = channel * np.exp(-2j * np.pi * hertz * seconds)
        return db(np.mean(np.abs(turned.reshape(60, -1).mean(axis=1)) ** 2))

    assert strength(left, 197) == pytest.approx(strength(right, 203), abs=0.2)
    for channel, others in ((left, 203), (right, 197)):  # and nothing of the other ear's
        assert strength(channel, others) < strength(channel, 400 - others) - 20
    hertz, power = density(left)
    assert db(power[(hertz > 300) & (hertz < 1000)].mean() / power.max()) > -50  # noise softens it


def test_the_isochronic_pulse_is_exact_soft_and_the_same_on_both_sides() -> None:
    samples = minute("isochronic").astype(np.float64)
    tone = sosfiltfilt(butter(2, (120, 240), "band", fs=RATE, output="sos"), samples.mean(axis=1))
    powers = np.square(tone).reshape(-1, 441).mean(axis=1)
    lines = np.abs(np.fft.rfft((powers - powers.mean()) * np.hanning(len(powers))))
    assert lines.argmax() == 6 * 60  # of 60 s: a line every 1/60 Hz
    assert db(np.percentile(powers, 90) / np.percentile(powers, 10)) > 9
    sides = [np.square(sosfilt(butter(2, (120, 240), "band", fs=RATE, output="sos"), side)) for side in samples.T]
    assert abs(db(sides[0].mean() / sides[1].mean())) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6])
@pytest.mark.parametrize("name", ALL)
def test_a_bed_stands_at_its_level_and_startles_nobody(name: str, seed: int) -> None:
    samples = minute(name, seed, (seed - 5) * HOUR)
    audible = heard(samples)
    # Whichever it reaches first: the RMS of beds, their loudness, or that of their crests.
    over = max(db(np.mean(audible**2, axis=0).max()) - LEVEL, integrated(samples, RATE) - BED)
    assert -3.0 < over < 1.2
    seconds = db(np.mean(audible.reshape(60, RATE, 2) ** 2, axis=1).max(axis=1)) - LEVEL
    assert np.percentile(seconds, 95) < 3.5  # of this minute; of an hour, 3
    assert np.max(seconds) < 6
    assert np.abs(samples).max() < 10 ** (-12 / 20)
    # And it has no direct current.
    weighted = np.average(samples.astype(np.float64), axis=0, weights=np.hanning(len(samples)))
    assert 20 * np.log10(np.abs(weighted).max() + 1e-12) < -80
    assert np.abs(samples.mean(axis=0, dtype=np.float64)).max() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_its_sound_can_be_heard_on_small_loudspeakers(name: str) -> None:
    samples = minute(name).mean(axis=1)
    high = sosfilt(butter(8, 200, "high", fs=RATE, output="sos"), samples)
    # A telephone begins at 200 Hz: what is left may be softer, but must be there.
    assert db(np.mean(high**2)) > LEVEL - 16


@pytest.mark.parametrize("name", ALL)
def test_however_it_is_cut_it_is_the_same(name: str) -> None:
    begin = 2 * HOUR + 17
    whole = open_bed(shipped(name), 3).read(begin, 100_000)
    reader = open_bed(shipped(name), 3)
    parts = [reader.read(begin + start, min(44_100, 100_000 - start)) for start in range(0, 100_000, 44_100)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(reader.read(begin + 5, 1000), whole[5:1005])
    first = open_bed(shipped(name), 1).read(0, CHUNK)
    assert not np.array_equal(open_bed(shipped(name), 2).read(0, CHUNK), first)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_nothing_stands_out_in_ten_minutes(name: str) -> None:
    bed = open_bed(shipped(name), 11)
    seconds, peak = [], 0.0
    for start in range(0, 600 * RATE, 20 * RATE):
        samples = bed.read(start, 20 * RATE)
        peak = max(peak, float(np.abs(samples).max()))
        seconds.append(db(np.mean(heard(samples).reshape(20, RATE, 2) ** 2, axis=1).max(axis=1)) - LEVEL)
    assert 20 * np.log10(peak) <= -12
    assert np.percentile(np.concatenate(seconds), 95) <= 3.0
