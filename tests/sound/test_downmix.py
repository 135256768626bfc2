"""Loudspeakers on two sides."""

from __future__ import annotations

import numpy as np
import pytest

from metta_audio.sound.downmix import to_stereo

H = 0.5**0.5


@pytest.mark.parametrize(
    ("channels", "left", "right"),
    [
        (1, [1], [1]),
        (2, [1, 0], [0, 1]),
        (3, [1, 0, H], [0, 1, H]),
        (4, [1, 0, H, 0], [0, 1, 0, H]),
        (5, [1, 0, H, H, 0], [0, 1, H, 0, H]),
        (6, [1, 0, H, 0, H, 0], [0, 1, H, 0, 0, H]),
        (7, [1, 0, H, 0, 0.5, H, 0], [0, 1, H, 0, 0.5, 0, H]),
        (8, [1, 0, H, 0, H, 0, H, 0], [0, 1, H, 0, 0, H, 0, H]),
    ],
)
def test_each_loudspeaker_goes_to_its_side(channels: int, left: list[float], right: list[float]) -> None:
    found = to_stereo(np.eye(channels, dtype=np.float32))
    assert found[:, 0] == pytest.approx(left)
    assert found[:, 1] == pytest.approx(right)


@pytest.mark.parametrize("channels", [9, 12, 31])
def test_of_many_microphones_every_other_goes_left_at_equal_power(channels: int) -> None:
    found = to_stereo(np.eye(channels, dtype=np.float32))
    assert not found[1::2, 0].any()
    assert not found[::2, 1].any()
    assert np.square(found).sum(axis=0) == pytest.approx([1, 1])
    assert (found.sum(axis=1) > 0).all()
