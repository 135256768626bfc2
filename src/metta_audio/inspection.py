"""Measure a finished file: nothing in a report is claimed that was not read from the decoded sound."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metta_audio.encode.tags import read_tags
from metta_audio.errors import EncodeError
from metta_audio.sound.loudness import Meter

SCHEMA = "metta_audio.inspection/1"

BLOCK = 1 << 16
"""Frames decoded at a time: memory stays the same for an hour as for a minute."""

_READABLE = "give a WAV, FLAC, OGG, Opus or MP3 file"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a finished file holds.

    ``frames`` is exact, from decoding it all. ``lufs`` and ``true_peak`` (dBTP) are None for silence. ``captions`` is
    how many cues stand in the VTT file beside it, None where there is no such file.
    """

    file: str
    format: str
    frames: int
    seconds: float
    rate: int
    channels: int
    lufs: float | None
    loudness_range: float | None
    true_peak: float | None
    chapters: tuple[tuple[float, str], ...]
    tags: dict[str, str]
    captions: int | None

    def to_json(self) -> dict[str, Any]:
        """As JSON, under its schema name."""
        record = asdict(self)
        record["chapters"] = [{"start": start, "title": title} for start, title in self.chapters]
        return {"schema": SCHEMA, **record}


def inspect(path: str | Path, *, progress: Callable[[int], None] = lambda _: None) -> Inspection:
    """Decode and measure ``path``; ``progress`` is told the samples decoded so far.

    Raises EncodeError where it is no sound that can be read.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        what = f"{path} is no ordinary file" if path.exists() else f"no such file: {path}"
        raise EncodeError(what, hint=_READABLE)
    try:
        with soundfile.SoundFile(path) as file:
            meter = Meter(file.samplerate, file.channels)
            done = 0
            while (block := file.read(BLOCK, dtype="float32", always_2d=True)).shape[0]:
                meter.add(block)
                done += block.shape[0]
                progress(done)
            rate, channels, kind = int(file.samplerate), int(file.channels), f"{file.format} {file.subtype}"
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        # TypeError: soundfile wants to be told what a file called *.raw holds.
        raise EncodeError(f"cannot read {path} as sound", hint=_READABLE) from error
    loudness = meter.result()
    tags = read_tags(path)
    return Inspection(
        file=path.name,
        format=kind,
        frames=loudness.frames,
        seconds=loudness.frames / rate,
        rate=rate,
        channels=channels,
        lufs=_finite(loudness.integrated),
        loudness_range=_finite(loudness.range),
        true_peak=_finite(loudness.true_peak),
        chapters=tags.chapters,
        tags=tags.text,
        captions=_count_captions(path.with_suffix(".vtt")),
    )


def _finite(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def _count_captions(path: Path) -> int | None:
    try:
        return len(re.findall(r"^\S+ --> \S+", path.read_text(encoding="utf-8"), re.MULTILINE))
    except (OSError, UnicodeDecodeError):
        return None
