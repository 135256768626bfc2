"""What is measured while mixing is what a second look at the whole stems finds."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from metta_audio.sound.levels import SPEECH
from metta_audio.sound.loudness import loudest
from metta_audio.sound.monitor import MixFigures, Monitor
from metta_audio.units import RATE, Samples, to_samples

Sound = NDArray[np.float32]
LENGTH = 3 * RATE


def noise(seed: int, level: float, length: int = LENGTH) -> Sound:
    return np.random.default_rng(seed).uniform(-level, level, (length, 2)).astype(np.float32)


def silence(length: int = LENGTH) -> Sound:
    return np.zeros((length, 2), np.float32)


def stretches(*seconds: tuple[float, float]) -> tuple[tuple[Samples, Samples], ...]:
    return tuple((to_samples(start), to_samples(end)) for start, end in seconds)


def measured(monitor: Monitor, voice: Sound, cues: Sound, bed: Sound, block: int = 16_384) -> MixFigures:
    for start in range(0, len(voice), block):
        monitor.add((voice[start : start + block], cues[start : start + block], bed[start : start + block]))
        monitor.hear(sum(part[start : start + block] for part in (voice, cues, bed)))
    return monitor.result()


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


def test_every_line_has_its_own_distance() -> None:
    lines = stretches((0.1, 0.9), (1.0, 1.05), (1.05, 2.9))
    voice, bed = noise(1, 0.2), noise(2, 0.01)
    bed[RATE : 2 * RATE] *= 3
    figures = measured(Monitor(lines), voice, noise(3, 0.5), bed)
    expected = [20 * math.log10(rms(voice[a:b]) / rms(bed[a:b])) for a, b in lines]
    assert figures.speech_to_bed == pytest.approx(expected, abs=0.006)
    assert figures.worst_line == 1
    assert figures.lines == lines
    assert figures.speech_to_bed_min == pytest.approx(min(expected), abs=0.006)
    assert figures.speech_to_bed_median == pytest.approx(np.median(expected), abs=0.006)
    assert figures.bed_peak == pytest.approx(20 * math.log10(np.abs(bed).max()), abs=0.006)


def test_lines_may_come_in_any_order_and_overlap() -> None:
    lines = stretches((1.0, 2.0), (0.2, 1.7), (1.0, 1.2))
    voice, bed = noise(1, 0.2), noise(2, 0.01)
    figures = measured(Monitor(lines), voice, silence(), bed)
    expected = [20 * math.log10(rms(voice[a:b]) / rms(bed[a:b])) for a, b in lines]
    assert figures.speech_to_bed == pytest.approx(expected, abs=0.006)


def test_where_there_is_nothing_to_measure() -> None:
    lines = stretches((0.5, 1.0))
    bare = measured(Monitor(lines), noise(1, 0.1), silence(), silence())
    assert (bare.speech_to_bed, bare.speech_to_bed_min, bare.speech_to_bed_median) == ((math.inf,), None, None)
    assert bare.bed_peak == -math.inf
    mute = measured(Monitor(lines), silence(), silence(), noise(2, 0.1))
    assert (mute.speech_to_bed, mute.worst_line, mute.noise_floor) == ((None,), None, None)
    nobody = measured(Monitor(), silence(), silence(), silence())
    assert (nobody.speech_to_bed, nobody.bell_to_voice, nobody.noise_floor) == ((), None, None)
    assert Monitor().result() == MixFigures()
    beyond = measured(Monitor(stretches((9.0, 10.0))), noise(1, 0.1), silence(), noise(2, 0.1))
    assert beyond.speech_to_bed == (None,)


def test_the_noise_floor_is_the_quietest_moment_between_words() -> None:
    voice = noise(1, 0.2)
    voice[RATE : RATE + RATE // 10] *= 0.001  # a gap of 100 ms, 60 dB down, inside the line
    voice[2 * RATE :] = 0  # outside of it
    figures = measured(Monitor(stretches((0.2, 1.9))), voice, noise(3, 0.1), noise(2, 0.1))
    assert figures.noise_floor == pytest.approx(20 * math.log10(rms(noise(1, 0.2)) * 0.001), abs=0.5)
    voice[RATE : RATE + RATE // 10] = 0
    assert measured(Monitor(stretches((0.2, 1.9))), voice, silence(), silence()).noise_floor is None
    steady = measured(Monitor(stretches((0.2, 0.9), (1.1, 1.9))), voice, silence(), silence())
    assert steady.noise_floor == pytest.approx(20 * math.log10(rms(noise(1, 0.2))), abs=0.5)


def test_a_faded_edge_is_no_noise_floor() -> None:
    start, end = 172 * 256, 344 * 256
    voice = silence()
    voice[start:end] = noise(1, 0.2, end - start)
    faded = voice.copy()
    ramp = np.linspace(0, 1, to_samples(0.01), dtype=np.float32)[:, None] ** 2
    faded[start : start + len(ramp)] *= ramp
    faded[end - len(ramp) : end] *= ramp[::-1]
    plain, soft = (
        measured(Monitor(((Samples(start), Samples(end)),)), each, silence(), silence()) for each in (voice, faded)
    )
    assert plain.noise_floor == soft.noise_floor
    assert soft.noise_floor == pytest.approx(20 * math.log10(rms(noise(1, 0.2))), abs=0.5)


@pytest.mark.parametrize("middle", [3 * 16_384, 3 * 16_384 + 2000])
def test_a_gap_is_found_wherever_it_lies(middle: int) -> None:
    voice = noise(1, 0.2)
    voice[middle - 1500 : middle + 1500] *= 0.001
    figures = measured(Monitor(stretches((0.2, 1.9))), voice, silence(), silence())
    assert figures.noise_floor == pytest.approx(20 * math.log10(rms(noise(1, 0.2)) * 0.001), abs=0.5)


def test_a_bell_is_measured_by_its_loudest_400_ms() -> None:
    time = np.arange(LENGTH) / RATE
    bell = np.float32(0.3) * np.exp(-time * 2) * np.sin(2 * np.pi * 500 * time)
    cues = silence()
    cues[RATE:] = np.stack([bell, bell], axis=1)[: LENGTH - RATE]
    figures = measured(Monitor((), stretches((1.0, 3.0))), noise(1, 0.3), cues, noise(2, 0.1))
    expected = loudest(cues[RATE:], RATE) - SPEECH
    assert figures.bell_to_voice == pytest.approx(expected, abs=0.02)
    # A breath, long after, is no bell.
    cues[: RATE // 2] = noise(3, 0.5, RATE // 2)
    again = measured(Monitor((), stretches((1.0, 3.0))), silence(), cues, silence())
    assert again.bell_to_voice == figures.bell_to_voice
    two = measured(Monitor((), stretches((0.0, 0.5), (1.0, 3.0))), silence(), cues, silence())
    assert two.bell_to_voice == pytest.approx(loudest(cues[: RATE // 2], RATE) - SPEECH, abs=0.02)


def test_a_short_bell_is_followed_by_silence() -> None:
    cues = silence()
    cues[RATE : RATE + 2000] = noise(3, 0.5, 2000)
    for ring in (2000, 10 * RATE):
        bells = ((Samples(RATE), Samples(RATE + ring)),)
        figures = measured(Monitor((), bells), silence(), cues, silence())
        assert figures.bell_to_voice == pytest.approx(loudest(cues[RATE : RATE + 2000], RATE) - SPEECH, abs=0.02)


def test_faults_are_those_of_what_is_heard() -> None:
    voice = silence()
    voice[50_000] = 0.1
    monitor = Monitor((), (), (50_000, 70_000))
    faults = measured(monitor, voice, silence(), silence()).faults
    assert (faults.clicks, faults.places, faults.seams, faults.worst_seam_at) == (1, (50_000,), 2, 50_000)


edges = st.integers(0, LENGTH)


@settings(max_examples=30)
@given(
    st.integers(300, 60_000),
    st.lists(st.tuples(edges, edges).map(lambda pair: (min(pair), max(pair))), max_size=4),
    st.lists(st.tuples(edges, edges).map(lambda pair: (min(pair), max(pair))), max_size=2),
)
def test_chunked_is_whole(block: int, lines: list[tuple[int, int]], bells: list[tuple[int, int]]) -> None:
    voice, cues, bed = noise(1, 0.2), noise(2, 0.3), noise(3, 0.01)
    voice[30_000:40_000] *= 0.01

    def run(size: int) -> MixFigures:
        return measured(Monitor(lines, bells, [line[0] for line in lines]), voice, cues, bed, size)  # type: ignore[arg-type]

    assert run(block) == run(LENGTH)


def test_memory_does_not_grow_with_the_length() -> None:
    def peak(seconds: int) -> int:
        lines = tuple((Samples(at * RATE), Samples(at * RATE + 30_000)) for at in range(seconds))
        voice, cues, bed = noise(1, 0.2, 16_384), noise(2, 0.2, 16_384), noise(3, 0.01, 16_384)
        monitor = Monitor(lines, lines)
        tracemalloc.start()
        for _ in range(seconds * RATE // 16_384):
            monitor.add((voice, cues, bed))
            monitor.hear(voice)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(3)
    assert peak(60) <= peak(6) + 100_000
