"""A clip as bytes: what was measured, ready to be read at once, and the sound, each under a checksum of its own."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soundfile

from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import onset
from metta_audio.speech.clip import Clip
from metta_audio.speech.voice import Word
from metta_audio.units import RATE, Samples

FORMAT = 3
"""Counts changes of the file format: part of a clip's name, so that an old file is never misread."""

_HEAD = struct.Struct(">8s16sII")
"""Mark, digest of what follows up to the sound, length of the note, length of the sound. In bytes."""

_MARK = b"metta\0c3"
"""First bytes of every clip. The null keeps other programs from taking it for a text."""

_DIGEST_BYTES = 16
"""128 bits: no fault of a disk gives the right ones by chance."""

_SHIFT = 8
"""libsndfile reads and writes 24-bit samples in the upper bits of 32."""

_LONGEST_NOTE = 1 << 20
"""Bytes. A sentence of a hundred words takes two thousand."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A clip without its sound, in samples at 44.1 kHz: its length, where it is first heard, where words begin."""

    length: Samples
    onset: Samples
    words: tuple[Word, ...]


def measure(clip: Clip) -> Measured:
    """What is known of ``clip`` without its sound."""
    return Measured(Samples(clip.wave.frames), onset(clip.wave), clip.words)


def pack(clip: Clip, told: Measured) -> bytes:
    """The clip as bytes, what was measured first, then the sound in FLAC.

    Nothing in them is text, other than where its words begin and end.
    """
    sound = _flac(clip)
    words = [[word.start, word.end, word.onset] for word in told.words]
    note = json.dumps([told.length, told.onset, words, _digest(sound)], separators=(",", ":")).encode()
    return _HEAD.pack(_MARK, _sealed(note, len(sound)), len(note), len(sound)) + note + sound


def measured(read: Callable[[int], bytes], size: int) -> Measured:
    """What was measured, from the beginning of a file of ``size`` bytes that ``read`` reads on from.

    The sound is not looked at, other than that it is all there. Raises ValueError where something is damaged.
    """
    return _note(read, size)[0]


def unpack(content: bytes) -> Clip:
    """The clip in ``content``. Raises ValueError where anything is damaged."""
    stream = io.BytesIO(content)
    told, digest = _note(stream.read, len(content))
    sound = stream.read()
    if _digest(sound) != digest:
        raise ValueError("the sound is damaged")
    try:
        stored, rate = soundfile.read(io.BytesIO(sound), dtype="int32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise ValueError("the sound is damaged") from error
    if rate != RATE or len(stored) != told.length:
        raise ValueError("the sound is another than was measured")
    return Clip(Wave.mono(((stored >> _SHIFT) / float(1 << 23)).astype(np.float32)), told.words)


def _note(read: Callable[[int], bytes], size: int) -> tuple[Measured, str]:
    head = read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise ValueError("too short")
    mark, seal, note_bytes, sound_bytes = _HEAD.unpack(head)
    if mark != _MARK or note_bytes > _LONGEST_NOTE or size != _HEAD.size + note_bytes + sound_bytes:
        raise ValueError("no clip, or not all of it")
    note = read(note_bytes)
    if _sealed(note, sound_bytes) != seal:
        raise ValueError("the note is damaged")
    length, first, words, digest = json.loads(note)
    told = tuple(Word(start, end, Samples(at)) for start, end, at in words)
    return Measured(Samples(length), Samples(first), told), digest


def _sealed(note: bytes, sound_bytes: int) -> bytes:
    return hashlib.blake2b(struct.pack(">I", sound_bytes) + note, digest_size=_DIGEST_BYTES).digest()


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()


def _flac(clip: Clip) -> bytes:
    # In memory: libsndfile writes a Python file through callbacks, and an error in one of them, such as a full disk,
    # is printed as a traceback and lost.
    stored = np.rint(clip.wave.samples[:, 0] * np.float32(1 << 23)).astype(np.int32) << _SHIFT
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", RATE, 1, "PCM_24", format="FLAC", compression_level=0.0) as file:
        file.write(stored)
    return content.getvalue()
