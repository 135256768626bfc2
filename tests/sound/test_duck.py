"""The bed is down before the first word, and nothing jumps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.sound.duck import Ducking, merged
from metta_audio.units import Decibels, Hertz, Samples, Seconds, to_samples

RATE = Hertz(100)  # the laws do not depend on it
ATTACK, RELEASE, BRIDGE = to_samples(0.6, RATE), to_samples(1.8, RATE), to_samples(3.0, RATE)
DOWN = 10 ** (-6 / 20)
LENGTH = 6000

stretches = st.lists(
    st.tuples(st.integers(0, LENGTH), st.integers(0, 900)).map(lambda s: (Samples(s[0]), Samples(s[0] + s[1]))),
    max_size=6,
).map(tuple)


def seconds_free(speech: tuple[tuple[Samples, Samples], ...]) -> tuple[np.ndarray, np.ndarray]:
    """For each sample: distance in samples to the next speech, and from the last."""
    ahead, behind = np.full(LENGTH, 10**6), np.full(LENGTH, 10**6)
    at = np.arange(LENGTH)
    for start, end in speech:
        if start < end:
            ahead = np.minimum(ahead, np.where(at < end, np.maximum(start - at, 0), 10**6))
            behind = np.minimum(behind, np.where(at >= start, np.maximum(at - end + 1, 0), 10**6))
    return ahead, behind


@given(stretches)
def test_down_while_someone_speaks_and_from_the_sample_before(speech: tuple[tuple[Samples, Samples], ...]) -> None:
    level = Ducking(speech, rate=RATE).gain(0, LENGTH)
    ahead, behind = seconds_free(speech)
    np.testing.assert_allclose(level[(ahead <= 1) | (behind == 0)], DOWN, rtol=1e-6)
    np.testing.assert_allclose(level[ahead + behind <= BRIDGE], DOWN, rtol=1e-6)


@given(stretches)
def test_untouched_away_from_speech(speech: tuple[tuple[Samples, Samples], ...]) -> None:
    level = Ducking(speech, rate=RATE).gain(0, LENGTH)
    ahead, behind = seconds_free(speech)
    away = (ahead > ATTACK) & (behind > RELEASE) & (ahead + behind > BRIDGE + 1)
    assert (level[away] == 1).all()
    assert level.min(initial=1) >= DOWN * 0.999999
    assert level.max() <= 1
    assert level.dtype == np.float32


@given(stretches, st.floats(0, 3))
def test_no_jump_even_where_ramps_meet(speech: tuple[tuple[Samples, Samples], ...], bridge: float) -> None:
    level = Ducking(speech, rate=RATE, bridge=Seconds(bridge)).gain(-500, LENGTH + 2000)
    steps = np.abs(np.diff(20 * np.log10(level)))
    assert steps.max() <= 6 * (np.pi / 2) / ATTACK * 1.01  # the steepest step of the shorter raised cosine


@given(stretches, st.lists(st.integers(0, LENGTH), max_size=10))
def test_chunked_is_whole(speech: tuple[tuple[Samples, Samples], ...], cuts: list[int]) -> None:
    ducking = Ducking(speech, rate=RATE)
    edges = [0, *sorted(cuts), LENGTH]
    parts = [ducking.gain(start, end - start) for start, end in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), ducking.gain(0, LENGTH))


@given(stretches, stretches)
def test_local(speech: tuple[tuple[Samples, Samples], ...], other: tuple[tuple[Samples, Samples], ...]) -> None:
    """Speech that is more than a bridge, an attack and a release away changes nothing."""
    far = [(Samples(start + 2 * LENGTH), Samples(end + 2 * LENGTH)) for start, end in other]
    long_ago = [(Samples(start - 3 * LENGTH), Samples(end - 3 * LENGTH)) for start, end in other]
    alone, beside = Ducking(speech, rate=RATE), Ducking((*far, *speech, *long_ago), rate=RATE)
    np.testing.assert_array_equal(alone.gain(0, LENGTH), beside.gain(0, LENGTH))


def test_the_ramps_last_as_long_as_they_say_and_pass_the_middle_half_way() -> None:
    level = Ducking(((Samples(1000), Samples(1400)),), rate=RATE).gain(0, 2000)
    decibels = 20 * np.log10(level)
    touched = np.flatnonzero(level < 1)
    assert (touched[0], touched[-1]) == (1000 - ATTACK, 1400 + RELEASE - 1)
    assert decibels[1000 - ATTACK // 2 - 1] == pytest.approx(-3, abs=1e-4)
    assert decibels[1400 + RELEASE // 2] == pytest.approx(-3, abs=1e-4)


def test_depth_is_a_choice_and_no_speech_leaves_the_bed_alone() -> None:
    spans = ((Samples(100), Samples(200)),)
    assert Ducking(spans, depth=Decibels(-12), rate=RATE).gain(150, 1)[0] == pytest.approx(10 ** (-12 / 20))
    assert (Ducking().gain(0, 1000) == 1).all()
    assert (Ducking(spans, attack=Seconds(0), release=Seconds(0), rate=RATE).gain(90, 120) < 1).sum() == 100


def test_merged_sorts_joins_and_drops_the_empty() -> None:
    spans = [(30, 40), (0, 10), (9, 12), (15, 20), (50, 50)]
    typed = [(Samples(start), Samples(end)) for start, end in spans]
    assert merged(typed) == ((0, 12), (15, 20), (30, 40))
    assert merged(typed, bridge=3) == ((0, 20), (30, 40))
