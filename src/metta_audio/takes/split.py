"""One recording cut at its silences, by pydub."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.audio_segment import segment_type
from metta_audio.takes.envelope import PER_SECOND
from metta_audio.takes.recording import Recording
from metta_audio.units import Decibels, Samples, Seconds, decibels, gain

PAUSE = 400
"""ms. A shorter silence belongs to a word or a comma: the closure of a stop lasts up to 200. A line may still consist
of several pieces: which belong together is for the matching to say."""

_STEP = 20
"""ms between the places at which pydub looks: far below what is kept around a piece."""

_SMOOTH = 5
"""ms whose level decides where a piece begins: a period of a deep voice."""

_SHORTEST = 50
"""ms. A shorter sound is a click, no word."""

_TAP = 150
"""ms. A sound so short, by itself at either end of a file, is a finger on the recorder."""

EDGE = Seconds(0.25)
"""Kept on both sides of a piece: the softest beginning of a word, and enough of the room to measure it."""

_FULL = float(1 << 31)
"""What 1.0 becomes in 32 bits."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound between two silences: ``[start, end)`` in samples of the recording, its ``level`` in dBFS."""

    start: Samples
    end: Samples
    rate: int
    level: Decibels
    recording: int = 0

    @property
    def seconds(self) -> Seconds:
        """How long it sounds."""
        return Seconds((self.end - self.start) / self.rate)


def pieces(recording: Recording, number: int = 0) -> tuple[Piece, ...]:
    """Every piece of ``recording``, which is the ``number``-th of several, in order.

    What pydub is given is the recording's envelope as a sound of 1,000 samples a second: the RMS of any stretch of it
    is that of the recording, and an hour is looked through in seconds and 14 MB.
    """
    segments = segment_type()
    from pydub.silence import detect_nonsilent

    rms, limit = recording.rms, recording.levels.limit
    data = np.clip(np.rint(rms * np.float64(_FULL)), 0, _FULL - 1).astype("<i4").tobytes()
    sound = segments(data, sample_width=4, frame_rate=PER_SECOND, channels=1)
    found = detect_nonsilent(sound, min_silence_len=PAUSE, silence_thresh=limit, seek_step=_STEP)
    sounding = np.flatnonzero(_smoothed(rms) > gain(limit))
    edges = []
    for index, (start, end) in enumerate(found):
        # A silence takes the soft edge of a word with it: give back what sounds, up to half the way to the neighbour.
        low = start - min(PAUSE, (start - found[index - 1][1]) // 2) if index else 0
        high = end + min(PAUSE, (found[index + 1][0] - end) // 2) if index + 1 < len(found) else len(rms)
        inside = sounding[np.searchsorted(sounding, low) : np.searchsorted(sounding, high)]
        if len(inside) and inside[-1] + 1 - inside[0] >= _SHORTEST:
            edges.append((int(inside[0]), int(inside[-1]) + 1))
    return tuple(_piece(rms, recording.rate, first, last, number) for first, last in edges)


def spoken(found: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The pieces of a file that holds one line, without a tap on the recorder at either end."""
    while len(found) > 1 and found[0].seconds * 1000 < _TAP:
        found = found[1:]
    while len(found) > 1 and found[-1].seconds * 1000 < _TAP:
        found = found[:-1]
    return found


def _smoothed(rms: NDArray[np.float32]) -> NDArray[np.float64]:
    power = np.square(rms.astype(np.float64))
    return np.sqrt(np.convolve(power, np.full(_SMOOTH, 1 / _SMOOTH), "same")) if len(power) else power


def _piece(rms: NDArray[np.float32], rate: int, first: int, last: int, number: int) -> Piece:
    level = decibels(float(np.sqrt(np.square(rms[first:last].astype(np.float64)).mean())))
    start, end = first * rate // PER_SECOND, last * rate // PER_SECOND
    return Piece(Samples(start), Samples(end), rate, level, number)
