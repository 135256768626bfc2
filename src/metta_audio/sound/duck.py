"""The bed gives way to the voice, and comes forward again where nobody speaks for long.

The plan is known, so the bed is down before the first word, not after it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metta_audio.errors import SettingsError
from metta_audio.sound.levels import (
    DUCK,
    DUCK_ATTACK,
    DUCK_BRIDGE,
    DUCK_RELEASE,
    RISE,
    RISE_AFTER,
    RISE_OVER,
    STEEPEST,
)
from metta_audio.units import RATE, Decibels, Hertz, Samples, Seconds, gain, to_samples

Stretch = tuple[Samples, Samples]
"""First sample, and first sample after."""

_LIMITS: dict[str, tuple[float, float, str]] = {
    "depth": (-30.0, 0.0, "dB"),  # at -30 the bed is gone under speech; above 0 it would cover the voice
    "attack": (0.0, 10.0, "s"),  # longer than a pause, the bed would leave while nobody is about to speak
    "release": (0.5, 10.0, "s"),  # faster is heard as pumping; slower never arrives
    "bridge": (0.0, 60.0, "s"),  # over a minute the bed would stay down for whole practices
    "rise": (0.0, 6.0, "dB"),  # 6 dB is heard as twice as near: more would be an event of its own
    "rise_after": (2.0, 600.0, "s"),  # sooner, it would move in every pause
    "rise_over": (2.0, 120.0, "s"),  # faster is heard as a swell that means something
}
"""What may be asked for: least, most, unit."""


@dataclass(frozen=True)
class Ducking:
    """Gain of the bed around ``speech``: stretches of samples, in any order, that may overlap; ``led`` likewise.

    While someone speaks, and in gaps no longer than ``bridge`` (or than both ramps together, which leave no time to
    arrive), the gain is ``depth`` (decibels, at most 0). It falls within ``attack`` before the speech and comes back to
    0 dB within ``release`` after it. ``rise_after`` seconds after the last word, or after the recording's beginning,
    the bed rises by ``rise`` dB over ``rise_over`` seconds, and is down again within the attack before the next word.
    In the stretches ``led``, and for as long after, it does not rise: there something else is to be followed.

    All ramps are raised cosines in decibels, and no slope is steeper than 20 dB a second, also where ramps meet. Raises
    SettingsError for what is out of range, with the nearest value that is not.
    """

    speech: tuple[Stretch, ...] = ()
    depth: Decibels = DUCK
    attack: Seconds = DUCK_ATTACK
    release: Seconds = DUCK_RELEASE
    bridge: Seconds = DUCK_BRIDGE
    rise: Decibels = RISE
    rise_after: Seconds = RISE_AFTER
    rise_over: Seconds = RISE_OVER
    rate: Hertz = RATE
    led: tuple[Stretch, ...] = ()
    _down: tuple[Stretch, ...] = field(init=False, repr=False)
    _ends: tuple[Samples, ...] = field(init=False, repr=False)
    _level: tuple[Stretch, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _LIMITS.items():
            _check(name, getattr(self, name), low, high, unit)
        _check_slope("attack", self.attack, self.rise - self.depth, "it falls")
        _check_slope("release", self.release, -self.depth, "it comes back")
        held = max(self.bridge, self.attack + self.release)
        down = merged(self.speech, to_samples(held, self.rate))
        object.__setattr__(self, "_down", down)
        object.__setattr__(self, "_level", merged((*down, *self.led), to_samples(held, self.rate)))
        object.__setattr__(self, "_ends", tuple(end for _, end in down))

    def gain(self, start: int, frames: int) -> NDArray[np.float32]:
        """Amplitude factors of shape ``(frames,)`` from sample ``start`` on, in ``gain(depth)..gain(rise)``.

        Random access, and the same however it is cut. Depends on the speech within a bridge before and after a sample
        and, for the rise, on how long ago the last one was.
        """
        fall = _ramp(to_samples(self.attack, self.rate), self.depth)
        back = _ramp(to_samples(self.release, self.rate), self.depth)[::-1]
        level = np.ones(frames, np.float32)
        for index in range(bisect_right(self._ends, start - len(back)), len(self._down)):
            first, after = self._down[index]
            if first - len(fall) >= start + frames:
                break
            # Gaps are longer than both ramps: no two ever meet.
            _multiply(level, first - len(fall) - start, fall)
            level[max(first - start, 0) : max(after - start, 0)] = gain(self.depth)
            _multiply(level, after - start, back)
        if self.rise:
            self._lift(level, start)
        return level

    def _lift(self, level: NDArray[np.float32], start: int) -> None:
        """Let the bed rise in those silences around ``[start, start + len(level))`` that are long enough."""
        up = _ramp(to_samples(self.rise_over, self.rate), self.rise)
        # The other way round, and back at 0 dB with its last sample, as the ducking is down with its own.
        fall = np.append(_ramp(to_samples(self.attack, self.rate), self.rise)[-2::-1], np.float32(1))
        # Not before the bed is back, so that the two slopes never add.
        wait = to_samples(max(self.rise_after, self.release), self.rate)
        end = start + len(level)
        for index in range(bisect_right(self._level, start, key=_end), len(self._level) + 1):
            begin = (_end(self._level[index - 1]) if index else 0) + wait
            until = self._level[index][0] if index < len(self._level) else end + len(fall)
            if begin >= end:
                break
            first, after = max(begin, start), min(until, end)
            if first >= after:
                continue
            lift = np.full(after - first, gain(self.rise), np.float32)
            _lower(lift, begin - first, up)
            # Where the way up meets the way down, the lower one counts: no jump, and neither is exceeded.
            _lower(lift, until - len(fall) - first, fall)
            level[first - start : after - start] *= lift


def _end(stretch: Stretch) -> Samples:
    return stretch[1]


def merged(stretches: Iterable[Stretch], bridge: int = 0) -> tuple[Stretch, ...]:
    """Join, in order, the stretches that overlap or lie no more than ``bridge`` samples apart; drop empty ones."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if end <= start:
            continue
        if joined and start - joined[-1][1] <= bridge:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _check(name: str, value: float, low: float, high: float, unit: str) -> None:
    # Written so that a value that is no number fails, too.
    if not low <= value <= high:
        nearest = high if value > high else low
        what = f"ducking: {name} must be from {low:g} to {high:g} {unit}, not {value:g}"
        raise SettingsError(what, hint=f"the nearest is {nearest:g}")


def _check_slope(name: str, seconds: Seconds, by: float, doing: str) -> None:
    """A raised cosine over ``by`` dB is steepest in its middle: pi / 2 times its mean slope."""
    steepest = math.pi / 2 * by / STEEPEST
    if seconds < steepest:
        nearest = math.ceil(steepest * 100) / 100
        what = f"ducking: {name} {seconds:g} s is too fast for {by:g} dB; {doing} by at most {STEEPEST:g} dB a second"
        raise SettingsError(what, hint=f"choose at least {nearest:g} s, or less depth")


@lru_cache(maxsize=8)
def _ramp(frames: int, to: Decibels) -> NDArray[np.float32]:
    """Amplitudes on the way from 0 dB to ``to``: the last of ``frames`` samples has arrived."""
    shape = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, frames + 1) / max(frames, 1))
    ramp: NDArray[np.float32] = (10 ** (to * shape / 20)).astype(np.float32)
    ramp.flags.writeable = False
    return ramp


def _multiply(level: NDArray[np.float32], at: int, ramp: NDArray[np.float32]) -> None:
    """Multiply ``level`` by ``ramp``, which begins at index ``at`` and may stick out on either side."""
    begin, end = max(at, 0), min(at + len(ramp), len(level))
    if begin < end:
        level[begin:end] *= ramp[begin - at : end - at]


def _lower(level: NDArray[np.float32], at: int, ramp: NDArray[np.float32]) -> None:
    """Bring ``level`` down to ``ramp``, which begins at index ``at`` and may stick out on either side."""
    begin, end = max(at, 0), min(at + len(ramp), len(level))
    if begin < end:
        np.minimum(level[begin:end], ramp[begin - at : end - at], out=level[begin:end])
