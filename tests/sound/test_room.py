"""A voice in its place: heard from there, as loud as before, and understood in mono."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from metta_audio.errors import SoundError
from metta_audio.sound.loudness import integrated
from metta_audio.sound.room import placed, tail
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Decibels, Hertz, gain

PANS = st.floats(-1, 1)
ROOMS = st.floats(0, 1)
FAR = st.floats(0.01, 1)


def impulse(frames: int = 1, at: int = 0) -> Wave:
    samples = np.zeros(frames)
    samples[at] = 0.5
    return Wave.mono(samples)


def voice(seed: int = 0, seconds: float = 4.0) -> Wave:
    """Noise with the spectrum of speech, in syllables of 0.15 s and words apart."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * RATE)
    noise = rng.standard_normal(frames)
    shaped = sosfilt(butter(2, [120, 500], "bandpass", fs=RATE, output="sos"), noise)
    shaped += 0.15 * sosfilt(butter(2, [500, 4000], "bandpass", fs=RATE, output="sos"), noise)
    syllables = np.clip(np.sin(np.arange(frames) * 2 * np.pi / (0.3 * RATE)), 0, None)
    sound = shaped * syllables
    return Wave.mono(0.5 * sound / np.abs(sound).max())


def power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def in_stereo(wave: Wave) -> np.ndarray:
    return np.repeat(wave.samples, 2, axis=1)


@given(PANS, st.floats(-6, 3))
def test_without_a_room_it_is_the_wave_at_constant_power_to_the_bit(pan: float, level: float) -> None:
    wave = voice(seconds=0.05)
    here = placed(wave, pan=pan, level=Decibels(level))
    assert tail(0) == 0
    left, right = here.samples.T
    assert np.mean(left**2 + right**2) == pytest.approx(2 * gain(level) ** 2 * np.mean(wave.samples**2), rel=1e-4)
    assert (np.mean(right**2) - np.mean(left**2)) * pan >= -1e-12
    mirrored = placed(wave, pan=-pan, level=Decibels(level)).samples
    np.testing.assert_allclose(mirrored[:, ::-1], here.samples, rtol=1e-6, atol=1e-9)
    if not level and not pan:
        assert here.samples.tobytes() == in_stereo(wave).tobytes()


@settings(max_examples=20)
@given(PANS, ROOMS, st.integers(0, 5000))
def test_the_tail_is_known_ahead_and_ends_at_nothing(pan: float, room: float, frames: int) -> None:
    wave = voice(seconds=1)
    here = placed(Wave(wave.samples[:frames]), pan=pan, room=room)
    assert here.samples.shape == (frames + tail(room), 2)
    assert not room or 0.2 * RATE <= tail(room) <= 0.5 * RATE
    if room and frames:
        assert np.abs(here.samples[-RATE // 100 :]).max() < 0.005 * np.abs(here.samples).max()


@settings(max_examples=20)
@given(FAR, st.integers(0, 300))
def test_an_onset_stays_on_its_sample(room: float, at: int) -> None:
    here = placed(impulse(400, at), pan=0.3, room=room).samples
    assert np.abs(here).argmax(axis=0).tolist() == [at, at]
    assert not np.abs(here[:at]).max(initial=0) > 1e-7


@settings(max_examples=15)
@given(PANS, ROOMS, st.integers(0, 3))
def test_loudness_is_kept_whatever_the_room(pan: float, room: float, seed: int) -> None:
    wave = voice(seed)
    before = integrated(in_stereo(wave), RATE)
    assert integrated(placed(wave, pan=pan, room=room).samples, RATE) == pytest.approx(before, abs=0.5)


@settings(max_examples=15)
@given(PANS, ROOMS, st.integers(0, 3))
def test_mono_loses_at_most_three_decibels(pan: float, room: float, seed: int) -> None:
    here = placed(voice(seed), pan=pan, room=room).samples.astype(np.float64)
    together = power(here.mean(axis=1))
    assert 10 * math.log10(power(here) / together) < 3.02


def reflections(pan: float, room: float) -> tuple[np.ndarray, np.ndarray]:
    """The direct sound of an impulse (its first 2 ms, before any reflection), and all that follows it."""
    here = placed(impulse(), pan=pan, room=room).samples.astype(np.float64)
    direct = here.copy()
    direct[round(0.002 * RATE) :] = 0
    return direct, here - direct


def in_band(samples: np.ndarray) -> np.ndarray:
    """Power spectrum between 150 Hz and 4 kHz, falling as speech does."""
    hertz = np.fft.rfftfreq(1 << 16, 1 / RATE)
    inside = (hertz > 150) & (hertz < 4000)
    spectrum = np.abs(np.fft.rfft(samples, 1 << 16, axis=0)) ** 2
    return (spectrum / (1 + (hertz / 500) ** 2)[:, None])[inside]


@settings(max_examples=20)
@given(PANS, FAR)
def test_the_direct_sound_stands_at_least_six_decibels_over_the_room(pan: float, room: float) -> None:
    direct, rest = reflections(pan, room)
    ratio = 10 * math.log10(in_band(direct).sum() / in_band(rest).sum())
    assert ratio >= 6
    assert ratio == pytest.approx(7 - 20 * math.log10(room), abs=0.6)


@settings(max_examples=20)
@given(PANS, FAR)
def test_no_early_reflection_cuts_a_notch_deeper_than_three_decibels(pan: float, room: float) -> None:
    """In either ear or in mono: what of the early sound lies above the diffuse tail, at its worst phase."""
    direct, rest = reflections(pan, room)
    early = rest[: round(0.012 * RATE)]  # before the diffuse sound begins: what is left of one reflection
    for side in ([1, 0], [0, 1], [0.5, 0.5]):
        straight = np.abs(np.fft.rfft(direct @ side, 1 << 14))
        both = np.abs(np.fft.rfft(direct[: len(early)] @ side + early @ side, 1 << 14))
        heard = straight > 1e-6
        assert (20 * np.log10(both[heard] / straight[heard])).min(initial=0) > -3


@pytest.mark.parametrize("room", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("pan", [0.0, 0.3, -0.6])
def test_the_whole_response_is_even_to_the_ear(pan: float, room: float) -> None:
    """Third of an octave by third of an octave, nothing falls 3 dB under the direct sound, or in mono over it."""
    direct, rest = reflections(pan, room)
    for side in ([1, 0], [0, 1], [0.5, 0.5]):
        whole = np.abs(np.fft.rfft((direct + rest) @ side, 1 << 16)) ** 2
        straight = np.abs(np.fft.rfft(direct @ side, 1 << 16)) ** 2
        hertz = np.fft.rfftfreq(1 << 16, 1 / RATE)
        for middle in 1000 * 2 ** (np.arange(-8, 10) / 3):
            band = (hertz > middle * 2 ** (-1 / 6)) & (hertz < middle * 2 ** (1 / 6))
            change = 10 * math.log10(whole[band].sum() / straight[band].sum())
            assert change > -3
            assert change < 3 or side != [0.5, 0.5]  # an ear turned away has mostly the room


def test_further_away_is_softer_duller_and_more_in_the_room() -> None:
    directs, rests, highs = [], [], []
    for room in (0.0, 0.25, 0.5, 1.0):
        direct, rest = reflections(0.0, room)
        spectrum = np.abs(np.fft.rfft(direct[:, 0], 1 << 14))
        directs.append(in_band(direct).sum())
        rests.append(in_band(rest).sum())
        highs.append(spectrum[-1000:].mean() / spectrum[100:400].mean())
    assert directs == sorted(directs, reverse=True)
    assert rests == sorted(rests)
    assert highs == sorted(highs, reverse=True)
    assert -2.5 < 20 * math.log10(highs[-1] / highs[0]) < -1  # duller, and consonants stay clear


def test_the_two_sides_of_the_room_differ() -> None:
    _, rest = reflections(0.0, 1.0)
    assert abs(np.corrcoef(rest.T)[0, 1]) < 0.3
    early = rest[: round(0.012 * RATE)]  # nothing but the first reflections
    assert abs(np.corrcoef(early.T)[0, 1]) < 0.3


@pytest.mark.parametrize("pan", [0.0, 0.5, -1.0])
def test_a_voice_in_the_room_has_the_power_it_had_without(pan: float) -> None:
    near, far = (in_band(placed(impulse(), pan=pan, room=room).samples).sum() for room in (0.0, 1.0))
    assert 10 * math.log10(far / near) == pytest.approx(0, abs=0.1)


def test_the_same_each_time_and_level_only_scales() -> None:
    one, other = (placed(voice(), pan=0.2, room=0.4) for _ in range(2))
    assert one.samples.tobytes() == other.samples.tobytes()
    softer = placed(voice(), pan=0.2, room=0.4, level=Decibels(-6)).samples
    np.testing.assert_allclose(softer, one.samples * gain(-6), atol=1e-6)


@pytest.mark.parametrize("room", [0.0, 0.7])
def test_silence_stays_silence(room: float) -> None:
    assert not placed(Wave.mono(np.zeros(1000)), room=room).samples.any()
    assert placed(Wave.mono(np.zeros(0)), room=room).samples.shape == (tail(room), 2)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ({"pan": 1.1}, "pan must be from -1 to 1, not 1.1; the nearest is 1"),
        ({"room": -0.1}, "room must be from 0 to 1, not -0.1; the nearest is 0"),
        ({"room": math.nan}, "not nan"),
        ({"pan": math.nan}, "not nan"),
        ({"pan": -2, "room": 0.5}, "the nearest is -1"),
    ],
)
def test_no_such_place(place: dict[str, float], says: str) -> None:
    with pytest.raises(SoundError) as caught:
        placed(voice(seconds=0.1), **place)
    assert says in str(caught.value)


def test_only_a_voice_can_be_placed() -> None:
    with pytest.raises(SoundError, match="mono at 44100 Hz"):
        placed(Wave(np.zeros((10, 2), np.float32)))
    with pytest.raises(SoundError, match="mono at 44100 Hz"):
        placed(Wave.mono(np.zeros(10), Hertz(22_050)))
