"""What leads a breath turns where the plan says, to be measured in the sound itself."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.errors import Place, SoundError
from metta_audio.script.model import BREATH_SOUNDS, Breath
from metta_audio.sound.breath import BedSwell, Swell, open_breath
from metta_audio.sound.levels import BREATH, STEEPEST
from metta_audio.sound.loudness import loudest
from metta_audio.sound.stream import CHUNK
from metta_audio.timeline.breath import counts, length, phases
from metta_audio.units import RATE, Samples, Seconds, to_samples

PATTERNS = {
    "4-4-6": (4.0, 4.0, 6.0, 0.0),
    "box": (4.0, 4.0, 4.0, 4.0),
    "5.5-5.5": (5.5, 0.0, 5.5, 0.0),
    "4-7-8": (4.0, 7.0, 8.0, 0.0),
}
LEAD, TAIL = Samples(3 * RATE), to_samples(1.5)


def breath(pattern: tuple[float, ...], cycles: int = 2, sip: float = 0.0) -> Breath:
    a, b, c, d = (Seconds(phase) for phase in pattern)
    return Breath((a, b, c, d), cycles, Place("test.md", 1), sip=Seconds(sip))


SIGH = breath((2.5, 0.0, 4.0, 0.0), 2, sip=0.5)


def heard(cue: Breath, sound: str, lead: int = 0, tail: int = 0, after: int = RATE) -> np.ndarray:
    """All of it, and ``after`` samples more."""
    return open_breath(cue, sound, lead=lead, tail=tail).read(0, lead + length(cue) + tail + after)


def rms(samples: np.ndarray, seconds: float = 0.1) -> np.ndarray:
    """Over windows of that length."""
    step = to_samples(seconds)
    return np.sqrt(np.square(samples[: len(samples) // step * step], dtype=np.float64).reshape(-1, 2 * step).mean(1))


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


@pytest.mark.parametrize("led", ["tone", "noise"])
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_the_sound_bends_where_the_plan_says(pattern: tuple[float, ...], led: str) -> None:
    cue = breath(pattern, 3)
    silence = np.zeros((RATE, 2), np.float32)
    sound = np.concatenate([silence, heard(cue, led)])
    planned = [0.0, *(phase.end / RATE for phase in phases(cue))]
    if pattern[3]:
        planned = planned[:-1]  # the last rest goes over into silence without a corner
    assert [corner - 1 for corner in corners(sound)] == pytest.approx(planned, abs=0.010)


@pytest.mark.parametrize("led", ["tone", "noise"])
def test_a_preparation_and_a_tail_move_no_corner(led: str) -> None:
    cue = breath(PATTERNS["4-4-6"], 2)
    sound = heard(cue, led, LEAD, TAIL)
    turn = to_samples(0.2)
    assert not sound[LEAD - turn : LEAD].any()
    still = np.zeros((RATE - turn, 2), np.float32)
    found = corners(np.concatenate([still, sound[LEAD - turn : LEAD + length(cue)]]))
    assert [corner - 1 for corner in found] == pytest.approx([phase.start / RATE for phase in phases(cue)], abs=0.010)
    # Where the last breath out ends there is no corner any more: it goes on as it came.
    slopes = np.diff(rms(sound[LEAD + length(cue) - RATE // 2 :][:RATE], 0.1))
    assert slopes[4:6] == pytest.approx(slopes[1:3].mean(), rel=0.4)


@pytest.mark.parametrize("led", ["tone", "noise"])
def test_the_preparation_is_a_soft_breath_out(led: str) -> None:
    sound = heard(breath(PATTERNS["4-4-6"]), led, LEAD)
    strength = rms(sound)
    whole = strength.max()
    lead = strength[:30]
    assert 0.4 * whole < lead.max() < 0.6 * whole
    assert lead.argmax() < 12
    assert np.all(np.diff(lead[10:27]) < 0.02 * whole)  # falling
    assert not sound[LEAD - to_samples(0.25) : LEAD].any()
    assert np.array_equal(sound[LEAD : LEAD + RATE], heard(breath(PATTERNS["4-4-6"]), led, LEAD)[LEAD : LEAD + RATE])
    # Less than a second is no preparation, but the breath still begins where it should.
    short = heard(breath(PATTERNS["4-4-6"]), led, RATE - 1)
    assert not short[: RATE - 1].any()
    assert short[RATE : 2 * RATE].any()


@pytest.mark.parametrize("led", ["tone", "noise"])
@pytest.mark.parametrize("cue", [breath(PATTERNS["4-4-6"]), breath(PATTERNS["box"]), SIGH], ids=["446", "box", "sigh"])
def test_the_last_breath_dies_away_in_its_tail(cue: Breath, led: str) -> None:
    plain, tailed = heard(cue, led), heard(cue, led, tail=TAIL)
    last = [phase for phase in phases(cue) if phase.name == "out"][-1]
    assert np.array_equal(plain[: last.start], tailed[: last.start])
    strength = rms(tailed) / rms(tailed).max()
    end = last.end // to_samples(0.1)
    assert 0.07 < strength[end - 1 : end + 1].mean() < 0.13
    assert np.all(np.diff(strength[end - 20 : end + 16]) < 0.01)  # it only falls
    assert 0 < strength[end + 10] < 0.03
    assert not tailed[last.end + TAIL :].any()


@pytest.mark.parametrize("led", ["tone", "noise"])
def test_a_sip_climbs_steeper_than_the_breath_it_sits_on(led: str) -> None:
    strength = rms(heard(SIGH, led), 0.05)
    strength /= strength[48:51].max()
    seconds = (np.arange(len(strength)) + 0.5) * 0.05
    first, sip = slice(4, 38), slice(41, 49)
    slopes = [np.polyfit(seconds[part], strength[part], 1) for part in (first, sip)]
    assert slopes[0][0] == pytest.approx(0.35, abs=0.04)
    assert slopes[1][0] == pytest.approx(0.6, abs=0.1)
    assert (slopes[1][1] - slopes[0][1]) / (slopes[0][0] - slopes[1][0]) == pytest.approx(2.0, abs=0.1)


def test_air_brightens_in_and_darkens_out_and_is_still_between() -> None:
    cue = breath(PATTERNS["box"], 1)
    sound = heard(cue, "noise")

    def centre(second: float) -> float:
        """Of its spectrum, in Hz, over half a second."""
        part = sound[to_samples(second - 0.25) : to_samples(second + 0.25), 0] * np.hanning(RATE // 2)
        power = np.abs(np.fft.rfft(part)) ** 2
        return float((power * np.fft.rfftfreq(RATE // 2, 1 / RATE)).sum() / power.sum())

    assert centre(0.6) < 0.75 * centre(2.0) < 0.75 * centre(3.7)
    assert centre(8.3) > centre(10.0) / 0.75 * 0.9 > centre(11.4)
    assert centre(5.0) == pytest.approx(centre(7.0), rel=0.1)
    # A hold is as still as a tone; a rest is nothing at all.
    hold = rms(sound[to_samples(4.05) : to_samples(7.95)], 0.05)
    assert hold.std() / hold.mean() < 0.02
    assert not sound[to_samples(12) :].any()


def test_air_is_wide_and_survives_mono() -> None:
    sound = heard(breath(PATTERNS["4-4-6"]), "noise").astype(np.float64)
    assert 0.2 < np.corrcoef(sound.T)[0, 1] < 0.8
    assert 10 * np.log10(np.mean(np.square(sound.mean(axis=1))) / np.mean(np.square(sound))) > -2
    power = np.abs(np.fft.rfft(sound[:, 0])) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert power[(hertz > 150) & (hertz < 5500)].sum() / power.sum() > 0.99


def onsets(sound: np.ndarray) -> list[float]:
    """Seconds where something begins after silence, or rises above what dies away."""
    level = np.abs(sound[:, 0]).astype(np.float64)
    step = RATE // 1000
    peaks = level[: len(level) // step * step].reshape(-1, step).max(axis=1)
    quiet = np.array([peaks[max(0, index - 60) : index].max(initial=0.0) for index in range(len(peaks))])
    starts = np.flatnonzero((peaks > 2 * quiet) & (peaks > 0.02 * peaks.max()))
    return [
        float(start) * step / RATE
        for start, before in zip(starts, [-1000, *starts], strict=False)
        if start - before > 60
    ]


@pytest.mark.parametrize("cue", [*map(breath, PATTERNS.values()), SIGH], ids=[*PATTERNS, "sigh"])
def test_ticks_begin_on_every_turn_and_second(cue: Breath) -> None:
    found = onsets(heard(cue, "tick"))
    planned = [count.start / RATE for count in counts(cue)]
    assert found == pytest.approx(planned, abs=0.010)


def test_a_tick_begins_within_milliseconds_but_from_nothing() -> None:
    sound = heard(breath(PATTERNS["box"], 1), "tick", LEAD)
    for second in (-3, 0, 1, 4, 8, 12):
        tick = np.abs(sound[LEAD + to_samples(second) :][: RATE // 2, 0])
        assert tick[0] == 0
        assert tick[: to_samples(0.0005)].max() < 0.05 * tick.max()
        assert tick[: to_samples(0.010)].max() > 0.8 * tick.max()


def test_ticks_tell_the_phases_apart() -> None:
    cue = breath(PATTERNS["box"], 1)
    sound = heard(cue, "tick", LEAD)

    def pitch(second: float) -> float:
        part = sound[LEAD + to_samples(second) :][: RATE // 25, 0].astype(np.float64)
        return float(np.abs(np.fft.rfft(part * np.hanning(len(part)), RATE // 2))[100:400].argmax() + 100) * 2

    begin, end = 0.005, 0.2
    assert pitch(0 + end) > pitch(0 + begin) + 50  # in: up
    assert pitch(4 + end) == pytest.approx(pitch(4 + begin), abs=12)  # hold: level
    assert pitch(8 + end) < pitch(8 + begin) - 50  # out: down
    assert pitch(12 + begin) < 0.7 * min(pitch(4 + begin), pitch(0 + begin)) + 60  # rest: low
    assert pitch(12 + end) == pytest.approx(pitch(12 + begin), abs=12)
    # The seconds in between are softer, the preparation too, and it goes down.
    turn, second, lead = (np.abs(sound[at : at + RATE // 2]).max() for at in (LEAD, LEAD + RATE, 0))
    assert second < 0.5 * turn
    assert 0.4 * turn < lead < 0.6 * turn
    assert pitch(-3 + end) < pitch(-3 + begin) - 50


@pytest.mark.parametrize("sound", ["tone", "noise", "tick"])
@pytest.mark.parametrize("cue", [*map(breath, PATTERNS.values()), SIGH], ids=[*PATTERNS, "sigh"])
def test_all_that_leads_is_as_loud(cue: Breath, sound: str) -> None:
    assert loudest(heard(cue, sound, LEAD, TAIL), RATE) == pytest.approx(BREATH, abs=0.3)


@pytest.mark.parametrize("sound", BREATH_SOUNDS)
@pytest.mark.parametrize("tail", [0, TAIL])
def test_after_it_there_is_silence(sound: str, tail: int) -> None:
    for cue in (breath(PATTERNS["box"]), breath((0.3, 0.1, 0.3, 0.1), 3), SIGH):
        source = open_breath(cue, sound, lead=LEAD, tail=tail)
        end = LEAD + length(cue) + tail
        assert not source.read(end, 2 * RATE).any()
        assert not source.read(end + 100 * RATE, 100).any()
        assert source.read(0, end).any() == (sound in ("tone", "noise", "tick"))


def test_an_unknown_sound_has_a_suggestion() -> None:
    with pytest.raises(SoundError, match='did you mean "tick"'):
        open_breath(SIGH, "tik")


@pytest.mark.parametrize("sound", ["noise", "tick"])
def test_nothing_clicks(sound: str) -> None:
    """No sample bends away from its neighbours more than what sounds there can."""
    for cue in (breath(PATTERNS["box"]), SIGH, breath((1.3337, 0.11113, 1.7771, 0.33331), 4)):
        samples = heard(cue, sound, LEAD, TAIL).astype(np.float64)
        highest = 5500.0 if sound == "noise" else 3 * 700.0
        assert np.abs(np.diff(samples, 2, axis=0)).max() < np.abs(samples).max() * (2 * np.pi * highest / RATE) ** 2
        assert abs(samples[0]).max() == 0


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


@pytest.mark.parametrize("sound", ["tone", "noise", "tick"])
@settings(max_examples=15)
@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=8), st.integers(0, 5 * RATE))
def test_however_it_is_cut_it_is_the_same(sound: str, cuts: list[int], begin: int) -> None:
    whole = open_breath(breath(PATTERNS["4-4-6"]), sound, lead=LEAD, tail=TAIL).read(begin, sum(cuts))
    reader, position, parts = open_breath(breath(PATTERNS["4-4-6"]), sound, lead=LEAD, tail=TAIL), begin, []
    for cut in cuts:
        parts.append(reader.read(position, cut))
        position += cut
    assert np.array_equal(np.concatenate(parts), whole)


SWELL = BedSwell(
    (
        (Samples(10 * RATE), breath(PATTERNS["box"], 2)),
        (Samples(43 * RATE), breath(PATTERNS["4-4-6"], 1)),
        (Samples(57 * RATE), SIGH),
    )
)


def swing(swell: BedSwell, seconds: float) -> np.ndarray:
    """dB at every 10 ms."""
    return 20 * np.log10(swell.gain(0, to_samples(seconds))[:: RATE // 100].astype(np.float64))


def test_the_bed_follows_the_breath_within_its_bounds() -> None:
    level = swing(SWELL, 80)

    def at(second: float) -> float:
        return float(level[round(second * 100)])

    assert at(5) == 0
    assert at(10) == pytest.approx(-9, abs=0.02)
    assert (at(14), at(16), at(18)) == pytest.approx((3, 3, 3), abs=0.02)  # hold
    assert at(12) == at(20) == pytest.approx(-3, abs=0.02)  # half in, half out
    assert (at(22), at(24), at(26)) == pytest.approx((-9, -9, -9), abs=0.02)  # rest
    assert at(42.5) == pytest.approx(-9, abs=0.6)  # too little room to come back
    assert at(57) == pytest.approx(-9, abs=0.02)
    assert at(59) == pytest.approx(-9 + 0.7 * 12, abs=0.02)
    assert at(59.5) == pytest.approx(3, abs=0.02)
    assert at(75) == 0
    assert level.min() >= -9.001
    assert level.max() <= 3.001
    assert np.abs(np.diff(level)).max() * 100 <= STEEPEST
    # Back to nothing without a corner.
    assert np.abs(np.diff(level[7000:], 2)).max() < 0.01


def test_breaths_too_quick_for_the_bed_make_it_flatter() -> None:
    level = swing(BedSwell(((Samples(5 * RATE), breath((0.2, 0.1, 0.2, 0.1), 10)),)), 20)
    assert np.abs(np.diff(level)).max() * 100 <= STEEPEST + 0.1
    assert -9 < level.min() < -2
    assert 0.5 < level.max() < 3


def test_without_a_breath_the_bed_stays() -> None:
    assert np.all(BedSwell().gain(12345, RATE) == 1)
    assert BedSwell().gain(0, 100).dtype == np.float32


@settings(max_examples=30)
@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=8), st.integers(0, 70 * RATE))
def test_the_beds_gain_is_the_same_however_it_is_cut(cuts: list[int], begin: int) -> None:
    whole, position, parts = SWELL.gain(begin, sum(cuts)), begin, []
    for cut in cuts:
        parts.append(dataclasses.replace(SWELL).gain(position, cut))
        position += cut
    assert np.array_equal(np.concatenate(parts), whole)
