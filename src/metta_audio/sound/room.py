"""Where a voice seems to be: to one side, softer, further away in a small, quiet room.

Nothing is measured from a real room, and nothing is random: every listener hears the same one.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, oaconvolve

from metta_audio.errors import SoundError
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE, Decibels, Samples, Seconds, gain, to_samples

SHORTEST, LONGEST = Seconds(0.25), Seconds(0.45)
"""Length of the tail next to a near voice and behind a far one: a living room, furnished. From half a second on, tails
run into the next word."""

_DISTANCE = Decibels(7.0)
"""How far all reflections lie under the direct sound at ``room`` 1, in a voice's own band. At 6 dB clarity begins to
suffer (C50 of a good classroom); a listener with closed eyes hears the distance at half of it."""

_ECHOES = ((7.1, 8.3), (11.9, 13.7), (17.3, 19.1), (23.9, 26.3), (31.1, 34.7))
"""Milliseconds after the direct sound of each early reflection, left and right. Sooner colours the voice; after 50 ms
it would be an echo. No two share a factor, so that no pitch rings; the two sides differ, so that mono keeps them."""

_ECHO_SUM = 0.25
"""Amplitudes of one side's early reflections together, against its direct sound, at ``room`` 1: wherever they cancel it
they leave 75 % of it, -2.5 dB, so that no notch is deeper."""

_ECHO_FALL = 0.8
"""Amplitude of each early reflection against the one before."""

_TAIL_START = Seconds(0.012)
"""The diffuse sound begins after the first reflections; before, it would blur consonants."""

_TAIL_FALL = Decibels(-50.0)
"""Level at the tail's end against its beginning: under any bed, and under the quietest room's noise."""

_DULL = 4000.0
"""Hz above which a distant voice is duller: air and walls swallow the highs first."""

_DULLED = 0.2
"""Share of the highs that the direct sound loses at ``room`` 1: 2 dB, as much as is heard, and words stay clear."""

_TAIL_TURN = 2500.0
"""Hz above which the reflections fall by 6 dB an octave: soft walls. They never hiss."""

_BAND = (150.0, 4000.0)
_SPEECH_FALL = 500.0
"""Hz between which a voice is measured, and from which its power falls with the square of the frequency: the mean
spectrum of speech, with which direct sound and reflections are weighed."""

_SEED = 1729
"""Any constant: the diffuse tail is the same on every machine and every day."""

_FFT = 1 << 16
"""Longer than any response: a spectrum of all of it."""

Sides = tuple[float, float]


def tail(room: float) -> Samples:
    """Frames by which a voice at ``room`` rings on; 0 at 0."""
    return to_samples(SHORTEST + (LONGEST - SHORTEST) * _checked("room", room, 0.0, 1.0)) if room else Samples(0)


def sides(pan: float) -> Sides:
    """Amplitudes left and right at constant power, ``left² + right² = 2``: 1 and 1 in the middle."""
    angle = (_checked("pan", pan, -1.0, 1.0) + 1) * math.pi / 4
    return math.sqrt(2) * math.cos(angle), math.sqrt(2) * math.sin(angle)


def placed(wave: Wave, *, pan: float = 0.0, level: float = 0.0, room: float = 0.0) -> Wave:
    """A mono voice in its place: stereo at 44.1 kHz, ``tail(room)`` frames longer, its onsets on their own samples.

    ``pan`` from -1 (left) to 1 (right), ``level`` in dB, ``room`` from 0 (near, dry) to 1 (far). Its loudness is kept
    whatever the room, ±0.5 LU: a far voice has less direct sound and more room. In mono at most 3 dB are lost, those
    that constant power costs a voice all on one side. Raises SoundError for anything that is not so.
    """
    if wave.channels != 1 or wave.rate != RATE:
        raise SoundError(f"a voice must be mono at {RATE} Hz", hint="make a clip of it first")
    factor = gain(level)
    if not room:
        return Wave(wave.samples * np.array([factor * side for side in sides(pan)], np.float32))
    response = _response(pan, room)
    if not wave.frames:
        return Wave(np.zeros((tail(room), 2), np.float32))
    dry = wave.samples.astype(np.float64) * factor
    wet = oaconvolve(dry, response, axes=0)[: wave.frames + tail(room)]
    return Wave(wet.astype(np.float32))


def _checked(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        nearest = high if value > high else low
        raise SoundError(f"{name} must be from {low:g} to {high:g}, not {value:g}", hint=f"the nearest is {nearest:g}")
    return value


@lru_cache(maxsize=32)
def _response(pan: float, room: float) -> NDArray[np.float64]:
    """What one sample becomes: shape ``(tail(room) + 1, 2)``, as loud as without a room."""
    length = tail(room) + 1
    near = np.array(sides(pan))
    one = np.zeros((length, 1))
    one[0] = 1.0
    direct, early, diffuse = _dulled(one, room) * near, _dulled(_echoes(room, length), room) * near, _diffuse(length)
    # All reflections together lie as far under the direct sound as they should; what the early ones have is theirs.
    missing = 10 ** (-_DISTANCE / 10) * room**2 * _power(direct) - _power(early)
    whole = direct + early + diffuse * math.sqrt(max(missing, 0.0) / _power(diffuse))
    response: NDArray[np.float64] = whole * math.sqrt(_power(one * near) / _power(whole))
    return response


def _dulled(samples: NDArray[np.float64], room: float) -> NDArray[np.float64]:
    """Highs a little softer; the first sample stays the first and the loudest."""
    return (1 - _DULLED * room) * samples + _DULLED * room * _low_passed(samples, _DULL)


def _echoes(room: float, length: int) -> NDArray[np.float64]:
    """Early reflections of both sides, shape ``(length, 2)``, against a direct sound of 1."""
    amplitudes = _ECHO_FALL ** np.arange(len(_ECHOES))
    amplitudes *= _ECHO_SUM * room / amplitudes.sum()
    echoes = np.zeros((length, 2))
    for times, amplitude in zip(_ECHOES, amplitudes, strict=True):
        for side, time in enumerate(times):
            echoes[to_samples(time / 1000), side] = amplitude
    return echoes


def _diffuse(length: int) -> NDArray[np.float64]:
    """Noise that dies away, another on each side: shape ``(length, 2)``, ending at nothing."""
    start = to_samples(_TAIL_START)
    noise = np.random.default_rng(_SEED).standard_normal((length, 2))
    position = np.clip((np.arange(length) - start) / (length - 1 - start), 0.0, 1.0)
    rise = np.clip(position * 20, 0.0, 1.0)
    shape = rise * (10 ** (_TAIL_FALL * position / 20) - gain(_TAIL_FALL))
    return _low_passed(noise, _TAIL_TURN) * shape[:, None]


def _low_passed(samples: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    """One pole: 6 dB an octave above ``turn`` Hz, nothing before its time."""
    pole = math.exp(-2 * math.pi * turn / RATE)
    passed: NDArray[np.float64] = lfilter([1 - pole], [1, -pole], samples, axis=0)
    return passed


def _power(response: NDArray[np.float64]) -> float:
    """Power that speech has after ``response``, all channels together."""
    spectrum = np.abs(np.fft.rfft(response, _FFT, axis=0)) ** 2
    hertz = np.fft.rfftfreq(_FFT, 1 / RATE)
    weight = np.where((hertz >= _BAND[0]) & (hertz <= _BAND[1]), 1 / (1 + (hertz / _SPEECH_FALL) ** 2), 0.0)
    return float((weight @ spectrum).sum() / weight.sum())
