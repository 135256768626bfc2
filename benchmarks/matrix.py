"""Every practice over every bed, and in every format: loudness, peak, and how far the bed lies below each line.

Loudness and peak are read from the decoded file by ffmpeg's ebur128. Practices are rendered at their shortest unless
``--longest`` asks for the other end. Exits 1 when a figure is missed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import metta_audio as metta
from metta_audio.encode.container import CONTAINERS

WITHIN = 0.3
"""LU around the target."""

MOST_PEAK = -1.0
LEAST_DISTANCE = 20.0


def ebur128(path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak of the decoded file, by ffmpeg."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    summary = text[text.rindex("Summary:") :]
    lufs = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert lufs
    assert peak
    return float(lufs[1]), float(peak[1])


def rendered(
    practice: str, minutes: float, bed: str, suffix: str, folder: Path, **options: float | str
) -> tuple[bool, str]:
    """Whether one recording keeps all three numbers, and its line of the table."""
    session = metta.fill(metta.load(practice), minutes=minutes)
    plan = metta.plan(session, metta.Options(bed=bed, **options))  # type: ignore[arg-type]
    path = folder / f"{practice}{suffix}"
    report = metta.render(plan).save(path)
    lufs, peak = ebur128(path)
    distance = report.speech_to_bed
    target = float(plan.mastering.target)
    ok = abs(lufs - target) <= WITHIN and peak <= MOST_PEAK and (distance is None or distance >= LEAST_DISTANCE)
    away = "" if distance is None else f"{distance:5.1f} dB"
    name = f"{practice} {minutes:g} min, {bed}{suffix}"
    return ok, f"{'ok  ' if ok else 'MISS'} {name:<48} {lufs:6.1f} LUFS  {peak:5.1f} dBTP  {away}"


def main() -> int:
    longest = "--longest" in sys.argv
    shelves = metta.Shelves.standard()
    practices = {name: metta.load(name).header.minutes for name in shelves.practices()}
    missed = 0
    with tempfile.TemporaryDirectory(prefix="metta-matrix-") as folder:
        cases = [
            (name, minutes.max if longest else minutes.min, bed, ".mp3")
            for name, minutes in practices.items()
            for bed in (*shelves.beds(), "ocean:-3+drone", "none")
        ]
        first = next(iter(practices))
        cases += [(first, practices[first].min, "rain", kind.suffix) for kind in CONTAINERS.values()]
        for name, minutes, bed, suffix in cases:
            ok, line = rendered(name, minutes, bed, suffix, Path(folder))
            missed += not ok
            print(line, flush=True)
    print(f"{len(cases) - missed} of {len(cases)} met")
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
