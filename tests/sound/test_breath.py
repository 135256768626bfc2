"""The breath cue is where the plan says, to be measured in the sound itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.errors import Place
from metta_audio.script.model import Breath
from metta_audio.sound.breath import Swell
from metta_audio.sound.levels import BREATH
from metta_audio.sound.loudness import loudest
from metta_audio.sound.stream import CHUNK
from metta_audio.timeline.breath import length, phases
from metta_audio.units import RATE, Seconds, to_samples

PATTERNS = {
    "4-4-6": (4.0, 4.0, 6.0, 0.0),
    "box": (4.0, 4.0, 4.0, 4.0),
    "5.5-5.5": (5.5, 0.0, 5.5, 0.0),
    "4-7-8": (4.0, 7.0, 8.0, 0.0),
}


def breath(pattern: tuple[float, ...], cycles: int = 2) -> Breath:
    a, b, c, d = (Seconds(phase) for phase in pattern)
    return Breath((a, b, c, d), cycles, Place("test.md", 1))


durations = st.integers(0, 20_000).map(lambda ms: ms / 1000)


@given(st.tuples(durations, durations, durations, durations), st.integers(1, 60), st.sampled_from([RATE, 8000]))
def test_phases_cover_the_breath_and_never_drift(pattern: tuple[float, ...], cycles: int, rate: int) -> None:
    given_breath = breath(pattern, cycles)
    found = phases(given_breath, rate)
    boundaries = (*(phase.start for phase in found), length(given_breath, rate))
    assert boundaries[0] == 0
    assert all(phase.end > phase.start for phase in found)
    assert all(phase.end == after for phase, after in zip(found, boundaries[1:], strict=True))
    names = ("in", "hold", "out", "rest")
    for phase in found:
        exact = (phase.cycle * sum(pattern) + sum(pattern[: names.index(phase.name)])) * rate
        assert abs(phase.start - exact) <= 0.5 + 1e-6
    assert length(given_breath, rate) == pytest.approx(cycles * sum(pattern) * rate, abs=0.5 + 1e-6)


def test_phases_are_named_in_order() -> None:
    assert [phase.name for phase in phases(breath(PATTERNS["box"], 1))] == ["in", "hold", "out", "rest"]
    assert [phase.name for phase in phases(breath(PATTERNS["5.5-5.5"], 2))] == ["in", "out", "in", "out"]
    ends = [phase.end for phase in phases(breath(PATTERNS["4-4-6"], 1))]
    assert ends == [to_samples(4), to_samples(8), to_samples(14)]


def test_cycles_that_are_no_whole_samples_do_not_add_up_their_rounding() -> None:
    """A third of a sample lost in every cycle would be 33 after a hundred."""
    odd = breath((1.00001, 0.0, 1.00001, 0.0), 100)
    assert length(odd) == to_samples(200.002)


def corners(samples: np.ndarray) -> list[float]:
    """Seconds where the strength of a sound bends, found without knowing the pattern.

    Strength is the RMS over 20 ms. Straight lines are fitted to half a second on both sides of every moment; where
    their slopes differ most there is a corner, and the lines between neighbouring corners meet in its exact place.
    """
    hop, window = 44, 880
    power = np.convolve(np.mean(np.square(samples, dtype=np.float64), axis=1), np.ones(window) / window, "same")
    strength = np.sqrt(power[::hop])
    strength /= strength.max()
    seconds = np.arange(len(strength)) * hop / RATE
    half = int(0.5 * RATE / hop)
    ramp = np.arange(half) - (half - 1) / 2
    slopes = np.correlate(strength, ramp / np.sum(ramp**2), "valid")  # of the half second from each moment on
    bend = np.abs(slopes[half:] - slopes[:-half])
    found, rest = [], bend.copy()
    while rest.max() > 0.2 * bend.max():
        top = int(rest.argmax())
        found.append(top + half)
        rest[max(0, top - half) : top + half] = 0
    ends = [0, *sorted(found), len(strength)]
    margin = int(0.06 * RATE / hop)
    lines = [
        np.polyfit(seconds[low + margin : high - margin], strength[low + margin : high - margin], 1)
        for low, high in itertools.pairwise(ends)
    ]
    return [float((b[1] - a[1]) / (a[0] - b[0])) for a, b in itertools.pairwise(lines)]


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_the_sound_bends_where_the_plan_says(pattern: tuple[float, ...]) -> None:
    cue = breath(pattern, 3)
    silence = np.zeros((RATE, 2), np.float32)
    sound = np.concatenate([silence, Swell(cue).read(0, length(cue) + RATE)])
    planned = [0.0, *(phase.end / RATE for phase in phases(cue))]
    if pattern[3]:
        planned = planned[:-1]  # the last rest goes over into silence without a corner
    assert [corner - 1 for corner in corners(sound)] == pytest.approx(planned, abs=0.010)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_pitch_rises_in_stays_and_sinks_out(pattern: tuple[float, ...]) -> None:
    cue = breath(pattern, 1)
    sound = Swell(cue).read(0, length(cue))[:, 0]

    def pitch(second: float) -> float:
        """Of the lowest tone, by the strongest line near it in a third of a second."""
        part = sound[to_samples(second) - RATE // 6 :][: RATE // 3] * np.hanning(RATE // 3)
        lines = np.abs(np.fft.rfft(part, RATE))
        return 200.0 + float(lines[200:290].argmax())

    inward, hold, outward, _ = pattern
    rising = [pitch(inward * part) for part in (0.2, 0.5, 0.8)]
    sinking = [pitch(inward + hold + outward * part) for part in (0.2, 0.5, 0.8)]
    assert rising[0] + 8 < rising[1] < rising[2] - 8
    assert sinking[0] - 8 > sinking[1] > sinking[2] + 8
    if hold:
        assert pitch(inward + 0.5) == pytest.approx(pitch(inward + hold - 0.5), abs=1)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_its_loudest_moment_has_the_level_of_breath(pattern: tuple[float, ...]) -> None:
    cue = breath(pattern)
    assert loudest(Swell(cue).read(0, length(cue)), RATE) == pytest.approx(BREATH, abs=0.1)


def test_it_lies_where_small_loudspeakers_have_sound() -> None:
    cue = breath(PATTERNS["4-4-6"])
    sound = Swell(cue).read(0, length(cue)).astype(np.float64)
    power = np.abs(np.fft.rfft(sound[:, 0])) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert power[(hertz >= 200) & (hertz <= 900)].sum() / power.sum() > 0.999
    mono = np.mean(np.square(sound.mean(axis=1))) / np.mean(np.square(sound))
    assert 10 * np.log10(mono) > -1


def test_rests_and_what_follows_are_silent() -> None:
    cue = breath(PATTERNS["box"])
    sound = Swell(cue).read(0, length(cue) + CHUNK)
    for phase in phases(cue):
        if phase.name == "rest":
            assert not sound[phase.start : phase.end].any()
    assert not sound[length(cue) :].any()
    assert not Swell(cue).read(length(cue) + 10 * RATE, 100).any()


@pytest.mark.parametrize("pattern", [*PATTERNS.values(), (1.3337, 0.11113, 1.7771, 0.33331)])
def test_there_is_no_click(pattern: tuple[float, ...]) -> None:
    """No sample bends away from its neighbours more than the tones themselves can."""
    cue = breath(pattern, 4)
    sound = Swell(cue).read(0, length(cue) + 1000).astype(np.float64)[:, 0]
    bent = np.abs(np.diff(sound, 2))
    # The most that tones of their strengths can bend: each by its pulsation squared.
    root = 2 * np.pi * 110 * 2 ** (3 / 12) / RATE
    most = np.abs(sound).max() * (6 * root) ** 2
    assert bent.max() < most


@settings(max_examples=40)
@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=8), st.integers(0, 5 * RATE))
def test_however_it_is_cut_it_is_the_same(cuts: list[int], begin: int) -> None:
    whole = Swell(breath(PATTERNS["4-4-6"])).read(begin, sum(cuts))
    reader, position, parts = Swell(breath(PATTERNS["4-4-6"])), begin, []
    for cut in cuts:
        parts.append(reader.read(position, cut))
        position += cut
    assert np.array_equal(np.concatenate(parts), whole)
