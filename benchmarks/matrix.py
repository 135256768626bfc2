"""Every practice over every bed, and in every format: loudness, peak, and how far the bed lies below each line.

Loudness and peak are read from the decoded file by ffmpeg's ebur128. Practices are rendered at their shortest unless
``--longest`` asks for the other end. Exits 1 when a figure is missed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench import ebur128

import metta_audio as metta
from metta_audio.encode.container import CONTAINERS

WITHIN = 0.3
"""LU around the target."""

MOST_PEAK = -1.0
LEAST_DISTANCE = 20.0


Case = tuple[str, float, str, str]
"""Practice, minutes, bed, and the suffix of the format."""


def cases(*, longest: bool = False) -> list[Case]:
    """Every practice over every bed as MP3, and the first in every format."""
    shelves = metta.Shelves.standard()
    minutes = {name: metta.load(name).header.minutes for name in shelves.practices()}
    lengths = {name: each.max if longest else each.min for name, each in minutes.items()}
    beds = (*shelves.beds(), "ocean:-3+drone", "none")
    over_beds = [(name, length, bed, ".mp3") for name, length in lengths.items() for bed in beds]
    first, length = next(iter(lengths.items()))
    return over_beds + [(first, length, "rain", kind.suffix) for kind in CONTAINERS.values()]


def rendered(practice: str, minutes: float, bed: str, suffix: str, folder: Path) -> tuple[bool, str, str]:
    """Whether one recording keeps all three numbers, what it is, and the numbers."""
    session = metta.fill(metta.load(practice), minutes=minutes)
    plan = metta.plan(session, metta.Options(bed=bed))
    path = folder / f"{practice}{suffix}"
    report = metta.render(plan).save(path)
    lufs, peak = ebur128(path)
    distance = report.speech_to_bed
    target = float(plan.mastering.target)
    ok = abs(lufs - target) <= WITHIN and peak <= MOST_PEAK and (distance is None or distance >= LEAST_DISTANCE)
    away = "" if distance is None else f", {distance:.1f} dB"
    return ok, f"{practice} {minutes:g} min, {bed}{suffix}", f"{lufs:.1f} LUFS, {peak:.1f} dBTP{away}"


def main() -> int:
    missed = 0
    with tempfile.TemporaryDirectory(prefix="metta-matrix-") as folder:
        for case in cases(longest="--longest" in sys.argv):
            ok, name, figures = rendered(*case, Path(folder))
            missed += not ok
            print(f"{'ok  ' if ok else 'MISS'} {name:<48} {figures}", flush=True)
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
