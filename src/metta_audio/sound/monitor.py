"""Listens along while a recording is mixed: what can only be told as long as voice, cues and bed are still apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.clicks import FaultFinder, Faults
from metta_audio.sound.duck import Stretch, merged
from metta_audio.sound.levels import EDGE_FADE, SPEECH
from metta_audio.sound.loudness import Meter
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, Decibels, Lufs, decibels, to_samples

_HOP = 256
"""Frames that share one power, 5.8 ms: short beside a syllable."""

_GRID = 64 * _HOP
"""Frames measured at once, 0.37 s, counted from the start: how the stems are blocked changes nothing. It is the mix's
own block, so that as a rule nothing is copied."""

_FLOOR_HOPS = 9
"""Hops that the noise floor is measured over: 52 ms, which fits between two words and not between two syllables."""

_MOMENTARY = to_samples(0.4)
"""Frames that a momentary loudness takes (BS.1770-4)."""


_SILENCE = Decibels(-math.inf)


@dataclass(frozen=True, slots=True)
class MixFigures:
    """What was measured while mixing, before the limiter; levels as they are in the stems.

    ``speech_to_bed`` has one entry for each of the spoken ``lines``: RMS of the voice over RMS of the bed while it
    sounds, in dB; ``inf`` where there is no bed, None where the voice is silent. ``bell_to_voice`` is the loudest 400
    ms of the cues during any bell, in LU against speech; None without a bell. ``noise_floor`` is the quietest 52 ms of
    the voice inside any spoken line, in dBFS; None where it falls silent altogether, or where nobody speaks.
    ``bed_peak`` is in dBFS, ``-inf`` without a bed. ``faults`` were looked for in the limited sound, before it was
    encoded.
    """

    lines: tuple[Stretch, ...] = ()
    speech_to_bed: tuple[Decibels | None, ...] = ()
    bell_to_voice: Decibels | None = None
    noise_floor: Decibels | None = None
    bed_peak: Decibels = _SILENCE
    faults: Faults = field(default_factory=Faults)

    @property
    def worst_line(self) -> int | None:
        """Index of the line nearest to its bed; None where no line has a bed under it."""
        found = enumerate(self.speech_to_bed)
        measured = [(value, index) for index, value in found if value is not None and math.isfinite(value)]
        return min(measured)[1] if measured else None

    @property
    def speech_to_bed_min(self) -> Decibels | None:
        """Smallest distance of any line in dB; None where no line has a bed under it."""
        return None if self.worst_line is None else self.speech_to_bed[self.worst_line]

    @property
    def speech_to_bed_median(self) -> Decibels | None:
        """Distance of the middle one of those lines that have a bed under them, in dB."""
        measured = [value for value in self.speech_to_bed if value is not None and math.isfinite(value)]
        return Decibels(round(float(np.median(measured)), 2)) if measured else None


_Stems = tuple[Block, Block, Block]
"""Voice, cues and ducked bed, as ``sound.mix.Stems``."""


class Monitor:
    """Measures stems block by block, in constant memory.

    ``lines`` are the spoken lines, each by itself: first frame, and first frame after; they may overlap. ``bells`` are
    where bells sound: first frame, and the first after their ring. ``seams`` are all frames at which something begins
    or ends. ``speech`` is the loudness at which the voice stands in the stems.
    """

    def __init__(
        self,
        lines: Iterable[Stretch] = (),
        bells: Iterable[Stretch] = (),
        seams: Iterable[int] = (),
        *,
        speech: Lufs = SPEECH,
    ) -> None:
        self._lines = tuple(lines)
        # The latest first: what is over is taken from the end.
        self._coming = sorted(range(len(self._lines)), key=lambda index: self._lines[index], reverse=True)
        self._speaking: list[int] = []
        self._powers = np.zeros((len(self._lines), 2))
        self._quietest = math.inf
        self._tails: dict[int, NDArray[np.float64]] = {}
        self._bells = _Bells(merged(bells))
        self._speech = speech
        self._bed_peak = 0.0
        self._faults = FaultFinder(2, tuple(seams))
        self._pending: list[_Stems] = []
        self._held = 0
        self._position = 0

    def add(self, stems: _Stems) -> None:
        """Measure the next block of stems, before the limiter: each float32 of shape ``(frames, 2)``."""
        self._pending.append(stems)
        self._held += len(stems[0])
        if self._held < _GRID:
            return
        voice, cues, bed = self._joined()
        whole = self._held - self._held % _GRID
        for start in range(0, whole, _GRID):
            here = slice(start, start + _GRID)
            self._measure(voice[here], cues[here], bed[here])
        self._held -= whole
        self._pending = [(voice[whole:], cues[whole:], bed[whole:])] if self._held else []

    def hear(self, block: Block) -> None:
        """Look for faults in the next block of what is going to be encoded; it may lag behind the stems."""
        self._faults.add(block)

    def result(self) -> MixFigures:
        """All figures. Nothing can be added afterwards."""
        if self._held:
            self._measure(*self._joined())
            self._pending, self._held = [], 0
        loudest = self._bells.result()
        floor = self._quietest / (2 * _HOP * _FLOOR_HOPS)
        return MixFigures(
            lines=self._lines,
            speech_to_bed=tuple(_distance(voice, bed) for voice, bed in self._powers.tolist()),
            bell_to_voice=None if loudest is None else Decibels(round(loudest - self._speech, 2)),
            noise_floor=Decibels(round(decibels(floor) / 2, 2)) if 0 < floor < math.inf else None,
            bed_peak=Decibels(round(decibels(self._bed_peak), 2)),
            faults=self._faults.result(),
        )

    def _joined(self) -> _Stems:
        if len(self._pending) == 1:
            return self._pending[0]
        voice, cues, bed = (np.concatenate(blocks) for blocks in zip(*self._pending, strict=True))
        return voice, cues, bed

    def _measure(self, voice: Block, cues: Block, bed: Block) -> None:
        start, end = self._position, self._position + len(voice)
        self._bed_peak = max(self._bed_peak, float(bed.max()), -float(bed.min()))
        self._bells.add(cues, start)
        while self._coming and self._lines[self._coming[-1]][0] < end:
            self._speaking.append(self._coming.pop())
        if self._speaking:
            hops = _hop_powers(voice), _hop_powers(bed)
            for index in self._speaking:
                first, after = (min(max(edge - start, 0), len(voice)) for edge in self._lines[index])
                for part, block in enumerate((voice, bed)):
                    self._powers[index, part] += _power(block, hops[part], first, after)
                self._find_quietest(index, hops[0], start)
            self._speaking = [index for index in self._speaking if self._lines[index][1] > end]
        self._position = end

    def _find_quietest(self, index: int, hops: NDArray[np.float64], start: int) -> None:
        """Least power of ``_FLOOR_HOPS`` in a row inside one line, its faded edges left out."""
        edge = to_samples(EDGE_FADE)
        first, after = self._lines[index][0] + edge - start, self._lines[index][1] - edge - start
        inner = hops[max(0, -(-first // _HOP)) : max(0, after // _HOP)]
        run = np.concatenate([self._tails.pop(index, np.zeros(0)), inner])
        if len(run) >= _FLOOR_HOPS:
            sums = np.convolve(run, np.ones(_FLOOR_HOPS), "valid")
            self._quietest = min(self._quietest, float(sums.min()))
        if after > _GRID:
            self._tails[index] = run[max(0, len(run) - _FLOOR_HOPS + 1) :]


class _Bells:
    """The loudest 400 ms within ``stretches``, which are in order and do not overlap."""

    def __init__(self, stretches: tuple[Stretch, ...]) -> None:
        self._coming = list(reversed(stretches))
        self._meter = Meter(RATE, 2)
        self._loudest: Lufs | None = None

    def add(self, cues: Block, start: int) -> None:
        """The next block; ``start`` is where it stands in the recording."""
        while self._coming and self._coming[-1][0] < start + len(cues):
            first, after = self._coming[-1]
            self._meter.add(cues[max(first - start, 0) : max(after - start, 0)])
            if after > start + len(cues):
                return
            self._coming.pop()
            self._finish(after - first)

    def result(self) -> Lufs | None:
        """None where there was no bell."""
        if self._coming:
            self._finish(0)
        return self._loudest

    def _finish(self, frames: int) -> None:
        # A bell that is shorter than a momentary loudness is followed by silence until there is one.
        self._meter.add(np.zeros((max(0, _MOMENTARY - frames), 2), np.float32))
        loudest = self._meter.result().momentary_max
        if math.isfinite(loudest):
            self._loudest = loudest if self._loudest is None else max(self._loudest, loudest)
        self._meter = Meter(RATE, 2)


def _hop_powers(block: Block) -> NDArray[np.float64]:
    """Summed squares of each whole hop, both channels together."""
    whole = np.ascontiguousarray(block[: len(block) - len(block) % _HOP]).reshape(-1, 2 * _HOP)
    powers: NDArray[np.float64] = np.einsum("hk,hk->h", whole, whole).astype(np.float64)
    return powers


def _power(block: Block, hops: NDArray[np.float64], first: int, after: int) -> float:
    """Summed squares of frames ``[first, after)``: whole hops as they were measured, and what sticks out."""
    begin, end = -(-first // _HOP), after // _HOP
    if begin >= end:
        return _squares(block[first:after])
    return _squares(block[first : begin * _HOP]) + float(hops[begin:end].sum()) + _squares(block[end * _HOP : after])


def _squares(block: Block) -> float:
    return float(np.einsum("fc,fc->", block, block, dtype=np.float64))


def _distance(voice: float, bed: float) -> Decibels | None:
    if not voice:
        return None
    return Decibels(round(decibels(voice / bed) / 2, 2)) if bed else Decibels(math.inf)
