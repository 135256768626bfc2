from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metta_audio.sound.wave import Wave
from metta_audio.takes.envelope import envelope, levels
from metta_audio.takes.recording import Recording
from metta_audio.takes.split import pieces


@settings(max_examples=20)
@given(st.sampled_from([16_000, 22_050, 44_100, 48_000]), st.lists(st.integers(1, 3_000), max_size=12))
def test_blocks_change_nothing(rate, cuts):
    samples = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    blocks = np.split(samples, np.minimum(np.cumsum(cuts), len(samples)).astype(int)) if cuts else [samples]
    whole = envelope([samples], rate)
    np.testing.assert_allclose(envelope(blocks, rate), whole, rtol=1e-5)
    assert len(whole) == 20_000 * 1000 // rate


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_levels_are_rms_and_an_offset_is_none(rate):
    time = np.arange(rate) / rate
    tone = (0.1 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    np.testing.assert_allclose(envelope([tone], rate)[50:], 0.1 / np.sqrt(2), rtol=0.05)
    assert envelope([np.full(rate, 0.5, np.float32)], rate).max() < 1e-4


def test_rumble_is_no_room():
    time = np.arange(44_100 * 4) / 44_100
    rumble = 0.05 * np.sin(2 * np.pi * 15 * time)
    assert levels(envelope([rumble.astype(np.float32)], 44_100)).voice < -50


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0.2, 2.0), st.floats(0.7, 2.0)), min_size=2, max_size=6), st.floats(-30, 0))
def test_pieces_are_cut_where_the_silence_is(bursts, level):
    rate, random = 16_000, np.random.default_rng(1)
    parts, edges, at = [np.zeros(rate)], [], rate
    for sounding, silent in bursts:
        sound = random.standard_normal(round(sounding * rate)) * 0.1 * 10 ** (level / 20)
        parts += [sound, np.zeros(round(silent * rate))]
        edges.append((at, at + len(sound)))
        at += len(sound) + len(parts[-1])
    whole = np.concatenate(parts)
    with Recording(Wave.mono(whole + random.standard_normal(len(whole)) * 1e-4, rate)) as recording:
        found = pieces(recording)
    np.testing.assert_allclose([(piece.start, piece.end) for piece in found], edges, atol=0.012 * rate)
