"""A fixed grid over any blocking."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.sound.segments import Segments


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 20), st.integers(0, 8))
def test_windows_are_the_stream_on_a_grid_whatever_the_blocks(sizes: list[int], size: int, reach: int) -> None:
    total = sum(sizes)
    stream = np.arange(1, total + 1, dtype=np.float32).reshape(-1, 1)
    silent_before = np.concatenate([np.zeros((reach, 1), np.float32), stream])
    segments = Segments(size, reach, 1)
    windows = [window for block in np.split(stream, np.cumsum(sizes)) for window in segments.push(block)]
    for index, window in enumerate(windows):
        np.testing.assert_array_equal(window, silent_before[index * size : index * size + size + 2 * reach])
    np.testing.assert_array_equal(segments.rest(), silent_before[len(windows) * size :])
    assert len(segments.rest()) < size + 2 * reach
