"""To and from pydub, for those who already work with its ``AudioSegment``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from metta_audio.sound.wave import Block, Wave
from metta_audio.units import Hertz

if TYPE_CHECKING:
    from pydub import AudioSegment

_FULL_SCALE = 1 << 15
"""What 1.0 becomes in 16 bits."""


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
    width = segment.sample_width  # 1, 2, 4 or 8 bytes: pydub widens 24 bits to 32 by itself
    values = np.frombuffer(segment.raw_data, f"<i{width}").astype(np.float32)
    values *= np.float32(2.0 ** (1 - 8 * width))
    return Wave(values.reshape(-1, segment.channels), Hertz(segment.frame_rate))


def to_segment(wave: Wave) -> AudioSegment:
    """The same sound in 16 bits, as pydub's own exports have it; what exceeds full scale is clipped."""
    return segment_type()(_pcm16(wave.samples), sample_width=2, frame_rate=wave.rate, channels=wave.channels)


def _pcm16(samples: Block) -> bytes:
    full = _FULL_SCALE
    return bytes(np.clip(np.rint(samples * np.float32(full)), -full, full - 1).astype("<i2").tobytes())
