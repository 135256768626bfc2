"""Sound files of any format as a stream of blocks, in memory that does not grow with their length."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
import soxr

from metta_audio.errors import SoundError
from metta_audio.sound.audio_segment import from_segment, segment_type
from metta_audio.sound.downmix import to_stereo
from metta_audio.sound.wave import Block, Wave
from metta_audio.units import RATE, Hertz, Seconds, to_samples

if TYPE_CHECKING:
    from pydub import AudioSegment

_BLOCK = 1 << 17
"""Samples of all channels read at a time: half a megabyte."""

_RATES = (4000, 768_000)
"""Hz. Below the lowest speech of a telephone has no place; above the highest there is no recorder."""

_SLICE = Seconds(120)
_SLICE_BYTES = 1 << 25
"""What pydub decodes at a time, and holds in memory five times over: 95 s of stereo. Each time it decodes from the
beginning of the file, so that slices must not be small: the ten minutes of a bed take about ten seconds."""

_WHOLE_WAV = 1 << 28
"""Bytes. pydub reads a file called .wav whole before it asks ffmpeg: a quarter of a gigabyte is borne."""

_LOUDEST = np.float32(1e6)
"""Full scale +120 dB. Floats scaled as integers stay below; what lies above would overflow."""

_VORBIS = {3: (0, 2, 1), 5: (0, 2, 1, 3, 4), 6: (0, 2, 1, 5, 3, 4), 7: (0, 2, 1, 6, 5, 3, 4),
           8: (0, 2, 1, 7, 5, 6, 3, 4)}  # fmt: skip
"""Number of channels → where Ogg has those that WAV has in its order: Vorbis I, 4.3.9, and RFC 7845, 5.1.1.2."""


def waves(source: Path | Wave, longest: Seconds) -> Iterator[Wave]:
    """The sound as it is, a block at a time, at least its first ``longest`` seconds; channels in the order of WAV.

    Through libsndfile, or through pydub and ffmpeg what that does not read (M4A, AAC, WMA, video). Raises SoundError
    for whatever is no sound, or damaged.
    """
    blocks = _cut(source) if isinstance(source, Wave) else _read(source, longest)
    for wave in blocks:
        low, high = _RATES
        if not wave.channels:
            raise SoundError(f"{name_of(source)} has no channels", hint="choose another sound")
        if not low <= wave.rate <= high:
            raise SoundError(f"{name_of(source)} has {wave.rate:,} samples a second", hint=f"give {low:,} to {high:,}")
        yield wave


def at_our_rate(blocks: Iterator[Wave], longest: Seconds) -> Iterator[Block]:
    """Blocks at 44.1 kHz, shape ``(frames, 2)``, finite, ``longest`` seconds at most."""
    left: int = to_samples(longest)
    resampler: soxr.ResampleStream | None = None
    for wave in blocks:
        samples = np.nan_to_num(wave.samples, posinf=1.0, neginf=-1.0)
        block = to_stereo(np.clip(samples, -_LOUDEST, _LOUDEST))
        if wave.rate != RATE:
            resampler = resampler or soxr.ResampleStream(wave.rate, RATE, 2, dtype="float32")
            block = resampler.resample_chunk(np.ascontiguousarray(block))
        yield block[:left]
        left -= len(block[:left])
        if not left:
            return
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, 2), np.float32), last=True)[:left]


def stated_seconds(source: Path | Wave) -> Seconds:
    """How long the file says it is; 0 where it does not say. Nothing is decoded."""
    if isinstance(source, Wave):
        return source.seconds
    try:
        with soundfile.SoundFile(source) as file:
            seconds = file.frames / file.samplerate
    except (soundfile.LibsndfileError, TypeError):
        seconds = _number(_probe(source).get("format", {}).get("duration"))
    # A header that does not know counts as far as it can.
    return Seconds(seconds if seconds < 1e7 else 0.0)


def name_of(source: Path | Wave) -> str:
    """What an error calls it."""
    return "the given sound" if isinstance(source, Wave) else str(source)


def _cut(wave: Wave) -> Iterator[Wave]:
    frames = _frames(wave.channels)
    for start in range(0, wave.frames, frames):
        yield Wave(wave.samples[start : start + frames], wave.rate)


def _frames(channels: int) -> int:
    return _BLOCK // min(max(1, channels), _BLOCK)


def _read(path: Path, longest: Seconds) -> Iterator[Wave]:
    _must_be_a_file(path)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError):  # TypeError: a .raw says nothing of itself
        yield from _through_ffmpeg(path, longest)
        return
    with file:
        order = list(_VORBIS.get(file.channels, range(file.channels)) if file.format == "OGG" else range(file.channels))
        try:
            # Not file.blocks: where a file breaks off, that gives the last block again and again.
            while len(block := file.read(_frames(file.channels), dtype="float32", always_2d=True)):
                yield Wave(block if order == sorted(order) else block[:, order], Hertz(file.samplerate))
        except soundfile.LibsndfileError as error:
            raise SoundError(f"{path} is damaged: {error}", hint="convert it anew, for example to FLAC") from error


def _must_be_a_file(path: Path) -> None:
    """Before anything opens it: a pipe would wait for ever, a device would never end."""
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            with path.open("rb"):
                pass
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SoundError(f"there is no sound file {path}", hint="check the path") from error
    except OSError as error:
        raise SoundError(f"{path} cannot be opened: {error.strerror}", hint="check its permissions") from error
    if stat.S_ISDIR(found.st_mode):
        raise SoundError(f"{path} is no sound file but a folder", hint="give the name of a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise SoundError(f"{path} is no sound file but a pipe or device", hint="save the sound to a file first")
    if not found.st_size:
        raise SoundError(f"{path} is empty", hint="copy or download it again")


def _through_ffmpeg(path: Path, longest: Seconds) -> Iterator[Wave]:
    """Slice by slice, until one comes up short."""
    seconds = _slice_seconds(path)
    for start in range(0, int(longest) + 1, seconds):
        segment = _slice(path, start, seconds)
        frames = int(segment.frame_count())
        for at in range(0, frames, _frames(segment.channels)):
            yield from_segment(segment.get_sample_slice(at, at + _frames(segment.channels)))
        if frames < seconds * segment.frame_rate:
            return
        del segment  # before the next is there


def _slice_seconds(path: Path) -> int:
    """Whole seconds: only those are cut at the sample that was meant, at every rate."""
    streams = [stream for stream in _probe(path).get("streams", ()) if stream.get("codec_type") == "audio"]
    if not streams:
        raise SoundError(f"{path} is not a sound that can be read", hint="convert it to WAV or FLAC")
    bytes_a_second = 4 * _number(streams[0].get("sample_rate")) * _number(streams[0].get("channels"))
    return int(max(1.0, min(_SLICE, _SLICE_BYTES / max(1.0, bytes_a_second))))


def _slice(path: Path, start: int, seconds: int) -> AudioSegment:
    segments = segment_type()
    from pydub.exceptions import PydubException

    # Without the last, ffmpeg would take what a shell's loop is reading for keys that were pressed.
    options = {"start_second": start, "duration": seconds, "parameters": ["-nostdin"]}
    try:
        return segments.from_file(str(path.absolute()), **options)
    except (PydubException, OSError, IndexError, KeyError, ValueError) as error:  # whatever ffprobe could not tell it
        raise SoundError(f"{path} is not a sound that can be read", hint="convert it to WAV or FLAC") from error


def _probe(path: Path) -> dict[str, Any]:
    """What ffprobe says of a file; nothing where it makes nothing of it."""
    segment_type()
    from pydub.utils import mediainfo_json, which

    if which("ffmpeg") is None or which("ffprobe") is None:
        hint = "convert it to WAV, FLAC, OGG or MP3, or install ffmpeg, which reads many more"
        raise SoundError(f"{path} is in no format that can be read here", hint=hint)
    if path.suffix.lower() == ".wav" and path.stat().st_size > _WHOLE_WAV:
        raise SoundError(f"{path} is a WAV file of a kind that cannot be read", hint="convert it to FLAC")
    try:
        # Whole, so that no name is taken for an option or an address.
        said = mediainfo_json(str(path.absolute()))
    except (OSError, IndexError, KeyError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _number(said: object) -> float:
    try:
        return float(str(said))
    except ValueError:
        return 0.0
