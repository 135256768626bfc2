"""The mix is the sum of its parts, exactly as long as its score."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.errors import SoundError
from metta_audio.sound.duck import Ducking
from metta_audio.sound.mix import Placed, Score, Source, WaveSource, mix, stems
from metta_audio.sound.monitor import Monitor
from metta_audio.sound.wave import Wave
from metta_audio.units import Decibels, Samples

LENGTH = 30_000


class Noise:
    """A source whose frames depend on nothing but their number."""

    def __init__(self, seed: int, level: float = 0.1) -> None:
        self.table = np.random.default_rng(seed).uniform(-level, level, (4096, 2)).astype(np.float32)

    def read(self, start: int, frames: int) -> np.ndarray:
        assert start >= 0
        return self.table[np.arange(start, start + frames) % 4096]


def placed(start: int, length: int, seed: int = 0, level: float = 0.1) -> Placed:
    return Placed(Samples(start), Samples(length), lambda: Noise(seed, level))


def joined(score: Score, **options: int) -> np.ndarray:
    blocks = list(mix(score, **options))
    return np.concatenate([np.zeros((0, 2), np.float32), *blocks])


tracks = st.lists(
    st.builds(placed, st.integers(-500, LENGTH + 500), st.integers(0, 9000), st.integers(0, 9)), max_size=5
).map(tuple)
scores = st.builds(
    lambda length, voice, cues, bed, spoken: Score(
        Samples(length), voice, cues, Noise(77) if bed else None, Ducking(((Samples(spoken), Samples(spoken + 4000)),))
    ),
    st.integers(0, LENGTH),
    tracks,
    tracks,
    st.booleans(),
    st.integers(0, LENGTH),
)


def overlap_added(track: tuple[Placed, ...], length: int) -> np.ndarray:
    total = np.zeros((length, 2))
    for each in track:
        first, after = max(each.start, 0), min(each.start + each.length, length)
        if first < after:
            total[first:after] += each.open().read(first - each.start, after - first)
    return total


@given(scores, st.integers(1, 3).map(lambda power: 700 * 3**power))
def test_stems_are_what_overlap_add_gives(score: Score, block: int) -> None:
    parts = list(stems(score, block=block))
    for name, track in (("voice", score.voice), ("cues", score.cues)):
        whole = np.concatenate([np.zeros((0, 2)), *(getattr(part, name) for part in parts)])
        np.testing.assert_allclose(whole, overlap_added(track, score.length), atol=1e-6)
    bed = np.concatenate([np.zeros((0, 2)), *(part.bed for part in parts)])
    level = score.ducking.gain(0, score.length)[:, None]
    expected = score.bed.read(0, score.length) * level if score.bed else np.zeros((score.length, 2))
    np.testing.assert_array_equal(bed, expected)


@settings(max_examples=50)
@given(scores, st.integers(300, 20_000))
def test_chunked_is_whole_to_the_bit(score: Score, block: int) -> None:
    loud = Score(score.length, (*score.voice, placed(200, 5000, 3, level=1.5)), score.cues, score.bed, score.ducking)
    whole = joined(loud, block=LENGTH + 1)
    assert whole.shape == (score.length, 2)
    np.testing.assert_array_equal(joined(loud, block=block), whole)
    np.testing.assert_array_equal(joined(loud), whole)


@given(scores)
def test_a_quiet_mix_is_the_sum_of_its_stems(score: Score) -> None:
    quiet = [part.voice + part.cues + part.bed for part in stems(score)]
    total = np.concatenate([np.zeros((0, 2)), *quiet])
    after = joined(score)
    if np.abs(total).max(initial=0) < 0.3:
        np.testing.assert_allclose(after, total, atol=1e-6)
    assert np.abs(after).max(initial=0) <= 10 ** (-2 / 20)


def test_nothing_sounds_outside_what_is_placed() -> None:
    after = joined(Score(Samples(LENGTH), (placed(1000, 500),), (placed(9000, 700),)))
    sounding = np.flatnonzero(np.abs(after).max(axis=1))
    assert set(sounding) <= {*range(1000, 1500), *range(9000, 9700)}
    assert (sounding[0], sounding[-1]) == (1000, 9699)


@pytest.mark.slow
def test_sources_open_when_reached_and_are_let_go_when_passed() -> None:
    alive: list[weakref.ref[Noise]] = []
    at_once = []

    def opening(seed: int) -> Callable[[], Source]:
        def open_source() -> Source:
            source = Noise(seed)
            alive.append(weakref.ref(source))
            return source

        return open_source

    voice = tuple(Placed(Samples(index * 1000), Samples(1500), opening(index)) for index in range(25))
    for part in stems(Score(Samples(LENGTH), voice), block=1000):
        del part
        gc.collect()
        at_once.append(sum(reference() is not None for reference in alive))
    assert len(alive) == 25
    assert max(at_once) == 1  # of the two that sound in a block, one has ended
    assert at_once[-1] == 0


def test_memory_does_not_grow_with_the_length() -> None:
    def peak(length: int) -> int:
        voice = tuple(placed(start, 30_000, 1) for start in range(0, length, 40_000))
        score = Score(Samples(length), voice, (), Noise(2), Ducking())
        tracemalloc.start()
        for _ in mix(score):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100_000)
    assert peak(3_000_000) <= peak(300_000) + 200_000


def test_a_source_that_starts_before_the_recording_joins_in_its_middle() -> None:
    after = joined(Score(Samples(100), (placed(-50, 80, 4),)))
    np.testing.assert_array_equal(after[:30], Noise(4).read(50, 30))
    assert not after[30:].any()


def test_a_monitor_hears_the_stems_and_what_comes_out() -> None:
    ducking = Ducking(((Samples(2000), Samples(9000)),))
    score = Score(Samples(LENGTH), (placed(2000, 7000, 1, level=0.2),), (), Noise(2, level=0.02), ducking)
    heard: list[tuple[str, int]] = []

    class Listener(Monitor):
        def add(self, stems: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
            heard.append(("stems", len(stems[0])))
            super().add(stems)

        def hear(self, block: np.ndarray) -> None:
            heard.append(("sound", len(block)))
            super().hear(block)

    monitor = Listener(ducking.speech)
    plain = joined(score)
    np.testing.assert_array_equal(np.concatenate(list(mix(score, monitor=monitor))), plain)
    for name in ("stems", "sound"):
        assert sum(frames for kind, frames in heard if kind == name) == LENGTH
    assert monitor.result().speech_to_bed == (pytest.approx(20 + 6, abs=0.3),)
    softer = Score(score.length, score.voice, (), score.bed, ducking, gain=Decibels(-12))
    other = Monitor(ducking.speech)
    list(mix(softer, monitor=other))
    assert other.result().speech_to_bed == monitor.result().speech_to_bed


def test_a_wave_is_unchanged_and_silent_outside() -> None:
    samples = np.random.default_rng(1).normal(size=50).astype(np.float32)
    source = WaveSource(Wave.mono(samples))
    block = source.read(-10, 80)
    np.testing.assert_array_equal(block[10:60, 0], samples)
    np.testing.assert_array_equal(block[:, 0], block[:, 1])
    assert not block[:10].any()
    assert not block[60:].any()
    assert source.read(90, 5).shape == (5, 2)


def test_stereo_stays_stereo_and_more_channels_are_refused() -> None:
    samples = np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32)
    np.testing.assert_array_equal(WaveSource(Wave(samples)).read(0, 50), samples)
    with pytest.raises(SoundError, match="6 channels"):
        WaveSource(Wave(np.zeros((5, 6), np.float32)))
