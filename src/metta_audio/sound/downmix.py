"""Any number of channels on two sides."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Block

_HALF = math.sqrt(0.5)
"""-3 dB, ITU-R BS.775-3, annex 4: what stands between both sides, or behind, adds its power once and no more."""

_SIDES = {"L": (1.0, 0.0), "R": (0.0, 1.0), "C": (_HALF, _HALF), "Ls": (_HALF, 0.0), "Rs": (0.0, _HALF),
          "Lb": (_HALF, 0.0), "Rb": (0.0, _HALF), "Cs": (0.5, 0.5), "LFE": (0.0, 0.0)}  # fmt: skip
"""How much of each loudspeaker goes left and right. The one for effects is left out, as everywhere: it doubles what the
others have, and would thump."""

_LAYOUTS = {
    2: ("L", "R"),
    3: ("L", "R", "C"),
    4: ("L", "R", "Ls", "Rs"),
    5: ("L", "R", "C", "Ls", "Rs"),
    6: ("L", "R", "C", "LFE", "Ls", "Rs"),
    7: ("L", "R", "C", "LFE", "Cs", "Ls", "Rs"),
    8: ("L", "R", "C", "LFE", "Lb", "Rb", "Ls", "Rs"),
}
"""Number of channels → which loudspeakers they are for, in the order of WAV and FLAC (SMPTE ST 2036-2)."""


def to_stereo(samples: Block) -> Block:
    """Shape ``(frames, channels)`` → ``(frames, 2)``: mono on both sides, up to eight channels as loudspeakers.

    Of more than eight nobody knows where they stand: the 1st, 3rd, 5th … go left and the others right, at equal power.
    """
    channels = samples.shape[1]
    if channels == 2:
        return samples
    return samples @ _matrix(channels)


@lru_cache(maxsize=8)
def _matrix(channels: int) -> NDArray[np.float32]:
    if channels == 1:
        return np.ones((1, 2), np.float32)
    if channels in _LAYOUTS:
        return np.array([_SIDES[speaker] for speaker in _LAYOUTS[channels]], np.float32)
    sides = np.zeros((channels, 2), np.float32)
    for side in (0, 1):
        sides[side::2, side] = 1 / math.sqrt(len(range(side, channels, 2)))
    return sides
