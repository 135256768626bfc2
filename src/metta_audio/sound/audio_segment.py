"""To and from pydub, for those who already work with its ``AudioSegment``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from metta_audio.sound.wave import Block, Wave
from metta_audio.units import Hertz

if TYPE_CHECKING:
    from pydub import AudioSegment

_FULL_SCALE = {1: 1 << 7, 2: 1 << 15, 4: 1 << 31}
"""What 1.0 becomes, by bytes a sample; pydub widens 24 bits to 32 by itself."""


def segment_type() -> type[AudioSegment]:
    """The class of pydub, imported when it is needed, and without pydub's warning that there is no ffmpeg.

    Most sounds need none; where one does, the error says so.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Couldn't find ff", RuntimeWarning)
        from pydub import AudioSegment
    found: type[AudioSegment] = AudioSegment
    return found


def from_segment(segment: AudioSegment) -> Wave:
    """The same sound with as many channels, at its own rate. float32 keeps 24 bits of it."""
    values = np.array(segment.get_array_of_samples(), dtype=np.float64) / _FULL_SCALE[segment.sample_width]
    return Wave(values.astype(np.float32).reshape(-1, segment.channels), Hertz(segment.frame_rate))


def to_segment(wave: Wave) -> AudioSegment:
    """The same sound in 16 bits, as pydub's own exports have it; what exceeds full scale is clipped."""
    return segment_type()(_pcm16(wave.samples), sample_width=2, frame_rate=wave.rate, channels=wave.channels)


def _pcm16(samples: Block) -> bytes:
    scale = _FULL_SCALE[2]
    return bytes(np.clip(np.rint(samples * np.float32(scale)), -scale, scale - 1).astype("<i2").tobytes())
