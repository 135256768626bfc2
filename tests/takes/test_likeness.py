from __future__ import annotations

import numpy as np
import pytest
import soxr
from readings import spoken

from metta_audio.sound.wave import Wave
from metta_audio.takes.likeness import bands, distances, shapes, spectra

LINES = (
    "May I be safe, and may I be at ease in the days to come.",
    "Let the floor carry the weight of your feet for a while.",
    "There may be a sound nearby, or there may be none at all.",
    "You could listen to it as if it had been made for you.",
    "Perhaps you move your fingers, and then you move your toes.",
)
WOMAN = 1.16
"""The warp for eSpeak's third woman."""


def table(sounds, warp=1.0):
    """How far each of ``sounds`` is from each of ``LINES``: rows are sounds."""
    lines, heard = (
        shapes([bands(spectra(spoken(line))) for line in LINES]),
        shapes([bands(spectra(wave), warp) for wave in sounds]),
    )
    return np.stack([distances(line, heard) for line in lines], axis=1)


def test_a_sound_is_at_no_distance_from_itself():
    assert np.diag(table([spoken(line) for line in LINES])) == pytest.approx(np.zeros(len(LINES)), abs=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda wave: Wave.mono(0.01 * wave.samples[:, 0], wave.rate),
        lambda wave: Wave.mono(soxr.resample(wave.samples[:, 0], wave.rate, 48_000), 48_000),
        # A microphone that takes the low: one colour for all.
        lambda wave: Wave.mono(np.diff(wave.samples[:, 0]), wave.rate),
    ],
    ids=["softer", "another sample rate", "another microphone"],
)
def test_what_changes_no_words_changes_little(change):
    apart = table([change(spoken(line)) for line in LINES])
    assert np.diag(apart).max() < 0.1
    assert apart[~np.eye(len(LINES), dtype=bool)].min() > 0.4


@pytest.mark.parametrize("rate", [95.0, 165.0])
def test_another_pace_and_another_voice_are_nearer_than_another_line(rate):
    apart = table([spoken(line, "en-us+f3", rate) for line in LINES], WOMAN)
    assert list(apart.argmin(axis=1)) == list(range(len(LINES)))
    own, others = np.diag(apart), apart[~np.eye(len(LINES), dtype=bool)]
    assert own.max() + 0.05 < others.min()


def test_the_right_warp_brings_another_throat_nearer():
    sounds = [spoken(line, "en-us+f3") for line in LINES]
    assert np.diag(table(sounds, WOMAN)).mean() + 0.03 < np.diag(table(sounds, 0.86)).mean()


def test_half_a_line_and_a_whole_one_are_told_apart():
    whole = spoken(LINES[0])
    half = Wave(whole.samples[: whole.frames // 2], whole.rate)
    apart = table([half, *(spoken(line) for line in LINES[1:])])
    assert apart[0, 0] > 0.4


def test_silence_and_the_shortest_sounds_are_like_nothing():
    quiet = Wave.mono(np.zeros(22_050), 22_050)
    click = Wave.mono(np.ones(3), 22_050)
    apart = table([quiet, click, *(spoken(line) for line in LINES)])
    assert np.isfinite(apart).all()
    assert apart[:2].min() > 0.4
    assert distances(shapes([bands(spectra(quiet))])[0], []).shape == (0,)
