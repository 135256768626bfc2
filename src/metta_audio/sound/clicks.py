"""Finds what no listener should hear: clicks, steps, dropouts, clipping, and seams that show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.segments import Segments
from metta_audio.sound.wave import Block
from metta_audio.units import Decibels, Samples, decibels, gain

_ORDER = 6
"""How often the sound is differenced. Against a click of one sample, a sixth difference takes 45 dB from what lies at
5 kHz and 22 dB at 8 kHz: what speech and bells have up there nearly vanishes, and what jumps remains."""

_ONE_SAMPLE = 20.0
"""What a click of height 1 and one sample becomes in a sixth difference (its middle binomial): divided out, so that
the residual reads as the height of a click. A step of the same height reads half of that."""

QUIETEST_CLICK = Decibels(-62.0)
"""Residual in dBFS below which nothing is a click: 2 dB under the quietest that is promised to be found, because the
noise of 16 bits may take so much from one. At listening level it is as loud as a room at night."""

_STANDS_OUT = 4.0
"""A click is so many times larger (12 dB) than anything within ``_AROUND`` of it. In noise of any colour the largest of
70 neighbours comes near every peak: 4 times is not met within days of it."""

_OWN = 5
_AROUND = 40
"""Frames: what belongs to a click itself, and how far its surroundings go. A rain drop (attack 0.8 ms, 35 frames) or a
glottal pulse of speech is broader than the first and so part of its own surroundings; a click is not."""

_CELL = 32
"""Frames that share a first, cheap look."""

_NEAR = 8
"""Cells on each side whose mean is what a cell must stand out from to be looked at closely."""

_WINDOW = 512 * _CELL
"""Frames worked on at once, 0.37 s, counted from the start of the stream: how it is blocked changes nothing."""

_REACH = _NEAR * _CELL

FULL_SCALE = 32_766 / 32_768
"""From here on a sample is as large as 16 bits can say. A single one may be a peak; two in a row are flat: clipped."""

_DROPOUT = (64, 22_050)
"""Frames of exact zeros in all channels, in the midst of sound: at least 1.5 ms, which is more than two
zero crossings of anything that sounds; at most half a second, which is a pause."""

_MIDST = float(gain(-50))
_MIDST_FRAMES = 32
"""A dropout has sound above -50 dBFS within 0.7 ms on both sides. What is faded over 10 ms lies below that there."""

_SEAM = 4
"""Frames on each side of a seam in which its step shows: the reach of the sixth difference and one more."""

_SEAM_FLOOR = float(gain(-66))
"""Residual under which a seam counts as this: 6 dB below the quietest click. Whatever is smaller cannot be heard."""

_MOST_PLACES = 20
"""Places that are remembered; beyond, they are only counted."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What was found in a stream.

    ``clicks`` counts clicks and steps, ``dropouts`` the holes of exact zeros inside sound, ``clipped`` the samples (of
    any channel) that stand at full scale beside another one. ``places`` are the first frames of the first twenty
    clicks and dropouts. Of the ``seams`` that were asked about, ``worst_seam`` is the largest step in dB against what
    is within 3 ms around it, and lies at ``worst_seam_at``; None without seams.
    """

    clicks: int = 0
    dropouts: int = 0
    clipped: int = 0
    places: tuple[Samples, ...] = ()
    seams: int = 0
    worst_seam: Decibels | None = None
    worst_seam_at: Samples | None = None


class FaultFinder:
    """Listens to a stream of any length, block by block, in constant memory; how it is blocked changes nothing.

    ``seams`` are frames at which something begins or ends. At rates far from 44.1 kHz the same rules hold in frames.
    """

    def __init__(self, channels: int = 2, seams: Sequence[int] = ()) -> None:
        self._segments = Segments(_WINDOW, _REACH, channels)
        self._position = 0
        self._frames = 0
        self._seams = sorted(set(seams), reverse=True)
        self._seam_count = 0
        self._worst: tuple[float, int] | None = None
        self._clicks = self._clipped = self._dropouts = 0
        self._last = -_REACH
        self._places: list[Samples] = []
        self._zeros = _DROPOUT[1] + 1  # before its beginning a stream is silent
        self._before = 0.0

    def add(self, block: Block) -> None:
        """Listen on: float32 of shape ``(frames, channels)``, any number of frames."""
        self._frames += len(block)
        for window in self._segments.push(block):
            self._look(window, _WINDOW)

    def result(self) -> Faults:
        """What was found in all that was added; nothing can be added afterwards."""
        rest = self._segments.rest()
        frames = len(rest) - _REACH
        while frames > 0:
            window = np.zeros((_WINDOW + 2 * _REACH, rest.shape[1]), np.float32)
            window[: len(rest)] = rest[: len(window)]
            self._look(window, min(frames, _WINDOW))
            rest = rest[_WINDOW:]
            frames = len(rest) - _REACH
        worst = self._worst
        return Faults(
            clicks=self._clicks,
            dropouts=self._dropouts,
            clipped=self._clipped,
            places=tuple(sorted(self._places)),
            seams=self._seam_count,
            worst_seam=None if worst is None else Decibels(round(decibels(worst[0]), 2)),
            worst_seam_at=None if worst is None else Samples(worst[1]),
        )

    def _look(self, window: Block, frames: int) -> None:
        """One window of ``_WINDOW`` frames between its surroundings; only the first ``frames`` are of the stream."""
        channels = np.ascontiguousarray(window.T)
        residual = _residual(channels)
        for at in _clicks(residual):
            if at < frames + _OWN:
                self._click(self._position + at)
        if np.abs(window).max() >= FULL_SCALE:
            self._clipped += _clipped(channels)
        # Whatever is long enough to be a dropout holds one of these frames.
        if self._zeros or not window[_REACH:-_REACH:_CELL].any(axis=1).all():
            self._holes(channels)
        self._joints(residual, frames)
        self._position += _WINDOW

    def _click(self, at: int) -> None:
        # Both channels, and both edges of a broader click, are one.
        if at - self._last > _AROUND:
            self._clicks += 1
            self._remember(at)
        self._last = at

    def _remember(self, at: int) -> None:
        if len(self._places) < _MOST_PLACES:
            self._places.append(Samples(at))

    def _holes(self, channels: NDArray[np.float32]) -> None:
        """Runs of exact zeros, followed from window to window."""
        level = np.abs(channels[:, _REACH - _MIDST_FRAMES : _REACH + _WINDOW + _MIDST_FRAMES]).max(axis=0)
        sounding = level[_MIDST_FRAMES:-_MIDST_FRAMES] > 0
        turns = np.flatnonzero(np.diff(sounding, prepend=self._zeros == 0))
        begin = -self._zeros
        for turn in turns.tolist():
            if sounding[turn]:
                after = level[turn + _MIDST_FRAMES : turn + 2 * _MIDST_FRAMES].max()
                if _DROPOUT[0] <= turn - begin <= _DROPOUT[1] and min(after, self._before) > _MIDST:
                    self._dropouts += 1
                    self._remember(self._position + begin)
            else:
                begin = turn
                self._before = float(level[turn : turn + _MIDST_FRAMES].max())
        self._zeros = 0 if sounding[-1] else min(_WINDOW - begin, _DROPOUT[1] + 1)

    def _joints(self, residual: NDArray[np.float32], frames: int) -> None:
        while self._seams and self._seams[-1] < self._position + _WINDOW:
            seam = self._seams.pop()
            at = seam - self._position + _REACH
            if not 0 <= seam - self._position <= frames:
                continue
            step = residual[:, at - _SEAM : at + _SEAM].max(axis=1)
            around = np.maximum(
                residual[:, at - _REACH // 2 : at - _SEAM].max(axis=1),
                residual[:, at + _SEAM : at + _REACH // 2].max(axis=1),
            )
            ratio = float((np.maximum(step, _SEAM_FLOOR) / np.maximum(around, _SEAM_FLOOR)).max())
            self._seam_count += 1
            if self._worst is None or ratio > self._worst[0]:
                self._worst = (ratio, seam)


def _residual(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sixth difference, in heights of a click; as long as ``channels`` and in step with them, zero at the ends."""
    half = _ORDER // 2
    residual = np.zeros_like(channels)
    np.abs(np.diff(channels, n=_ORDER, axis=1), out=residual[:, half:-half])
    residual *= np.float32(1 / _ONE_SAMPLE)
    return residual


def _clicks(residual: NDArray[np.float32]) -> list[int]:
    """Where a window clicks, in frames after its surroundings; in order."""
    cells = residual.reshape(len(residual), -1, _CELL)
    while cells.shape[2] > 1:  # by halves: several times faster than a maximum over a short axis
        half = cells.shape[2] // 2
        cells = np.maximum(cells[:, :, :half], cells[:, :, half:])
    cells = cells[:, :, 0]
    sums = np.cumsum(cells, axis=1, dtype=np.float64)
    sums = np.concatenate([np.zeros((len(cells), 1)), sums], axis=1)
    inner = cells[:, _NEAR:-_NEAR]
    others = (sums[:, 2 * _NEAR + 1 :] - sums[:, : -2 * _NEAR - 1] - inner) / (2 * _NEAR)
    # The mean of many is at most their largest: no click is missed by this first look.
    close = np.argwhere((inner > gain(QUIETEST_CLICK)) & (inner > 2 * others))
    found = set()
    for channel, cell in close.tolist():
        first = (cell + _NEAR) * _CELL
        line = residual[channel]
        at = first + int(np.argmax(line[first : first + _CELL]))
        own = line[at - _OWN : at + _OWN + 1]
        around = max(line[at - _AROUND : at - _OWN].max(), line[at + _OWN + 1 : at + _AROUND + 1].max())
        if int(np.argmax(own)) == _OWN and own[_OWN] > _STANDS_OUT * around:
            found.add(at - _REACH)
    return sorted(found)


def _clipped(channels: NDArray[np.float32]) -> int:
    """Samples of a window at full scale that have a neighbour there, on the same side."""
    count = 0
    for side in (channels, -channels):
        full = side[:, _REACH - 1 : _REACH + _WINDOW + 1] >= FULL_SCALE
        count += int(np.count_nonzero(full[:, 1:-1] & (full[:, :-2] | full[:, 2:])))
    return count
