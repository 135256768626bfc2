"""Container formats: which there are, and streaming sound into one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from metta_audio.encode.mp3 import Mp3Writer
from metta_audio.encode.ogg import fix_serial
from metta_audio.errors import EncodeError, did_you_mean
from metta_audio.sound.wave import Block
from metta_audio.units import RATE, Hertz

VORBIS_LEVEL = 0.6
"""libsndfile's compression level for Vorbis: quality 4 of 10, about 128 kbps, as much as the MP3 has."""


@dataclass(frozen=True, slots=True)
class Container:
    """A file format. ``rate`` is what the file holds, in Hz; ``format`` and ``subtype`` are libsndfile's names."""

    name: str
    suffix: str
    mime: str
    format: str
    subtype: str
    rate: Hertz = RATE
    compression: float | None = None

    def frames(self, frames: int) -> int:
        """How many samples the file holds for ``frames`` of the mix."""
        return (frames * self.rate + RATE // 2) // RATE


_ALL = (
    Container("mp3", ".mp3", "audio/mpeg", "MP3", "MPEG_LAYER_III"),
    # 24 bits need no dither, so that quiet fades keep their bytes the same everywhere.
    Container("flac", ".flac", "audio/flac", "FLAC", "PCM_24"),
    Container("wav", ".wav", "audio/wav", "WAV", "PCM_24"),
    Container("ogg", ".ogg", "audio/ogg", "OGG", "VORBIS", compression=VORBIS_LEVEL),
    # Opus knows 48 kHz only.
    Container("opus", ".opus", "audio/ogg", "OGG", "OPUS", rate=Hertz(48_000)),
)
CONTAINERS = {container.name: container for container in _ALL}


def container(name: str) -> Container:
    """The format called ``name``. Raises EncodeError with a suggestion."""
    try:
        return CONTAINERS[name.lower().lstrip(".")]
    except KeyError:
        hint = did_you_mean(name.lower().lstrip("."), CONTAINERS)
        raise EncodeError(f'unknown format "{name}"', hint=hint) from None


def container_of(path: Path, name: str = "") -> Container:
    """The format called ``name``, else the one that the suffix of ``path`` tells, else MP3.

    Raises EncodeError for an unknown format, and where the suffix tells another one: players go by it.
    """
    told = CONTAINERS.get(path.suffix.lower().lstrip("."))
    kind = container(name or path.suffix or "mp3")
    if told is not None and told is not kind:
        hint = f'leave the format out, or call the file "{path.stem}{kind.suffix}"'
        raise EncodeError(f'"{path.name}" is no name for {kind.name}', hint=hint)
    return kind


def write_audio(
    path: Path,
    kind: Container,
    blocks: Iterable[Block],
    *,
    frames: int,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Encode stereo ``blocks`` (44.1 kHz, ``frames`` in all) into a new file at ``path``.

    The encoder runs in a thread of its own, one block behind the mix, so that both keep a core busy.
    ``progress`` is told the samples mixed so far. Raises EncodeError when the file cannot be written whole.
    """
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="encoder") as encoder, _opened(path, kind) as file:
            writing: Future[None] | None = None
            try:
                for block in _resampled(_counted(blocks, progress), kind, frames):
                    if writing is not None:
                        writing.result()
                    writing = encoder.submit(file.write, block)
            finally:
                if writing is not None:
                    writing.result()
    except (OSError, RuntimeError) as error:
        with suppress(OSError):
            if path.is_file():  # and not a device
                path.unlink()
        raise EncodeError(f"cannot write the {kind.name} file: {error}", hint="is there room on the disk?") from error
    if kind.format == "OGG":
        fix_serial(path)


class _Writer(Protocol):
    def write(self, block: Block) -> None: ...


@contextmanager
def _opened(path: Path, kind: Container) -> Iterator[_Writer]:
    """A new file that takes blocks. MP3 goes to LAME directly; libsndfile writes all others."""
    if kind.name == "mp3":
        with path.open("w+b") as raw, Mp3Writer(raw) as mp3:
            yield mp3
        return
    import soundfile

    with soundfile.SoundFile(
        path, "w", kind.rate, 2, kind.subtype, format=kind.format, compression_level=kind.compression
    ) as file:
        yield file


def _counted(blocks: Iterable[Block], progress: Callable[[int], None]) -> Iterator[Block]:
    done = 0
    for block in blocks:
        yield block
        done += block.shape[0]
        progress(done)


def _resampled(blocks: Iterable[Block], kind: Container, frames: int) -> Iterator[Block]:
    """The blocks at the container's rate, exactly ``kind.frames(frames)`` in all."""
    if kind.rate == RATE:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(RATE, kind.rate, 2, dtype="float32", quality="HQ")
    left = kind.frames(frames)
    for block in blocks:
        out = stream.resample_chunk(block)[:left]
        left -= out.shape[0]
        yield out
    tail = stream.resample_chunk(np.zeros((0, 2), np.float32), last=True)[:left]
    yield tail
    if left > tail.shape[0]:
        yield np.zeros((left - tail.shape[0], 2), np.float32)
