from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import spoken

from metta_audio.rendering.taking import import_takes
from metta_audio.sound.wave import Wave
from metta_audio.takes.check import (
    FLAT_TOPS,
    NOISE,
    QUIET,
    SERIOUS,
    Fault,
    faults,
    flat_tops,
    grouped,
    measure,
    usual_pace,
)
from metta_audio.takes.index import Take

RATE = 44_100


TEXT = "Let the floor carry the weight of your feet for a while."
WORDS, PACE = 12.0, 0.5


def said(text):
    return spoken(text).samples[:, 0].astype(float)


def recorded(level=0.0, room=-80.0, **changes):
    import soxr

    voice = soxr.resample(said(TEXT), 22_050, RATE)
    edge = np.zeros(round(0.25 * RATE))
    samples = np.concatenate([edge, voice, edge]) * 10 ** (level / 20)
    return samples + np.random.default_rng(0).standard_normal(len(samples)) * 10 ** (room / 20)


def kinds(samples, *, spoken=WORDS * PACE, words=WORDS, rate=RATE):
    wave = Wave.mono(samples, rate)
    take = Take("a" * 64, rate, wave.frames, spoken, words, "s", 1)
    return {fault.kind: fault.text for fault in faults(measure(wave, take, PACE), words)}


def test_nothing_is_wrong_with_a_good_take():
    assert kinds(recorded()) == {}


@pytest.mark.parametrize("room", [-50, -40])
def test_noise_is_told_with_its_figure(room):
    text = kinds(recorded(room=room))["noisy"]
    assert f"must be {NOISE:g} dB above the room" in text


@given(st.floats(-90, -30))
@settings(max_examples=15)
def test_the_room_is_measured_beside_the_words(room):
    wave = Wave.mono(recorded(room=room))
    take = Take("a" * 64, RATE, wave.frames, 6.0, WORDS, "s", 1)
    assert measure(wave, take, PACE).room == pytest.approx(room, abs=2)


def test_too_quiet_is_told():
    assert set(kinds(recorded(level=-30, room=-120))) == {"quiet"}
    assert f"must reach {QUIET:g} dBFS" in kinds(recorded(level=-30, room=-120))["quiet"]


@pytest.mark.parametrize("ceiling", [1.0, 0.5, 0.2])
def test_flat_tops_are_found_at_any_height(ceiling):
    samples = recorded()
    loud = samples / np.abs(samples).max() * 2 * ceiling
    assert flat_tops(np.clip(loud, -ceiling, ceiling)) >= FLAT_TOPS
    assert "clipped" in kinds(np.clip(loud, -ceiling, ceiling))
    assert flat_tops(loud / 2) == 0


@given(st.floats(100, 4000), st.floats(0.05, 0.99))
@settings(max_examples=25)
def test_no_steady_tone_is_taken_for_clipped(hertz, amplitude):
    assert flat_tops(amplitude * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)) == 0


@pytest.mark.parametrize(("spoken", "kind"), [(2.0, "short"), (3.8, None), (9.0, None), (14.0, "long")])
def test_a_length_that_is_not_its_words(spoken, kind):
    assert set(kinds(recorded(), spoken=spoken)) == ({kind} if kind else set())


@pytest.mark.parametrize(("spoken", "kind"), [(0.3, "short"), (0.5, None), (2.3, None), (9.0, "long")])
def test_a_few_words_may_be_drawn_out_but_not_for_ever(spoken, kind):
    assert kinds(recorded(), spoken=spoken, words=2.0).keys() & {"short", "long"} == ({kind} if kind else set())


def test_offset_and_dull_rates_are_told():
    assert set(kinds(recorded() + 0.03)) == {"offset"}
    assert "22.05 kHz" in kinds(said(TEXT) + 0, rate=22_050)["dull"]


def test_silence_breaks_nothing():
    assert "quiet" in kinds(np.zeros(RATE))
    assert "quiet" in kinds(np.zeros(3))


def test_pace_is_the_median_of_lines_that_are_long_enough():
    takes = [Take("a" * 64, RATE, 1, seconds, words, "s", 1) for seconds, words in ((5, 10), (6, 10), (30, 10), (9, 1))]
    assert usual_pace(takes) == 0.6
    assert usual_pace([]) == 0


def test_every_line_is_checked(takes, read):
    import_takes(takes, [read(*range(1, 12))])
    (takes.set.folder / takes.set.index().current(takes.lines[4].key).file).unlink()
    checked = takes.check()
    found = {each.line.number: [fault.kind for fault in each.faults] for each in checked}
    assert found[12] == found[14] == ["missing"]
    assert found[5] == ["damaged"]
    assert set(found[1]) <= {"dull"}
    assert [each.figures is None for each in checked] == [number in (5, 12, 13, 14) for number in range(1, 15)]


def test_a_doubtful_take_is_told(takes, read, doubt):
    import_takes(takes, [read(1, 2, 3, 4, 5, 6, 8, 9)])
    doubt(takes, 3)
    doubtful = [each.line.number for each in takes.check() if any(fault.kind == "doubtful" for fault in each.faults)]
    assert doubtful == [3]
    takes.accept(3)
    assert not any(fault.kind == "doubtful" for fault in takes.check()[2].faults)


def noisy(level):
    return Fault("noisy", f"{level:g} dB", "come closer", -level)


def test_faults_come_by_their_kind_the_most_serious_first():
    found = [
        (1, Fault("dull", "22.05 kHz")),
        (2, noisy(30)),
        (2, Fault("doubtful")),
        (3, Fault("missing")),
        (1, noisy(9)),
    ]
    groups = grouped(found)
    assert [(each.title, each.lines) for each in groups] == [
        ("missing", (3,)),
        ("doubtful", (2,)),
        ("noisy", (1, 2)),
        ("dull", (1,)),
    ]
    assert [each.figures for each in groups] == ["", "", "9 dB (line 1), 30 dB (line 2)", "22.05 kHz"]
    assert groups[2].advice == "come closer"


def test_of_many_figures_the_worst_and_the_least_are_shown():
    (group,) = grouped((number, noisy(10 + (number * 7) % 20)) for number in range(1, 21))
    assert group.lines == tuple(range(1, 21))
    assert group.figures == "10 dB (line 20) to 29 dB (line 17)"


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([*SERIOUS, "new"])), unique=True))
def test_no_fault_is_lost_by_grouping(found):
    groups = grouped((number, Fault(kind)) for number, kind in found)
    assert sum(len(group.lines) for group in groups) == len(found)


def test_every_measured_fault_has_its_rank_a_figure_and_advice():
    clipped = np.clip(recorded() * 40, -0.9, 0.9)
    every = [clipped, recorded(room=-40), recorded(level=-30, room=-120), recorded() + 0.03]
    for samples in every:
        wave = Wave.mono(samples, RATE)
        for fault in faults(measure(wave, Take("a" * 64, RATE, wave.frames, 1.0, WORDS, "s", 1), PACE), WORDS):
            assert fault.kind in SERIOUS
            assert fault.figure[0] in "-0123456789"
            assert fault.advice


def test_advice_names_commands_about_these_lines(takes, read, doubt):
    import_takes(takes, [read(1, 2, 3, 4, 5, 6, 8, 9)])
    doubt(takes, 3)
    checked = takes.check()
    advice = list(replace(takes, asked=("visit.md", "--minutes", "3"), name="mine").advice(checked))
    assert advice == [
        "a sheet of what is missing: metta takes sheet visit.md --missing --minutes 3",
        "a doubtful take that is right: metta takes accept visit.md 3 --minutes 3",
        "a line recorded again: metta takes import visit.md recording.wav --line 3 --minutes 3",
    ]
