"""What the manifest beside a finished file says of the session: what cannot be measured once all is mixed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

SUFFIX = ".manifest.json"
"""After the stem of the recording's name."""

SCHEMA = "metta_audio.manifest/1"

FAR_ENOUGH = 20.0
"""Decibels from speech down to what sounds behind it: WCAG 2.2, success criterion 1.4.7, technique G56."""

_LARGEST = 64 << 20
"""Bytes of a manifest that are read: an hour's is under one megabyte; anything larger is something else."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Figures of a session, as its manifest has them; None where there was nothing to measure, or an older record.

    ``speech_to_bed_min`` and ``_median`` are over spoken lines, in dB; ``speech_to_bed_worst_at`` is where the nearest
    line begins. Shares are from 0 to 1, ``articulation`` and ``net`` in words a minute, times in seconds,
    ``bell_to_voice`` in LU, ``noise_floor`` and ``bed_peak`` in dBFS, ``worst_seam`` in dB. The ``mix_`` figures and
    the seams are from before encoding. ``target`` is the loudness it was made for, in LUFS, ``target_name`` what that
    was called. ``twin`` says whether the same session was also made without a bed,
    ``notes`` what its listener should know.
    """

    target: float | None = None
    target_name: str | None = None
    speech_to_bed_min: float | None = None
    speech_to_bed_median: float | None = None
    speech_to_bed_worst_at: float | None = None
    silence_share: float | None = None
    breath_share: float | None = None
    articulation: float | None = None
    net: float | None = None
    longest_silence: float | None = None
    longest_silence_at: float | None = None
    bell_to_voice: float | None = None
    noise_floor: float | None = None
    bed_peak: float | None = None
    mix_clicks: float | None = None
    mix_dropouts: float | None = None
    seams: float | None = None
    worst_seam: float | None = None
    worst_seam_at: float | None = None
    twin: bool = False
    notes: tuple[str, ...] = ()

    @property
    def wcag(self) -> Literal["mix", "twin", "no"]:
        """What meets WCAG 1.4.7: the mix itself, only its twin without a bed, or neither."""
        if self.speech_to_bed_min is None or self.speech_to_bed_min >= FAR_ENOUGH:
            return "mix"
        return "twin" if self.twin else "no"


def read_record(path: Path) -> dict[str, Any] | None:
    """The manifest beside the recording ``path``, if it is one of exactly this file; else None."""
    beside = path.with_name(path.stem + SUFFIX)
    try:
        if not beside.is_file() or beside.stat().st_size > _LARGEST:
            return None
        record = json.loads(beside.read_text(encoding="utf-8"))
        files = record["files"]
        with path.open("rb") as file:
            same = files[path.name] == hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return record if same and record.get("schema") == SCHEMA else None


def recorded(record: Mapping[str, Any]) -> Recorded:
    """The figures in a manifest. What is of a wrong type counts as not there: the file may be anybody's."""
    measured, loudness = (_table(record, key) for key in ("measured", "loudness"))
    values: dict[str, Any] = {
        field.name: _number(measured.get(field.name)) for field in fields(Recorded) if field.name in measured
    }
    name, notes = loudness.get("target"), record.get("notes")
    notes = notes if isinstance(notes, list) else []
    return Recorded(
        **values
        | {
            "target": _number(loudness.get("lufs")),
            "target_name": str(name)[:20] if isinstance(name, str | float | int) else None,
            "twin": record.get("twin") is True,
            "notes": tuple(str(note)[:500] for note in notes if isinstance(note, str)),
        }
    )


def _table(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value
