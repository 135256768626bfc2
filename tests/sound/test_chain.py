"""A voice after its chain: where it was, as clear as it was, and never louder than it may be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

from metta_audio.errors import SoundError
from metta_audio.sound.chain import MILD, PLAIN, Chain, applied
from metta_audio.units import Decibels, Hertz

RATES = st.sampled_from([8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
FULL = Chain(Hertz(80), Decibels(6.0), Decibels(1.5))

chains = st.builds(
    Chain,
    high_pass=st.one_of(st.just(Hertz(0)), st.integers(20, 120).map(Hertz)),
    de_ess=st.floats(0, 6).map(Decibels),
    warmth=st.floats(0, 1.5).map(Decibels),
)


def sine(hertz: float, rate: int, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def level(samples: np.ndarray) -> float:
    """RMS of the middle in dB: the ends ring."""
    quarter = len(samples) // 4
    return 10 * math.log10(np.mean(np.square(samples[quarter:-quarter])) + 1e-30)


def change(hertz: float, rate: int, chain: Chain) -> float:
    sound = sine(hertz, rate)
    return level(applied(sound, rate, chain)) - level(sound)


@given(st.integers(1, 3000), RATES, st.integers(0, 9))
def test_plain_is_identity_to_the_bit(frames: int, rate: int, seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, frames)
    assert applied(noise, rate, PLAIN).tobytes() == noise.tobytes()


@settings(max_examples=50)
@given(chains, RATES)
def test_the_middle_of_speech_stays_as_loud_as_it_was(chain: Chain, rate: int) -> None:
    assert change(1000, rate, chain) == pytest.approx(0, abs=0.1)


@settings(max_examples=50)
@given(chains, RATES, st.integers(1, 5000), st.integers(0, 9))
def test_length_and_input_are_kept_and_it_is_the_same_each_time(
    chain: Chain, rate: int, frames: int, seed: int
) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, frames)
    before = noise.tobytes()
    shaped = applied(noise, rate, chain)
    assert shaped.shape == (frames,)
    assert shaped.dtype == np.float64
    assert np.isfinite(shaped).all()
    assert noise.tobytes() == before
    assert shaped.tobytes() == applied(noise, rate, chain).tobytes()


@settings(max_examples=50)
@given(chains, RATES, st.integers(0, 9))
def test_full_scale_noise_grows_by_no_more_than_the_warmth(chain: Chain, rate: int, seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, 20_000)
    shaped = applied(noise, rate, chain)
    # Within the rounding of 32 bits.
    assert np.sum(shaped**2) <= np.sum(noise**2) * 10 ** (chain.warmth / 10) * (1 + 1e-6)
    assert np.abs(shaped).max() < 10 ** (6 / 20)  # a filter's overshoot; levelling comes after


@settings(max_examples=50)
@given(chains, RATES, st.integers(200, 3000))
def test_an_onset_stays_on_its_sample(chain: Chain, rate: int, at: int) -> None:
    click = np.zeros(4000)
    click[at] = 1.0
    shaped = np.abs(applied(click, rate, chain))
    assert shaped.argmax() == at
    # As much before as after: nothing is delayed.
    reach = min(at, len(click) - 1 - at)
    around = np.arange(1, reach)
    assert np.abs(shaped[at - around] - shaped[at + around]).max() < 0.02


@settings(max_examples=30)
@given(RATES, st.floats(0.05, 0.5))
def test_a_voice_begins_when_it_began(rate: int, start: float) -> None:
    begin = round(start * rate)
    sound = np.zeros(rate)
    sound[begin:] = sine(180, rate)[: rate - begin]
    shaped = applied(sound, rate, FULL)
    assert np.abs(shaped[: max(0, begin - rate // 50)]).max(initial=0) < 0.02 * np.abs(shaped).max()
    correlation = correlate(shaped, sound, "full", "fft")
    assert abs(int(correlation.argmax()) - (len(sound) - 1)) <= 1


@settings(max_examples=20)
@given(st.integers(20, 120), RATES)
def test_the_end_of_a_clip_does_not_reach_its_beginning(turn: int, rate: int) -> None:
    """The filters ring into silence, never round the corner."""
    sound = np.zeros(8192)  # as long as an FFT
    sound[-1] = 1.0
    shaped = applied(sound, rate, Chain(Hertz(turn), warmth=Decibels(1.5)))
    assert np.abs(shaped[:100]).max() < 1e-3 * np.abs(shaped).max()


@given(chains, RATES, st.integers(1, 3000))
def test_silence_stays_silence(chain: Chain, rate: int, frames: int) -> None:
    assert not applied(np.zeros(frames), rate, chain).any()


@settings(max_examples=20)
@given(st.integers(20, 120), RATES)
def test_a_high_pass_takes_dc_and_half_of_what_lies_at_its_turn(turn: int, rate: int) -> None:
    chain = Chain(Hertz(turn))
    assert abs(applied(sine(300, rate) + 0.1, rate, chain)[rate // 4 : -rate // 4].mean()) < 1e-4
    # Twice over a clean octave down it is out of the way, an octave up it is as good as gone.
    assert change(turn, rate, chain) == pytest.approx(-6, abs=0.3)
    assert change(turn / 2, rate, chain) < -15
    assert change(turn * 3, rate, chain) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_warmth_lifts_the_chest_and_lowers_the_edge_by_as_much(rate: int) -> None:
    warm = Chain(warmth=Decibels(1.5))
    assert change(120, rate, warm) == pytest.approx(1.5, abs=0.1)
    assert change(9000, rate, warm) == pytest.approx(-1.5, abs=0.1)
    at = [change(hertz, rate, warm) for hertz in (100, 200, 400, 800, 1600, 3200, 6400, 10_000)]
    assert at == sorted(at, reverse=True)
    assert max(map(abs, at)) <= 1.5


def hiss(rate: int, seconds: float, seed: int = 1) -> np.ndarray:
    """Noise from 5 to 8 kHz, RMS 1."""
    frames = round(seconds * rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(frames))
    hertz = np.fft.rfftfreq(frames, 1 / rate)
    spectrum[(hertz < 5000) | (hertz > 8000)] = 0
    noise = np.fft.irfft(spectrum, frames)
    return noise / np.sqrt(np.mean(noise**2))


def vowel_s_vowel(rate: int, loud: float) -> tuple[np.ndarray, slice]:
    """A vowel with an s in its middle, ``loud`` times as strong, and where the s is."""
    sound = sum(sine(160 * harmonic, rate, 1.2, 0.3 / harmonic) for harmonic in range(1, 20))
    middle = slice(round(0.5 * rate), round(0.7 * rate))
    sound[middle] = 0.3 * loud * hiss(rate, 0.2)[: middle.stop - middle.start]
    return sound, middle


@pytest.mark.parametrize("rate", [22_050, 44_100])
@pytest.mark.parametrize("most", [1.0, 3.0, 6.0])
def test_an_s_is_lowered_by_what_was_asked_and_the_vowel_is_not(rate: int, most: float) -> None:
    sound, where = vowel_s_vowel(rate, loud=0.5)
    shaped = applied(sound, rate, Chain(de_ess=Decibels(most)))
    assert level(shaped[where]) - level(sound[where]) == pytest.approx(-most, abs=0.35)
    vowel = slice(0, round(0.46 * rate))
    assert np.abs(shaped[vowel] - sound[vowel]).max() < 0.002 * np.abs(sound).max()


def test_a_soft_f_is_left_whole() -> None:
    sound, where = vowel_s_vowel(22_050, loud=0.01)
    shaped = applied(sound, 22_050, Chain(de_ess=Decibels(6)))
    inside = slice(where.start + 600, where.stop - 600)  # the vowel is cut off, which clicks
    assert np.abs(shaped - sound)[inside].max() < 0.01 * np.abs(sound[inside]).max()


def test_at_a_rate_without_hiss_there_is_none_to_lower() -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 8000)
    np.testing.assert_allclose(applied(noise, 8000, Chain(de_ess=Decibels(6))), noise, atol=1e-6)


def test_the_de_esser_glides_and_does_not_pump() -> None:
    """A vowel comes and goes over a steady whistle: its gain follows without a step, and only as far as it may."""
    rate, whistle = 22_050, 6500
    time = np.arange(2 * rate) / rate
    vowel = sum(sine(160 * harmonic, rate, 2.0, 0.3 / harmonic) for harmonic in range(1, 20))
    sound = vowel * (0.5 + 0.5 * np.tanh(50 * np.sin(2 * np.pi * 2 * time))) + 0.1 * sine(whistle, rate, 2.0, 1.0)
    shaped = applied(sound, rate, Chain(de_ess=Decibels(6)))
    hop = rate // 500
    beat = np.exp(-2j * np.pi * whistle * time)
    both = [np.abs(np.convolve(each * beat, np.hanning(4 * hop), "same"))[::hop] for each in (shaped, sound)]
    gains = 20 * np.log10(both[0] / both[1])[10:-10]
    assert gains.min() == pytest.approx(-6, abs=0.3)
    assert gains.max() == pytest.approx(0, abs=0.1)
    assert np.abs(np.diff(gains)).max() < 2 * 0.6  # decibels in 2 ms
    turns = np.count_nonzero(np.diff(np.sign(gains + 3)))
    assert turns == 8 - 1  # once for each coming and going, and never in between


@settings(max_examples=20)
@given(st.floats(1e-4, 1e3))
def test_how_loud_a_voice_comes_makes_no_difference(factor: float) -> None:
    sound, _ = vowel_s_vowel(22_050, loud=0.5)
    np.testing.assert_allclose(applied(sound * factor, 22_050, FULL) / factor, applied(sound, 22_050, FULL), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"high_pass": 19}, "high-pass must be from 20 to 120 Hz, or 0 for none, not 19; the nearest is 20"),
        ({"high_pass": 200}, "the nearest is 120"),
        ({"de_ess": -1.0}, "de-esser must be from 0 to 6 dB, not -1; the nearest is 0"),
        ({"de_ess": 7.0}, "the nearest is 6"),
        ({"warmth": 2.0}, "warmth must be from 0 to 1.5 dB, not 2; the nearest is 1.5"),
        ({"warmth": math.nan}, "not nan"),
        ({"high_pass": math.nan}, "not nan"),
    ],
)
def test_what_would_no_longer_be_gentle_is_refused(settings: dict[str, float], says: str) -> None:
    with pytest.raises(SoundError) as caught:
        Chain(**settings)
    assert says in str(caught.value)


def test_the_default_for_a_stranger_is_mild() -> None:
    noise = np.random.default_rng(0).standard_normal(22_050)
    change = 20 * np.log10(np.abs(np.fft.rfft(applied(noise, 22_050, MILD))) / np.abs(np.fft.rfft(noise)))
    hertz = np.fft.rfftfreq(22_050, 1 / 22_050)
    smooth = np.convolve(change, np.ones(50) / 50, "same")
    assert np.abs(smooth[(hertz > 120) & (hertz < 10_500)]).max() < 3
