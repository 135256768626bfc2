"""Sound files as they come, in any format, at any rate, mono or stereo; and beds made from them."""

from __future__ import annotations

import math
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr

from metta_audio.errors import SoundError
from metta_audio.sound.audio_segment import from_segment, segment_type
from metta_audio.sound.bed import Bed, to_level
from metta_audio.sound.levels import EDGE_FADE
from metta_audio.sound.loudness import Meter
from metta_audio.sound.stream import CHUNK, Stream, smooth
from metta_audio.sound.wave import Block, Wave
from metta_audio.units import RATE, Decibels, Hertz, Seconds, gain, to_samples

LONGEST_BED = Seconds(600.0)
"""A bed loops after ten minutes at the latest: nobody recognises a moment of rain after so long, and 212 MB of
temporary space are enough for it."""

_SHORTEST_BED = Seconds(2.0)
"""What is shorter is heard as a rhythm when it loops, not as a place."""

_LOOP_FADE = Seconds(3.0)
"""The end of a recording fades into its beginning over this time, or a quarter of its length where it is short."""

_PEAK = Decibels(-12.0)
"""dBFS no bed may exceed at its own level: a recording with one loud bang is set lower rather than let it startle."""

_BLOCK = 1 << 16
"""Frames read at a time: half a megabyte."""


def read_sound(source: Path | Wave, *, longest: Seconds) -> Wave:
    """The whole sound at 44.1 kHz and in stereo, at its own level, cut after ``longest`` seconds, its edges faded.

    Raises SoundError where it is missing, cannot be read, or holds nothing.
    """
    samples = np.concatenate([np.zeros((0, 2), np.float32), *_stereo_blocks(source, longest)])
    if not len(samples):
        raise SoundError(f"{_name(source)} holds no sound", hint="choose another file")
    edge = min(to_samples(EDGE_FADE), len(samples) // 2)
    fade = smooth(np.arange(edge) / max(1, edge)).astype(np.float32)[:, None]
    samples[:edge] *= fade
    samples[len(samples) - edge :] *= fade[::-1]
    return Wave(samples)


def open_recording(source: Path | Wave) -> Bed:
    """A bed from a recording (a pydub segment goes through ``audio_segment.from_segment``), looped without a seam.

    It stands at the level of every bed, or lower where a peak would stick out. It is decoded once, into a
    temporary file that vanishes with it, so that memory stays at a megabyte or two whatever its length; of a recording
    longer than ``LONGEST_BED`` the beginning is used. Raises SoundError as ``read_sound``, and for silence.
    """
    return RecordedBed(source)


class RecordedBed(Stream):
    """A recording in a loop. Belongs to the process that opened it."""

    def __init__(self, source: Path | Wave) -> None:
        super().__init__(self._loop)
        self._store: IO[bytes] = tempfile.TemporaryFile(prefix="metta-bed-")  # noqa: SIM115 - closed with the bed
        weakref.finalize(self, self._store.close)
        self._middle = np.zeros(2, np.float32)
        self._unit = np.float32(1.0)
        frames = self._fill(source)
        self._fade = min(to_samples(_LOOP_FADE), frames // 4)
        self._turn = frames - self._fade

    def _fill(self, source: Path | Wave) -> int:
        """Decode everything into the store, and learn its level."""
        frames, peak, total, power = 0, 0.0, np.zeros(2), np.zeros(2)
        meter = Meter(RATE, 2)
        for block in _stereo_blocks(source, LONGEST_BED):
            self._store.write(block.tobytes())
            frames += len(block)
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            total += block.sum(axis=0, dtype=np.float64)
            power += np.square(block, dtype=np.float64).sum(axis=0)
            meter.add(block)
        if frames < to_samples(_SHORTEST_BED):
            hint = f"a bed needs at least {_SHORTEST_BED:g} s"
            raise SoundError(f"{_name(source)} is too short for a bed: {frames / RATE:.2f} s", hint=hint)
        middle = total / frames
        rms = math.sqrt(max(0.0, float((power / frames - middle**2).max())))
        if rms < gain(-96):  # the step of 16 bits: what is below is no sound
            raise SoundError(f"{_name(source)} is silent", hint="choose a recording with sound in it")
        self._middle = middle.astype(np.float32)
        self._unit = np.float32(
            min(to_level(rms, meter.result().integrated), gain(_PEAK) / (peak + float(np.abs(middle).max())))
        )
        return frames

    def _stored(self, start: int, frames: int) -> Block:
        self._store.seek(start * 8)  # two channels of four bytes
        block = np.frombuffer(self._store.read(frames * 8), np.float32).reshape(frames, 2)
        return (block - self._middle) * self._unit

    def _loop(self, index: int) -> Block:
        block = np.empty((CHUNK, 2), np.float32)
        done = 0
        while done < CHUNK:
            at = (index * CHUNK + done) % self._turn
            count = min(CHUNK - done, self._turn - at)
            part = self._stored(at, count)
            fading = min(count, self._fade - at)
            if fading > 0:
                towards = smooth((at + np.arange(fading)) / self._fade)[:, None]
                ending = self._stored(self._turn + at, fading)
                part[:fading] = part[:fading] * np.sqrt(towards) + ending * np.sqrt(1 - towards)
            block[done : done + count] = part
            done += count
        return block


def _stereo_blocks(source: Path | Wave, longest: Seconds) -> Iterator[Block]:
    """Blocks at 44.1 kHz, shape ``(frames, 2)``; of more than two channels the first two, a mono one on both sides."""
    left: int = to_samples(longest)
    resampler: soxr.ResampleStream | None = None
    for wave in _waves(source, longest):
        pair = wave.samples[:, :2] if wave.channels > 1 else np.repeat(wave.samples, 2, axis=1)
        block = np.nan_to_num(np.ascontiguousarray(pair), posinf=1.0, neginf=-1.0)
        if wave.rate != RATE:
            resampler = resampler or soxr.ResampleStream(wave.rate, RATE, 2, dtype="float32")
            block = resampler.resample_chunk(block)
        yield block[:left]
        left -= len(block[:left])
        if not left:
            return
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, 2), np.float32), last=True)[:left]


def _waves(source: Path | Wave, longest: Seconds) -> Iterator[Wave]:
    """The sound as it is, a block at a time."""
    if isinstance(source, Wave):
        for start in range(0, source.frames, _BLOCK):
            yield Wave(source.samples[start : start + _BLOCK], source.rate)
        return
    if not source.is_file():
        raise SoundError(f"there is no sound file {source}", hint="check the path")
    try:
        file = soundfile.SoundFile(source)
    except soundfile.LibsndfileError:
        yield from _waves_by_ffmpeg(source, longest)
        return
    with file:
        try:
            for block in file.blocks(_BLOCK, dtype="float32", always_2d=True):
                yield Wave(block, Hertz(file.samplerate))
        except soundfile.LibsndfileError as error:
            raise SoundError(f"{source} is damaged: {error}", hint="convert it anew, for example to FLAC") from error


def _waves_by_ffmpeg(path: Path, longest: Seconds) -> Iterator[Wave]:
    """Through pydub and ffmpeg, what libsndfile does not read (M4A, AAC, WMA, video); in memory while it is read."""
    segments = segment_type()
    from pydub.exceptions import PydubException
    from pydub.utils import which

    if which("ffmpeg") is None:
        hint = "convert it to WAV, FLAC, OGG or MP3, or install ffmpeg, which reads many more"
        raise SoundError(f"{path} is in no format that can be read here", hint=hint)
    try:
        segment = segments.from_file(str(path), duration=longest)
    except (PydubException, OSError, IndexError, KeyError, ValueError) as error:  # whatever ffprobe could not tell it
        raise SoundError(f"{path} is not a sound that can be read", hint="convert it to WAV or FLAC") from error
    for start in range(0, int(segment.frame_count()), _BLOCK):
        yield from_segment(segment.get_sample_slice(start, start + _BLOCK))


def _name(source: Path | Wave) -> str:
    return "the given sound" if isinstance(source, Wave) else str(source)
