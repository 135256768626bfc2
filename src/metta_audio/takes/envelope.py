"""How loud a recording is, a millisecond at a time, and what in it is speech."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfilt_zi

from metta_audio.units import Decibels, decibels, gain

PER_SECOND = 1000
"""Values a second: pydub counts in milliseconds, and an hour takes 14 MB."""

_RUMBLE = 80.0
"""Hz. Traffic, mains hum at 50 and 60 Hz, a hand on the table: louder than the room, and no speech."""

_WINDOW = 50
"""ms over which a level is taken: a syllable is longer, a click is not."""

_QUIET, _LOUD = 5, 95
"""Percentiles of the levels that are the room and the voice: whoever pauses between lines is silent for more than a
twentieth of the time, and clicks and laughter are rarer than the other."""

_NOTHING = Decibels(-96.0)
"""dBFS: the step of 16 bits. Digital silence counts as this."""

_ABOVE_ROOM = 8.0
"""dB over the room at which something is said: 400 ms of noise vary by less than 2."""

_BELOW_VOICE = 35.0
"""dB under the voice from which on it counts as silent, however quiet the room: a breath in lies there, and a soft
ending lasts longer than the rest of a window hides it."""

LEAST_DISTANCE = Decibels(14.0)
"""Voice against room. With less, pauses cannot be told from words."""

LEAST_VOICE = Decibels(-60.0)
"""dBFS under which nobody spoke into this microphone."""


@dataclass(frozen=True, slots=True)
class Levels:
    """In dBFS: the room, the voice, and between them the limit above which something is said."""

    room: Decibels
    voice: Decibels
    limit: Decibels


def envelope(blocks: Iterable[NDArray[np.float32]], rate: int) -> NDArray[np.float32]:
    """RMS of each whole millisecond of a mono stream at ``rate`` Hz, rumble and DC left out; shape ``(ms,)``."""
    filter_ = butter(2, _RUMBLE, "highpass", fs=rate, output="sos")
    state: NDArray[np.float64] | None = None
    held = np.zeros(0)
    first = done = 0  # the first sample held, and the milliseconds measured
    found: list[NDArray[np.float32]] = []
    for block in blocks:
        if not len(block):
            continue
        if state is None:
            state = sosfilt_zi(filter_) * float(block[0])
        passed, state = sosfilt(filter_, block.astype(np.float64), zi=state)
        held = np.concatenate([held, np.square(passed)])
        whole = (first + len(held)) * PER_SECOND // rate
        if whole > done:
            bounds = np.arange(done, whole + 1) * rate // PER_SECOND - first
            sums = np.add.reduceat(held[: bounds[-1]], bounds[:-1])
            found.append(np.sqrt(sums / np.diff(bounds)).astype(np.float32))
            held, first, done = held[bounds[-1] :], first + int(bounds[-1]), whole
    return np.concatenate([np.zeros(0, np.float32), *found])


def levels(rms: NDArray[np.float32]) -> Levels:
    """The room and the voice in an ``envelope``."""
    whole = rms[: len(rms) - len(rms) % _WINDOW] if len(rms) >= _WINDOW else rms
    powers = np.square(whole.astype(np.float64)).reshape(-1, min(_WINDOW, max(1, len(whole)))).mean(axis=1)
    # A recorder that switches itself off leaves digital silence, which is no room.
    sounding = powers[powers > gain(_NOTHING) ** 2]
    if not len(sounding):
        return Levels(_NOTHING, _NOTHING, _NOTHING)
    quiet, loud = np.sqrt(np.percentile(sounding, [_QUIET, _LOUD]))
    room = _NOTHING if len(sounding) < len(powers) * (1 - _QUIET / 100) else decibels(float(quiet))
    voice = decibels(float(loud))
    return Levels(room, voice, Decibels(max(room + _ABOVE_ROOM, voice - _BELOW_VOICE)))
