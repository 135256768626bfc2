"""The record of all that made a rendering: hashes, versions, seed, measured figures. No time, no path, no name."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from metta_audio.inspection import Inspection
from metta_audio.inspection.record import SCHEMA
from metta_audio.rendering.figures import SessionFigures
from metta_audio.rendering.flow import Plan, says_own_words
from metta_audio.rendering.sources import sha256
from metta_audio.script.model import Line
from metta_audio.sound.monitor import MixFigures
from metta_audio.timeline.model import Event
from metta_audio.units import to_milliseconds, to_seconds

TEXTS = (".vtt", ".srt", ".txt")
"""Suffixes of what holds all that is spoken."""

MAKERS = ("metta-audio", "espeakng-loader", "httpx", "jinja2", "kokoro-onnx", "lameenc", "langcodes", "markdown-it-py",
          "mutagen", "numpy", "onnxruntime", "pillow", "piper-tts", "scipy", "sentencex", "soundfile",
          "soxr")  # fmt: skip
"""Packages whose version can change a byte of the output."""


def manifest(
    plan: Plan,
    inspection: Inspection,
    figures: MixFigures,
    session: SessionFigures,
    files: Sequence[Path],
    *,
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """What goes into ``OUT.manifest.json``. Free-text parameters are named, never shown: they may be a listener's.

    ``extra`` adds what only the render knows: "loudness" (``{"target": name, "lufs": …}``), "twin" (whether there is
    one), "mix" (``duck``, ``beds`` and ``speech``: what the bed's gain follows from), and more. It replaces nothing.
    """
    asked = plan.session
    record = {
        "schema": SCHEMA,
        "practice": asked.name,
        "title": asked.header.title,
        "script_sha256": asked.script_sha256,
        "minutes": asked.minutes,
        "seed": asked.seed,
        "params": {key: value for key, value in asked.params.items() if key not in asked.private},
        "private_params": sorted(asked.private),
        "language": asked.header.language,
        "words_a_minute": float(plan.options.rate or asked.header.wpm),
        "voices": {
            role: {"name": voice.name, "fingerprint": voice.fingerprint, "words_a_minute": float(plan.rate(role))}
            for role, voice in plan.voices.items()
        },
        "fallback": _fallback(plan),
        "roles": {name: role.title or name for name, role in asked.header.roles.items()},
        "bed": {"name": Path(plan.palette.first_bed.name).name, "level_db": float(plan.options.bed_level)},
        "bell": plan.palette.bell_name,
        "lexicon_sha256": plan.speaker.lexicon.fingerprint if plan.speaker else "",
        "sources": dict(sorted({**asked.sources, **plan.palette.sources}.items())),
        "sections": [
            {
                "title": chapter.title,
                "start": to_seconds(chapter.start),
                "seconds": to_seconds(chapter.length),
                "repeats": chapter.repeats,
            }
            for chapter in plan.timeline.chapters
        ],
        "events": [_event(event) for event in plan.timeline.events],
        "measured": _measured(inspection) | asdict(session) | _mixed(figures),
        "files": _files(plan, files),
        "versions": {"python": ".".join(platform.python_version_tuple()[:2])}
        | {name: _version(name) for name in MAKERS},
    }
    return record | {key: value for key, value in extra.items() if key not in record}


def _files(plan: Plan, files: Sequence[Path]) -> dict[str, str | None]:
    """Hash of each file; None for texts that hold a listener's own words, which could be found by trying names."""
    hidden = TEXTS if plan.options.private or says_own_words(plan.session) else ()
    return {path.name: None if path.suffix in hidden else sha256(path) for path in files}


def _fallback(plan: Plan) -> dict[str, Any] | None:
    """By which voice the lines were spoken that a person has not recorded, and when; None where there are none."""
    voice = plan.speaker.fallback if plan.speaker else None
    starts = [
        _seconds(event.start)
        for event in plan.timeline.events
        if isinstance(event.item, Line) and plan.spoken[event.item].by != plan.voices[event.item.role].name
    ]
    return {"name": voice.name, "fingerprint": voice.fingerprint, "lines": starts} if voice and starts else None


def _event(event: Event) -> dict[str, Any]:
    """When something sounds, for how long, and who speaks: never what is said. Seconds, to the millisecond."""
    start, end = (to_milliseconds(at) / 1000 for at in (event.start, event.end))
    record: dict[str, Any] = {"kind": event.kind, "start": start, "seconds": round(end - start, 3)}
    if event.role:
        record["role"] = event.role
    return record


def _measured(inspection: Inspection) -> dict[str, Any]:
    return {
        "frames": inspection.frames,
        "rate": inspection.rate,
        "seconds": inspection.seconds,
        "lufs": inspection.lufs,
        "loudness_range": inspection.loudness_range,
        "true_peak_dbtp": inspection.true_peak,
        "clicks": inspection.clicks,
        "dropouts": inspection.dropouts,
        "clipped": inspection.clipped,
        "quietest_dbfs": inspection.quietest,
        "longest_still": inspection.longest_still,
    }


def _mixed(figures: MixFigures) -> dict[str, Any]:
    """What was measured while voice, cues and bed were apart; None for what is not there."""
    faults, worst = figures.faults, figures.worst_line
    return {
        "speech_to_bed_min": figures.speech_to_bed_min,
        "speech_to_bed_median": figures.speech_to_bed_median,
        "speech_to_bed_worst_at": None if worst is None else _seconds(figures.lines[worst][0]),
        "speech_to_bed": [
            {"start": _seconds(start), "db": _finite(distance)}
            for (start, _), distance in zip(figures.lines, figures.speech_to_bed, strict=True)
        ],
        "bell_to_voice": figures.bell_to_voice,
        "noise_floor": figures.noise_floor,
        "bed_peak": _finite(figures.bed_peak),
        "mix_clicks": faults.clicks,
        "mix_dropouts": faults.dropouts,
        "mix_fault_places": [_seconds(place) for place in faults.places],
        "seams": faults.seams,
        "worst_seam": faults.worst_seam,
        "worst_seam_at": _seconds(faults.worst_seam_at),
    }


def _seconds(frame: int | None) -> float | None:
    return None if frame is None else to_milliseconds(frame) / 1000


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
