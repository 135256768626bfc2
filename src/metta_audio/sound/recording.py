"""Sound files as they come, in any format, at any rate, mono or stereo; and beds made from them."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfilt_zi

from metta_audio.errors import SoundError
from metta_audio.sound.bed import LEVEL, to_level
from metta_audio.sound.decode import at_our_rate, name_of, stated_seconds, waves
from metta_audio.sound.examination import Examination, Sides, Verdict
from metta_audio.sound.levels import EDGE_FADE
from metta_audio.sound.loop import CELL, Loop, Profile, best_lag, choose, crossfade, sounding, unfaded
from metta_audio.sound.loudness import Meter
from metta_audio.sound.scratch import Scratch
from metta_audio.sound.stream import CHUNK, Stream, smooth
from metta_audio.sound.wave import Block, Wave
from metta_audio.sound.widen import Widener
from metta_audio.units import RATE, Decibels, Seconds, clock, decibels, gain, to_samples

LONGEST_BED = Seconds(600.0)
"""A bed loops after ten minutes at the latest: nobody recognises a moment of rain after so long, and 212 MB of
temporary space are enough for it."""

_SHORTEST_BED = Seconds(2.0)
"""What is shorter is heard as a rhythm when it loops, not as a place."""

_NOTICED = Seconds(20.0)
"""A loop shorter than this may be recognised after a few rounds, whatever is done about its seam."""

_PEAK = Decibels(-12.0)
"""dBFS no bed may exceed at its own level: a recording with one loud bang is set lower rather than let it startle."""

_FAINT = Decibels(30.0)
"""A recording that is raised by more brings its own hiss with it."""

_RUMBLE = butter(2, 20.0, "high", fs=RATE, output="sos")
"""Offset, wind on the microphone, handling: nobody hears below 20 Hz, and it would take the room of what is heard."""

_HEARD = butter(2, 40.0, "high", fs=RATE, output="sos")
"""Small loudspeakers begin here. What lies below may not decide how loud the rest is."""

_LOUDER = 95
"""Percentile of the RMS of chunks that counts as a recording's louder moments."""

_BLOCK = 1 << 16
"""Frames worked on at a time: half a megabyte."""


def read_sound(source: Path | Wave, *, longest: Seconds) -> Wave:
    """The whole sound at 44.1 kHz and in stereo, at its own level, cut after ``longest`` seconds, its edges faded.

    Raises SoundError where it is missing, cannot be read, or holds nothing.
    """
    samples = np.concatenate([np.zeros((0, 2), np.float32), *at_our_rate(waves(source, longest), longest)])
    if not len(samples):
        raise SoundError(f"{name_of(source)} holds no sound", hint="choose another file")
    edge = min(to_samples(EDGE_FADE), len(samples) // 2)
    fade = smooth(np.arange(edge) / max(1, edge)).astype(np.float32)[:, None]
    samples[:edge] *= fade
    samples[len(samples) - edge :] *= fade[::-1]
    return Wave(samples)


def open_recording(source: Path | Wave) -> RecordedBed:
    """A bed from a recording (a pydub segment goes through ``audio_segment.from_segment``), looped without a seam.

    It stands at the level of every bed, or lower where a peak would stick out; mono is widened. It is decoded once,
    into a temporary file that vanishes with it, so that memory stays small whatever its length; of a recording longer
    than ``LONGEST_BED`` the beginning is used. Raises SoundError as ``read_sound``, for silence, for less than two
    seconds of sound, and where the disk is full.
    """
    return RecordedBed(source)


class RecordedBed(Stream):
    """A recording in a loop. Belongs to the process that opened it.

    ``notes`` are sentences for people: what was done to it, and what is wrong with it.
    """

    def __init__(self, source: Path | Wave) -> None:
        super().__init__(self._chunk_of_loop)
        self.notes: tuple[str, ...] = ()
        self._store = Scratch()
        weakref.finalize(self, self._store.close)
        try:
            self._start, self._turn, rms = self._prepare(source)
            self._unit = np.float32(self._level(rms))
        except BaseException:
            self._store.close()
            raise

    def _note(self, *said: str) -> None:
        self.notes += tuple(note for note in said if note)

    def _prepare(self, source: Path | Wave) -> tuple[int, int, float]:
        """First frame of the loop in the store, how many frames come round, and their RMS, about."""
        examination, sides, profile = Examination(), Sides(), Profile()
        rumble: _Filter | None = None
        for block in at_our_rate(examination.watch(waves(source, LONGEST_BED)), LONGEST_BED):
            if len(block):
                rumble = rumble or _Filter(_RUMBLE, block[0])
                clean = rumble.pass_on(block)
                self._store.append(clean)
                sides.add(clean)
                profile.add(clean)
        self._note(_how_much(self._store.frames / RATE, stated_seconds(source)), *examination.notes())
        powers = profile.powers()
        first, last = self._audible(powers, name_of(source))
        self._settle(sides.verdict(mono=examination.channels == 1))
        start, turn = self._join(choose(powers[first:last]), first * CELL, last * CELL)
        if turn < to_samples(_NOTICED):
            self._note(f"it comes round every {turn / RATE:.1f} seconds, which may be noticed")
        return start, turn, math.sqrt(powers[first:last].sum(axis=1).mean())

    def _audible(self, powers: NDArray[np.float64], name: str) -> tuple[int, int]:
        """First moment and the one after the last, without silence or fades at either end."""
        shortest = round(_SHORTEST_BED * RATE / CELL)
        if self._store.frames < to_samples(_SHORTEST_BED):
            hint = f"a bed needs at least {_SHORTEST_BED:g} s"
            raise SoundError(f"{name} is too short for a bed: {self._store.frames / RATE:.2f} s", hint=hint)
        if powers.sum(axis=1).max(initial=0.0) < gain(-96) ** 2:  # the step of 16 bits: what is below is no sound
            raise SoundError(f"{name} is silent", hint="choose a recording with sound in it")
        begin, end = sounding(powers)
        if end - begin < shortest - 1:  # the last moment may not be whole
            what = f"{name} has only {(end - begin) * CELL / RATE:.1f} s of sound in it"
            raise SoundError(what, hint=f"a bed needs at least {_SHORTEST_BED:g} s")
        low, high = unfaded(powers[begin:end], shortest)
        left_out = (len(powers) - (high - low)) * CELL / RATE
        if left_out > 0.3:  # less is a breath before the sound
            self._note(f"{left_out:.1f} seconds of silence or fading at its ends are left out")
        return begin + low, begin + high

    def _settle(self, verdict: Verdict) -> None:
        """Widen what is mono, turn what is the wrong way round; in the store, a block at a time."""
        self._note(verdict.note)
        if verdict.mono is not None:
            widener, weights = Widener(), np.array(verdict.mono, np.float32)
            self._rewrite(lambda block: widener.widen(block @ weights))
        elif verdict.turned:
            self._rewrite(lambda block: block * np.array([1, -1], np.float32))

    def _rewrite(self, change: Callable[[Block], Block]) -> None:
        for start in range(0, self._store.frames, _BLOCK):
            block = self._store.read(start, min(_BLOCK, self._store.frames - start))
            self._store.write(start, change(block))

    def _join(self, loop: Loop, first: int, last: int) -> tuple[int, int]:
        """Write the crossfade over the beginning of the loop: from then on it only has to be read round and round.

        ``first`` and ``last`` bound, in frames of the store, what may be heard.
        """
        start, end = first + loop.start, first + loop.end
        earliest = max(first, end - CELL)
        around = self._store.read(earliest, min(last, end + loop.fade + CELL) - earliest)
        beginning = self._store.read(start, loop.fade)
        lag = best_lag(around, beginning)
        self._store.write(start, crossfade(around[lag : lag + loop.fade], beginning))
        return start, earliest + lag - start

    def _level(self, roughly: float) -> float:
        """The factor for the bed's level, measured on one round of what will be heard."""
        # Near its level already: what is faint would lie below the gate of the meter.
        near = np.float32(gain(LEVEL) / roughly)
        meter, heard = Meter(RATE, 2), _Filter(_HEARD, np.zeros(2, np.float32))
        powers: list[NDArray[np.float64]] = []
        peak = 0.0
        for start in range(0, self._turn, CHUNK):
            block = self._store.read(self._start + start, min(CHUNK, self._turn - start)) * near
            meter.add(block)
            peak = max(peak, float(np.abs(block).max()))
            powers.append(np.square(heard.pass_on(block), dtype=np.float64).mean(axis=0))
        rms = math.sqrt(max(float(np.mean(powers, axis=0).max()), gain(-96) ** 2))
        crest = math.sqrt(float(np.percentile(np.max(powers, axis=1), _LOUDER)))
        unit = float(near) * min(to_level(rms, meter.result().integrated, crest=crest), gain(_PEAK) / peak)
        if unit > gain(_FAINT):
            self._note(f"very faint: raised by {decibels(unit):.0f} dB, and its hiss with it")
        return unit

    def _chunk_of_loop(self, index: int) -> Block:
        block = np.empty((CHUNK, 2), np.float32)
        done = 0
        while done < CHUNK:
            at = (index * CHUNK + done) % self._turn
            count = min(CHUNK - done, self._turn - at)
            block[done : done + count] = self._store.read(self._start + at, count)
            done += count
        return block * self._unit


class _Filter:
    """Second-order sections over a stream, as if it had always stood at its ``first`` frame."""

    def __init__(self, sections: NDArray[np.float64], first: NDArray[np.float32]) -> None:
        self._sections = sections
        self._state = sosfilt_zi(sections)[:, :, None] * first

    def pass_on(self, block: Block) -> Block:
        """The next frames, float32, shape ``(frames, 2)``."""
        filtered, self._state = sosfilt(self._sections, block, axis=0, zi=self._state)
        return np.asarray(filtered, np.float32)


def _how_much(used: float, stated: float) -> str:
    """What to say where not all of a recording is used; both in seconds, 0 where the file does not state its length."""
    if used >= LONGEST_BED and (not stated or stated > used + 1):
        whole = f" of {_short_clock(stated)}" if stated else ""
        return f"the first {LONGEST_BED / 60:g} minutes{whole} are used, in a loop"
    if stated > 1.02 * used + 1:  # some formats only estimate
        return f"it breaks off after {_short_clock(used)} of {_short_clock(stated)}: the file is not whole"
    return ""


def _short_clock(seconds: float) -> str:
    return clock(seconds).partition(".")[0]
