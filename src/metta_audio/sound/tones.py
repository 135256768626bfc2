"""Held tones that beat and swell slowly: drones, pads, hums, and beats between the ears."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metta_audio.errors import SoundError, did_you_mean
from metta_audio.sound.datafile import Table
from metta_audio.sound.stream import CHUNK, Chunks, drawing, random, wandering
from metta_audio.sound.tuning import A4, TUNINGS, interval, note_hertz
from metta_audio.sound.wave import Block
from metta_audio.units import RATE

_ROW = 256
"""Frames of a tone that are computed together."""

_ROWS = CHUNK // _ROW

_HEARD = (40.0, 8000.0)
"""Hz between which a held tone must lie: deeper is not heard from small loudspeakers, higher hurts."""

_A4 = (380.0, 480.0)
"""Hz within which an A has ever been tuned to."""

_MOST_SINES = 128
"""Partials times their harmonics: more would take longer than any other bed, and nobody hears them apart."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone at ``ratio`` times the root, ``level`` dB, as two that stand ``beat`` Hz apart.

    With ``semitones`` it is a note of the tuning instead, and ``ratio`` is not used.
    """

    ratio: float
    level: float
    beat: float
    semitones: int | None = None


@dataclass(frozen=True, slots=True)
class Tones:
    """Held tones on ``root`` Hz, of RMS 1 in each channel over a long time.

    Each swells on its own by ±``swell`` dB, anew about every ``swell_seconds``. ``width`` from 0 (both sides the same)
    to 1 (of each pair, one on each side). Every partial is a harmonic sound of ``harmonics`` tones, which fall by
    ``falloff`` dB per octave (a saw by 6); those above 8 kHz are left out.
    """

    root: float
    partials: tuple[Tone, ...]
    swell: float
    swell_seconds: float
    width: float
    harmonics: int = 1
    falloff: float = 9.0
    tuning: str = "equal"
    a4: float = A4

    @classmethod
    def read(cls, table: Table) -> Tones:
        """From a data file."""
        a4 = table.number("a4", *_A4, default=A4)
        partials = table.tables("partials")
        tones = cls(
            root=_read_root(table, a4),
            partials=tuple(_read_tone(each) for each in partials),
            swell=table.number("swell", 0.0, 9.0, default=3.0),
            swell_seconds=table.number("swell_seconds", 2.0, 300.0, default=13.0),
            width=table.number("width", 0.0, 1.0, default=0.6),
            harmonics=table.integer("harmonics", 1, 16, default=1),
            falloff=table.number("falloff", 0.0, 24.0, default=9.0),
            tuning=table.choice("tuning", TUNINGS, default="equal"),
            a4=a4,
        )
        if len(partials) * tones.harmonics > _MOST_SINES:
            hint = f"at most {_MOST_SINES} tones, counting harmonics"
            raise table.fault(
                "harmonics", f"{len(partials)} partials of {tones.harmonics} harmonics are too many", hint
            )
        for tone, each in zip(tones.partials, partials, strict=True):
            if not _HEARD[0] <= tones.hertz(tone) <= _HEARD[1]:
                key = "ratio" if tone.semitones is None else "semitones"
                what = f"a tone at {tones.hertz(tone):.4g} Hz"
                raise each.fault(key, what, f"tones must lie between {_HEARD[0]:g} and {_HEARD[1]:g} Hz")
        return tones

    def hertz(self, tone: Tone) -> float:
        """Frequency of one of the partials."""
        return self.root * (tone.ratio if tone.semitones is None else interval(tone.semitones, self.tuning))

    def roots(self) -> tuple[float, float]:
        """Lowest and highest root in Hz at which all partials can be heard."""
        ratios = [self.hertz(tone) / self.root for tone in self.partials]
        return _HEARD[0] / min(ratios), _HEARD[1] / max(ratios)

    def retuned(self, root: float, tuning: str | None) -> Tones:
        """The same on another ``root`` in Hz, and in another ``tuning`` unless that is None.

        Raises SoundError for an unknown tuning, and for a root at which a partial could not be heard.
        """
        if tuning is not None and tuning not in TUNINGS:
            raise SoundError(f'"{tuning}" is not a tuning', hint=did_you_mean(tuning, TUNINGS))
        moved = replace(self, root=root, tuning=tuning or self.tuning)
        low, high = moved.roots()
        if not low <= root <= high:
            raise SoundError(
                f"a root of {root:g} Hz is out of range", hint=f"choose one between {low:.4g} and {high:.4g} Hz"
            )
        return moved

    def chunks(self, seed: int, stream: int) -> Chunks:
        """The tones; another ``seed`` or ``stream`` begins elsewhere in its beats and swells otherwise."""
        hertz, beats, decibels = self._sines()
        dice = random(seed, stream, 0)
        starts, ahead = dice.uniform(size=(3, len(hertz)))[:2], dice.uniform(size=len(hertz))
        # Two tones that do not beat would stay as they begin: a quarter of a cycle apart they add up to their power.
        starts[1] = np.where(beats == 0, starts[0] + 0.25, starts[1])
        lower, upper = _Bank(hertz - beats / 2, starts[0]), _Bank(hertz + beats / 2, starts[1])
        # A pair of amplitude 1 goes to the two sides as (1, rest) and (rest, 1): power (1 + rest²) / 2 on each.
        rest = np.float32(1 - self.width)
        unit = 1 / math.sqrt(np.sum(10 ** (decibels / 10)) * (1 + float(rest) ** 2) / 2)
        draw = drawing(seed, stream << 8, len(hertz))

        def chunk(index: int) -> Block:
            rows = index * CHUNK + _ROW * np.arange(_ROWS + 1)
            swell = self.swell * (2 * wandering(draw, rows / (self.swell_seconds * RATE), ahead) - 1)
            amplitudes = unit * np.power(10.0, (decibels + swell) / 20)
            near, far = lower.chunk(index, amplitudes), upper.chunk(index, amplitudes)
            return np.stack([near + rest * far, rest * near + far]).T

        return chunk

    def _sines(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Frequencies, beats and levels of all partials with their harmonics."""
        sines = [
            (self.hertz(tone) * n, tone.beat * n, tone.level - self.falloff * math.log2(n))
            for tone in self.partials
            for n in range(1, self.harmonics + 1)
            if n == 1 or self.hertz(tone) * n <= _HEARD[1]
        ]
        hertz, beats, levels = np.array(sines).T
        return hertz, beats, levels


def root_hertz(root: float | str, a4: float) -> float:
    """A root given as Hz, or as the name of a note. Raises SoundError for what is neither."""
    if isinstance(root, str):
        try:
            return note_hertz(root, a4)
        except ValueError as error:
            raise SoundError(str(error), hint="or a frequency in Hz") from error
    return float(root)


def _read_root(table: Table, a4: float) -> float:
    if not table.is_words("root"):
        return table.number("root", *_HEARD)
    try:
        root = note_hertz(table.words("root"), a4)
    except ValueError as error:
        raise table.fault("root", str(error)) from error
    if not _HEARD[0] <= root <= _HEARD[1]:
        raise table.fault("root", f"a root of {root:.4g} Hz", f"it must lie between {_HEARD[0]:g} and {_HEARD[1]:g} Hz")
    return root


def _read_tone(table: Table) -> Tone:
    # Four octaves down and six up: further, nothing is left of what can be heard.
    semitones = table.integer("semitones", -48, 72) if table.has("semitones") else None
    tone = Tone(
        ratio=table.number("ratio", 0.01, 200.0) if semitones is None else 1.0,
        level=table.number("level", -60.0, 0.0),
        # Faster than 40 Hz two tones no longer beat: they are an interval.
        beat=table.number("beat", 0.0, 40.0, default=0.0),
        semitones=semitones,
    )
    table.finish()
    return tone


class _Bank:
    """Many sines at once, of ``hertz`` Hz and with phases ``starts`` at frame 0, in cycles: both of shape ``(sines,)``.

    sin(a + b) = sin a cos b + cos a sin b, with a at the beginning of a row and b within it: one sine in ``_ROW``
    frames has to be computed, and single precision never sees a long phase. The rest is one product of matrices.
    """

    def __init__(self, hertz: NDArray[np.float64], starts: NDArray[np.float64]) -> None:
        self._cycles = hertz / RATE
        self._starts = starts
        within = 2 * np.pi * np.outer(self._cycles, np.arange(_ROW))
        cosines, sines = np.cos(within), np.sin(within)
        ramp = np.arange(_ROW) / _ROW
        self._within = np.concatenate([cosines, sines, cosines * ramp, sines * ramp]).astype(np.float32)

    def chunk(self, index: int, amplitudes: NDArray[np.float64]) -> NDArray[np.float32]:
        """Their sum over chunk ``index``; ``amplitudes`` at every row and at the end, shape ``(_ROWS + 1, sines)``."""
        frames = index * CHUNK + _ROW * np.arange(_ROWS)[:, None]
        begin = 2 * np.pi * np.fmod(self._starts + frames * self._cycles, 1.0)
        sines, cosines = np.sin(begin), np.cos(begin)
        first, more = amplitudes[:-1], np.diff(amplitudes, axis=0)
        rows = np.concatenate([sines * first, cosines * first, sines * more, cosines * more], axis=1)
        wave: NDArray[np.float32] = rows.astype(np.float32) @ self._within
        return wave.reshape(-1)
