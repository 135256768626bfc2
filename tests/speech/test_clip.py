from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.sound import levels
from metta_audio.sound.chain import PLAIN, Chain
from metta_audio.sound.loudness import integrated
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.clip import LEAD, TAIL, make_clip
from metta_audio.speech.voice import Speech, Word
from metta_audio.units import RATE

SHAPING = Chain(80, 6.0, 1.5)
ENGINE_RATES = (8_000, 22_050, 24_000, 44_100, 48_000)


def bursts(rate, starts, length=0.3, pitch=300, total=None, amplitude=0.2, dc=0.0):
    """Tone bursts at ``starts`` seconds, as speech with a word at each."""
    samples = np.full(round((total or starts[-1] + length + 0.3) * rate), dc)
    for start in starts:
        count = round(length * rate)
        first = round(start * rate)
        attack = np.clip(np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.005 * rate), 0, 1)
        samples[first : first + count] += amplitude * attack * np.sin(np.arange(count) * 2 * np.pi * pitch / rate)
    words = tuple(Word(2 * at, 2 * at + 1, round(start * rate)) for at, start in enumerate(starts))
    return Speech(Wave.mono(samples, rate), words)


def in_stereo(clip):
    return np.pad(np.repeat(clip.wave.samples, 2, axis=1), ((RATE, RATE), (0, 0)))


@settings(max_examples=25)
@given(st.sampled_from(ENGINE_RATES), st.floats(0.02, 0.6), st.floats(0.35, 0.5), st.floats(0.15, 1))
def test_words_begin_where_their_sound_does(rate, before, step, after):
    starts = [before + number * step for number in range(3)]
    clip = make_clip(bursts(rate, starts, length=0.3, total=starts[-1] + 0.3 + after))
    assert clip.wave.rate == RATE
    lead = min(LEAD, before)
    assert clip.wave.seconds == pytest.approx(lead + 2 * step + 0.3 + TAIL, abs=0.005)
    onsets = [word.onset / RATE for word in clip.words]
    assert onsets == pytest.approx([lead + number * step for number in range(3)], abs=0.003)
    ((start, _),) = stretches(clip.wave)
    assert start == pytest.approx(clip.words[0].onset, abs=0.003 * RATE)


@settings(max_examples=25)
@given(st.floats(0.001, 0.9), st.floats(0.15, 3.0), st.sampled_from([150, 400, 2_000]))
def test_every_clip_has_the_one_loudness_in_stereo(amplitude, length, pitch):
    clip = make_clip(bursts(22_050, [0.1], length=length, amplitude=amplitude, pitch=pitch))
    assert integrated(in_stereo(clip), RATE) == pytest.approx(levels.SPEECH, abs=0.1)


def test_peaks_are_held_and_loudness_barely_moves():
    rng = np.random.default_rng(2)
    samples = 0.05 * rng.normal(size=44_100)
    samples[5_000::9_000] += 0.9
    clip = make_clip(Speech(Wave.mono(samples, 22_050)))
    assert np.abs(clip.wave.samples).max() <= 10 ** (-3 / 20) + 1e-6
    assert integrated(in_stereo(clip), RATE) == pytest.approx(levels.SPEECH, abs=0.5)


def test_a_limited_peak_keeps_its_shape():
    hum = 0.05 * np.sin(np.arange(22_050) * 2 * np.pi * 200 / 22_050)
    bump = np.hanning(220)
    peaked = hum.copy()
    peaked[11_000:11_220] += 1.0 * bump
    wave = make_clip(Speech(Wave.mono(peaked, 22_050))).wave.samples[:, 0]
    top = int(np.argmax(wave))
    assert wave[top] <= 10 ** (-3 / 20) + 1e-6
    # A clipped peak is flat; a limited one still falls away on both sides.
    assert np.count_nonzero(wave > 0.995 * wave[top]) < 40


def test_what_needs_no_limiting_is_only_scaled():
    quiet, loud = (make_clip(bursts(44_100, [0.1], amplitude=amplitude)).wave.samples for amplitude in (0.1, 0.3))
    assert np.abs(quiet - loud).max() < 1e-6


def test_offset_and_rumble_are_gone():
    speech = bursts(22_050, [0.2], dc=0.05)
    rumble = 0.1 * np.sin(np.arange(speech.wave.frames) * 2 * np.pi * 8 / 22_050)
    clip = make_clip(Speech(Wave.mono(speech.wave.samples[:, 0] + rumble, 22_050), speech.words))
    spectrum = np.abs(np.fft.rfft(clip.wave.samples[:, 0], 4 * RATE))
    assert spectrum[: 4 * 20].max() < 0.03 * spectrum.max()


def test_both_edges_begin_and_end_at_nothing():
    tone = np.sin(np.arange(22_050) * 2 * np.pi * 200 / 22_050)
    samples = make_clip(Speech(Wave.mono(0.5 * tone, 22_050))).wave.samples[:, 0]
    assert abs(samples[0]) < 0.001
    assert abs(samples[-1]) < 0.001
    assert np.abs(np.diff(samples))[:200].max() < 0.05


@given(st.integers(1, 60_000), st.sampled_from([22_050, 44_100]))
def test_silence_keeps_its_length_and_its_words(frames, rate):
    words = (Word(0, 1, 0), Word(2, 3, frames // 2))
    clip = make_clip(Speech(Wave.mono(np.zeros(frames), rate), words))
    assert clip.wave.frames == frames * RATE // rate
    assert not clip.wave.samples.any()
    assert [word.onset for word in clip.words] == [0, (frames // 2) * RATE // rate]


def test_a_clip_lies_on_the_24_bit_grid_and_comes_out_the_same_each_time():
    speech = bursts(22_050, [0.1, 0.6])
    one, other = make_clip(speech), make_clip(speech)
    steps = one.wave.samples.astype(np.float64) * (1 << 23)
    assert np.array_equal(steps, np.round(steps))
    assert one.wave.samples.tobytes() == other.wave.samples.tobytes()
    assert one.words == other.words


def test_no_word_lies_outside_its_clip():
    speech = bursts(22_050, [0.3])
    late = (Word(0, 1, 0), Word(2, 3, 100), Word(4, 5, speech.wave.frames - 1))
    clip = make_clip(Speech(speech.wave, late))
    assert all(0 <= word.onset < clip.wave.frames for word in clip.words)


@settings(max_examples=15)
@given(st.sampled_from(ENGINE_RATES), st.integers(1, 20_000), st.integers(0, 9))
def test_full_scale_noise_never_clips_behind_any_chain(rate, frames, seed):
    noise = np.random.default_rng(seed).choice([-1.0, 1.0], frames)
    samples = make_clip(Speech(Wave.mono(noise, rate)), SHAPING).wave.samples
    assert np.isfinite(samples).all()
    assert np.abs(samples).max(initial=0) <= 10 ** (-3 / 20) + 1e-6


@settings(max_examples=15)
@given(st.sampled_from(ENGINE_RATES), st.floats(0.02, 0.6), st.floats(0.35, 0.5))
def test_a_chain_moves_no_word_and_changes_no_length_nor_loudness(rate, before, step):
    speech = bursts(rate, [before + number * step for number in range(3)])
    plain, shaped = make_clip(speech), make_clip(speech, SHAPING)
    assert (plain.words, plain.wave.frames) == (shaped.words, shaped.wave.frames)
    assert integrated(in_stereo(shaped), RATE) == pytest.approx(levels.SPEECH, abs=0.1)
    assert np.abs(stretches(plain.wave)[0][0] - stretches(shaped.wave)[0][0]) <= 0.003 * RATE


def test_without_a_chain_nothing_is_shaped():
    speech = bursts(22_050, [0.1, 0.6])
    assert make_clip(speech).wave.samples.tobytes() == make_clip(speech, PLAIN).wave.samples.tobytes()
    assert make_clip(speech).wave.samples.tobytes() != make_clip(speech, SHAPING).wave.samples.tobytes()
