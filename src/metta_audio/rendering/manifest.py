"""The record of all that made a rendering: hashes, versions, seed, measured figures. No time, no path, no name."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from metta_audio.inspection import Inspection
from metta_audio.rendering.flow import Plan
from metta_audio.rendering.sources import sha256
from metta_audio.units import to_seconds

SCHEMA = "metta_audio.manifest/1"

MAKERS = ("metta-audio", "espeakng-loader", "jinja2", "lameenc", "langcodes", "markdown-it-py", "mutagen", "numpy",
          "pillow", "scipy", "sentencex", "soundfile", "soxr")  # fmt: skip
"""Packages whose version can change a byte of the output."""


def manifest(plan: Plan, inspection: Inspection, speech_to_bed: float | None, files: list[Path]) -> dict[str, Any]:
    """What goes into ``OUT.manifest.json``. Free-text parameters are named, never shown: they may be a listener's."""
    session = plan.session
    return {
        "schema": SCHEMA,
        "practice": session.name,
        "title": session.header.title,
        "script_sha256": session.script_sha256,
        "minutes": session.minutes,
        "seed": session.seed,
        "params": {key: value for key, value in session.params.items() if key not in session.private},
        "private_params": sorted(session.private),
        "language": session.header.language,
        "words_a_minute": float(plan.options.rate or session.header.wpm),
        "voices": {
            role: {"name": voice.name, "fingerprint": voice.fingerprint, "words_a_minute": float(plan.rate(role))}
            for role, voice in plan.voices.items()
        },
        "bed": {"name": Path(plan.palette.bed_name).name, "level_db": float(plan.options.bed_level)},
        "bell": plan.palette.bell_name,
        "sources": dict(sorted({**session.sources, **plan.palette.sources}.items())),
        "sections": [
            {
                "title": chapter.title,
                "start": to_seconds(chapter.start),
                "seconds": to_seconds(chapter.length),
                "repeats": chapter.repeats,
            }
            for chapter in plan.timeline.chapters
        ],
        "measured": {
            "frames": inspection.frames,
            "rate": inspection.rate,
            "seconds": inspection.seconds,
            "lufs": inspection.lufs,
            "loudness_range": inspection.loudness_range,
            "true_peak_dbtp": inspection.true_peak,
            "speech_to_bed_db": speech_to_bed,
        },
        "files": {path.name: sha256(path) for path in files},
        "versions": {"python": ".".join(platform.python_version_tuple()[:2])}
        | {name: _version(name) for name in MAKERS},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
