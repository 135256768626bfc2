"""Measure a finished file: nothing in a report is claimed that was not read from the decoded sound."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from metta_audio.encode.tags import read_tags
from metta_audio.errors import EncodeError
from metta_audio.inspection.record import Recorded, read_record, recorded
from metta_audio.sound.clicks import FaultFinder
from metta_audio.sound.loudness import Meter
from metta_audio.sound.silence import StillnessMeter
from metta_audio.sound.wave import Block

SCHEMA = "metta_audio.inspection/1"

BLOCK = 1 << 16
"""Frames decoded at a time: memory stays the same for an hour as for a minute."""

_ABSURD = 16.0
"""24 dB over full scale: no decoder overshoots by so much."""

READABLE = "give a WAV, FLAC, OGG, Opus or MP3 file"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a finished file holds.

    ``frames`` is exact, from decoding it all. ``lufs`` and ``true_peak`` (dBTP) are None for silence. ``captions`` is
    how many cues stand in the VTT file beside it, None where there is no such file.

    ``clicks``, ``dropouts`` and ``clipped`` (samples) are as in ``sound.clicks.Faults``, ``fault_places`` in seconds.
    ``quietest`` is the RMS of the quietest second in dBFS, None for digital silence or less than a second;
    ``longest_still`` is the longest stretch below -60 dBFS in seconds, from ``longest_still_at`` on. ``session`` is
    what was recorded of exactly this file when it was made, None where no such record lies beside it.
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
    clicks: int = 0
    dropouts: int = 0
    clipped: int = 0
    fault_places: tuple[float, ...] = ()
    quietest: float | None = None
    longest_still: float = 0.0
    longest_still_at: float = 0.0
    session: Recorded | None = None

    def with_record(self, record: Mapping[str, Any]) -> Inspection:
        """The same, with what ``record`` (a manifest) says of the session."""
        return replace(self, session=recorded(record))

    def to_json(self) -> dict[str, Any]:
        """As JSON, under its schema name."""
        record = asdict(self)
        record["chapters"] = [{"start": start, "title": title} for start, title in self.chapters]
        if self.session is not None:
            record["session"]["wcag_1_4_7"] = self.session.wcag
        return {"schema": SCHEMA, **record}


def inspect(path: str | Path, *, progress: Callable[[int], None] = lambda _: None) -> Inspection:
    """Decode and measure ``path``; ``progress`` is told the samples decoded so far.

    Raises EncodeError where it is no sound that can be read.
    """
    path = Path(path)
    if not path.is_file():
        what = f"{path} is no ordinary file" if path.exists() else f"no such file: {path}"
        raise EncodeError(what, hint=READABLE)
    kind, rate, channels, meters = _measured(path, progress)
    loudness, faults, stillness = meters.loudness.result(), meters.faults.result(), meters.stillness.result()
    tags = read_tags(path)
    found = Inspection(
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
        clicks=faults.clicks,
        dropouts=faults.dropouts,
        clipped=faults.clipped,
        fault_places=tuple(round(place / rate, 3) for place in faults.places),
        quietest=_finite(stillness.quietest),
        longest_still=stillness.longest,
        longest_still_at=stillness.at,
    )
    record = read_record(path)
    return found if record is None else found.with_record(record)


class _Meters:
    """All that listens while a file is decoded."""

    def __init__(self, rate: int, channels: int) -> None:
        self.loudness = Meter(rate, channels)
        self.faults = FaultFinder(channels)
        self.stillness = StillnessMeter(rate, channels)

    def add(self, block: Block) -> None:
        self.loudness.add(block)
        # What is no number, or absurdly large, has no differences either.
        sane = block if np.abs(block).max(initial=0.0) <= _ABSURD else np.clip(np.nan_to_num(block), -_ABSURD, _ABSURD)
        self.faults.add(sane)
        self.stillness.add(sane)


def _measured(path: Path, progress: Callable[[int], None]) -> tuple[str, int, int, _Meters]:
    """Format, rate, channels, and what was measured of all frames."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            meters = _Meters(file.samplerate, file.channels)
            done = 0
            while (block := file.read(BLOCK, dtype="float32", always_2d=True)).shape[0]:
                meters.add(block)
                done += block.shape[0]
                progress(done)
            return f"{file.format} {file.subtype}", int(file.samplerate), int(file.channels), meters
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        # TypeError: soundfile wants to be told what a file called *.raw holds.
        raise EncodeError(f"cannot read {path} as sound", hint=READABLE) from error


def _finite(value: float | None) -> float | None:
    return round(value, 2) if value is not None and math.isfinite(value) else None


def _count_captions(path: Path) -> int | None:
    try:
        return len(re.findall(r"^\S+ --> \S+", path.read_text(encoding="utf-8"), re.MULTILINE))
    except (OSError, UnicodeDecodeError):
        return None
