"""The bed is down before the first word, comes forward in long silences, and never moves so that one hears it move."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import SettingsError
from metta_audio.sound import levels
from metta_audio.sound.duck import Ducking, merged
from metta_audio.units import Decibels, Hertz, Samples, Seconds, to_samples

RATE = Hertz(100)  # the laws do not depend on it
ATTACK, RELEASE, BRIDGE = (
    to_samples(seconds, RATE) for seconds in (levels.DUCK_ATTACK, levels.DUCK_RELEASE, levels.DUCK_BRIDGE)
)
AFTER, OVER = to_samples(levels.RISE_AFTER, RATE), to_samples(levels.RISE_OVER, RATE)
DOWN = 10 ** (-6 / 20)
LENGTH = 9000

stretches = st.lists(
    st.tuples(st.integers(0, LENGTH), st.integers(0, 900)).map(lambda s: (Samples(s[0]), Samples(s[0] + s[1]))),
    max_size=6,
).map(tuple)


@st.composite
def duckings(draw: st.DrawFn) -> Ducking:
    """Any that is allowed."""
    depth, rise = -draw(st.floats(0, 30)), draw(st.floats(0, 6))
    # In whole samples: at this low rate half a sample less would be a percent steeper.
    attack = math.ceil(max(draw(st.floats(0, 9)), math.pi / 2 * (rise - depth) / 20) * RATE) / RATE
    release = math.ceil(max(draw(st.floats(0.5, 9)), math.pi / 2 * -depth / 20) * RATE) / RATE
    return Ducking(
        draw(stretches),
        depth=Decibels(depth),
        attack=Seconds(attack),
        release=Seconds(release),
        bridge=Seconds(draw(st.floats(0, 20))),
        rise=Decibels(rise),
        rise_after=Seconds(draw(st.floats(2, 30))),
        rise_over=Seconds(draw(st.floats(2, 30))),
        rate=RATE,
    )


def in_decibels(level: np.ndarray) -> np.ndarray:
    return 20 * np.log10(level.astype(np.float64))


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
def test_itself_again_after_the_release_until_the_attack(speech: tuple[tuple[Samples, Samples], ...]) -> None:
    level = Ducking(speech, rate=RATE).gain(0, LENGTH)
    ahead, behind = seconds_free(speech)
    behind = np.minimum(behind, np.arange(1, LENGTH + 1) + RELEASE)  # the beginning counts as silence, too
    away = (ahead > ATTACK) & (behind > RELEASE) & (behind <= AFTER) & (ahead + behind > BRIDGE + 1)
    assert (level[away] == 1).all()
    assert level.dtype == np.float32


@given(duckings())
def test_never_steeper_than_20_decibels_a_second_and_within_its_bounds(ducking: Ducking) -> None:
    level = in_decibels(ducking.gain(-500, LENGTH + 6000))
    assert np.abs(np.diff(level)).max() <= 20 / RATE * 1.0001 + 2e-6  # float32 has steps of 1e-6 dB
    assert level.min() >= ducking.depth - 1e-5
    assert level.max() <= ducking.rise + 1e-5


@given(duckings())
def test_a_gap_that_is_bridged_or_shorter_than_both_ramps_is_held(ducking: Ducking) -> None:
    held = to_samples(max(ducking.bridge, ducking.attack + ducking.release), RATE)
    level = in_decibels(ducking.gain(0, LENGTH + 900))
    spoken = merged(ducking.speech)
    for (_, end), (start, _) in pairwise(spoken):
        if start - end <= held:
            assert level[end:start].max() == pytest.approx(ducking.depth, abs=1e-5)


@given(st.integers(0, 3000), st.integers(2 * ATTACK, 4000))
def test_in_a_long_silence_the_bed_rises_slowly_and_is_down_before_the_next_word(start: int, gap: int) -> None:
    speech = ((Samples(0), Samples(start + 1)), (Samples(start + 1 + gap), Samples(start + gap + 200)))
    level = in_decibels(Ducking(speech, rate=RATE).gain(0, start + gap + 200))
    silence = level[start + 1 : start + 1 + gap]
    assert level[start + gap] == pytest.approx(-6, abs=1e-4)
    still = silence[: max(0, min(AFTER, gap - ATTACK))]
    assert still.max(initial=-6) <= 0
    risen = silence[AFTER + OVER : gap - ATTACK]
    np.testing.assert_allclose(risen, 2, atol=1e-5)
    assert (np.diff(silence[: gap - ATTACK]) >= 0).all()


@pytest.mark.parametrize("speech", [(), ((Samples(5000), Samples(5100)),)])
def test_silence_at_the_start_is_counted_from_the_start(speech: tuple[tuple[Samples, Samples], ...]) -> None:
    level = in_decibels(Ducking(speech, rate=RATE).gain(0, 5000 - ATTACK))
    assert (level[:AFTER] == 0).all()
    assert level[AFTER + OVER // 2] == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(level[AFTER + OVER :], 2, atol=1e-5)


def test_it_does_not_rise_before_it_is_back() -> None:
    slow = Ducking(((Samples(0), Samples(100)),), release=Seconds(10), rise_after=Seconds(2), rate=RATE)
    level = in_decibels(slow.gain(0, 3000))
    assert level[: 100 + 1000].max() <= 1e-6
    assert level[-1] == pytest.approx(2, abs=1e-5)


def test_no_rise_is_a_choice() -> None:
    assert (Ducking(rise=Decibels(0), rate=RATE).gain(0, 100_000) == 1).all()


@given(duckings(), st.lists(st.integers(0, LENGTH), max_size=10))
def test_chunked_is_whole(ducking: Ducking, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), LENGTH]
    parts = [ducking.gain(start, end - start) for start, end in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), ducking.gain(0, LENGTH))


@given(stretches, stretches)
def test_local(speech: tuple[tuple[Samples, Samples], ...], other: tuple[tuple[Samples, Samples], ...]) -> None:
    """Speech that is more than a bridge ahead changes nothing; that of long ago only how far the bed has risen."""
    far = [(Samples(start + 2 * LENGTH), Samples(end + 2 * LENGTH)) for start, end in other]
    long_ago = [(Samples(start - 3 * LENGTH), Samples(end - 3 * LENGTH)) for start, end in other]
    alone = Ducking(speech, rate=RATE).gain(0, LENGTH)
    np.testing.assert_array_equal(alone, Ducking((*speech, *far), rate=RATE).gain(0, LENGTH))
    beside = Ducking((*speech, *long_ago), rate=RATE).gain(0, LENGTH)
    np.testing.assert_array_equal(alone[AFTER + OVER :], beside[AFTER + OVER :])


def test_the_ramps_last_as_long_as_they_say_and_pass_the_middle_half_way() -> None:
    level = Ducking(((Samples(1000), Samples(1400)),), rise=Decibels(0), rate=RATE).gain(0, 2000)
    decibels = in_decibels(level)
    touched = np.flatnonzero(level < 1)
    assert (touched[0], touched[-1]) == (1000 - ATTACK, 1400 + RELEASE - 1)
    assert decibels[1000 - ATTACK // 2 - 1] == pytest.approx(-3, abs=1e-4)
    assert decibels[1400 + RELEASE // 2] == pytest.approx(-3, abs=1e-4)


def test_the_bed_comes_back_within_one_and_a_half_to_three_seconds() -> None:
    assert 1.5 <= Ducking().release <= 3


def test_depth_is_a_choice() -> None:
    spans = ((Samples(100), Samples(200)),)
    deep = Ducking(spans, depth=Decibels(-12), attack=Seconds(1.2), rate=RATE)
    assert deep.gain(150, 1)[0] == pytest.approx(10 ** (-12 / 20))
    still = Ducking(spans, depth=Decibels(0), attack=Seconds(0), rise=Decibels(0), rate=RATE)
    assert (still.gain(0, 4000) == 1).all()


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("depth", 3.0, "depth must be from -30 to 0 dB, not 3; the nearest is 0"),
        ("depth", -31.0, "the nearest is -30"),
        ("depth", math.nan, "not nan"),
        ("attack", -1.0, "the nearest is 0"),
        ("attack", 0.6, "0.6 s is too fast for 8 dB; it falls by at most 20 dB a second; choose at least 0.63 s"),
        ("attack", math.inf, "the nearest is 10"),
        ("release", 0.4, "from 0.5 to 10 s"),
        ("release", 11.0, "the nearest is 10"),
        ("bridge", -0.1, "bridge must be"),
        ("bridge", 61.0, "the nearest is 60"),
        ("rise", -1.0, "rise must be from 0 to 6 dB"),
        ("rise", 7.0, "the nearest is 6"),
        ("rise_after", 1.0, "the nearest is 2"),
        ("rise_over", 1.0, "the nearest is 2"),
        ("rise_over", math.nan, "not nan"),
    ],
)
def test_what_is_out_of_range_is_refused_with_the_nearest_that_is_not(setting: str, value: float, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Ducking(**{setting: value})
    assert says in str(caught.value)


def test_a_release_too_fast_for_its_depth_is_refused_and_the_hint_is_accepted() -> None:
    with pytest.raises(SettingsError, match=r"release 2 s is too fast for 30 dB.*at least 2\.36 s"):
        Ducking(depth=Decibels(-30), attack=Seconds(3), release=Seconds(2))
    Ducking(depth=Decibels(-30), attack=Seconds(3), release=Seconds(2.36))


def test_merged_sorts_joins_and_drops_the_empty() -> None:
    spans = [(30, 40), (0, 10), (9, 12), (15, 20), (50, 50)]
    typed = [(Samples(start), Samples(end)) for start, end in spans]
    assert merged(typed) == ((0, 12), (15, 20), (30, 40))
    assert merged(typed, bridge=3) == ((0, 20), (30, 40))


def test_the_bed_does_not_rise_while_a_breath_is_led() -> None:
    breath = (Samples(20 * RATE), Samples(50 * RATE))
    up, down = 10 ** (levels.RISE / 20), 10 ** (levels.DUCK / 20)
    led = Ducking(led=(breath,), rate=RATE).gain(0, 80 * RATE)
    assert np.allclose(led[20 * RATE : 58 * RATE], 1.0)
    assert led[17 * RATE] == pytest.approx(up, rel=1e-6)
    assert led[70 * RATE] == pytest.approx(up, rel=1e-6)
    assert np.allclose(Ducking(rate=RATE).gain(20 * RATE, 38 * RATE), up)
    spoken = Ducking(speech=((Samples(30 * RATE), Samples(32 * RATE)),), led=(breath,), rate=RATE)
    whole = spoken.gain(0, 80 * RATE)
    assert whole[31 * RATE] == pytest.approx(down, rel=1e-6)
    assert whole.max() == pytest.approx(up, rel=1e-6)
    assert np.array_equal(np.concatenate([spoken.gain(start, 700) for start in range(0, 7000, 700)]), whole[:7000])
