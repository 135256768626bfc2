"""The numbers this project promises, measured on this machine: ``make bench``.

Timings are ratios within one run: the same session is also made with pydub and ffmpeg, the way most scripts do it.
Loudness and peak are read from the decoded file by ffmpeg's ebur128, not by our own meter. Exits 1 when a number is
missed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RATE = 44_100

HOUR = """---
title: One hour
minutes: {default: 10, min: 3, max: 60}
---
# Sitting {repeat=1..60}

You may notice the breath, wherever it is easiest to feel. It can be as long or as short as it is. [pause 5s..20s]

Whatever comes may stay for a while, and may go again. [silence 20s..60s]

# Returning

Let your feet feel the floor. [bell]
"""


@dataclass(frozen=True)
class Run:
    """One command: seconds, peak memory in MB, and what it printed."""

    seconds: float
    megabytes: float
    out: str


def run(*command: str | Path, cache: Path, rounds: int = 1, fresh: bool = False) -> Run:
    """Median of ``rounds`` runs; ``fresh`` empties the cache before each."""
    results = []
    for _ in range(rounds):
        if fresh:
            shutil.rmtree(cache, ignore_errors=True)
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, "METTA_CACHE": str(cache)}, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        out = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"failed: {command}")
        results.append(Run(time.perf_counter() - begin, usage.ru_maxrss / 1024, out))
    return sorted(results, key=lambda each: each.seconds)[len(results) // 2]


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


def decoded_frames(path: Path) -> int:
    """Samples per channel that ffmpeg decodes."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-"]
    return len(subprocess.run(command, check=True, capture_output=True).stdout) // 2


ROWS: list[tuple[str, str, str, bool]] = []


def row(what: str, must: str, measured: str, ok: bool) -> None:
    """One line of the table."""
    ROWS.append((what, must, measured, ok))
    print(f"{'ok  ' if ok else 'MISS'} {what:<58} {must:<26} {measured}", flush=True)


def main() -> None:
    """Measure, print, and exit 1 when a number is missed."""
    metta = Path(sys.executable).with_name("metta")
    for program in ("ffmpeg",):
        if shutil.which(program) is None:
            raise SystemExit(f"the benchmark measures with {program}: install it first")
    with tempfile.TemporaryDirectory(prefix="metta-bench-") as folder:
        here = Path(folder)
        cache = here / "cache"
        start_up(metta, cache)
        ten_minutes(metta, here, cache)
        memory(metta, here, cache)
        speed()
        voices()
        practices(metta, here, cache)
        os.environ["METTA_CACHE"] = str(cache)
        every_bed(here)
    missed = [what for what, _, _, ok in ROWS if not ok]
    print(f"\n{len(ROWS) - len(missed)} of {len(ROWS)} met" + (f"; missed: {'; '.join(missed)}" if missed else ""))
    sys.exit(bool(missed))


def start_up(metta: Path, cache: Path) -> None:
    """How long a person waits for help."""
    helped = run(metta, "--help", cache=cache, rounds=5)
    row("metta --help", "< 0.3 s", f"{helped.seconds:.2f} s", helped.seconds < 0.3)


def ten_minutes(metta: Path, here: Path, cache: Path) -> None:
    """Ten minutes of metta-classic: time, bytes, loudness; and the same session with pydub and ffmpeg."""
    cold, warm = here / "cold.mp3", here / "warm.mp3"
    command = (metta, "render", "metta-classic", "--minutes", "10", "--json", "-o")
    first = run(*command, cold, cache=cache, rounds=3, fresh=True)
    took = f"{first.seconds:.1f} s, {first.megabytes:.0f} MB"
    row("10-minute render, empty cache", "<= 25 s", took, first.seconds <= 25)
    again = run(*command, warm, cache=cache)
    row("the same, warm cache", "", f"{again.seconds:.1f} s", True)
    same = [cold.with_suffix(end).read_bytes() == warm.with_suffix(end).read_bytes() for end in
            (".mp3", ".vtt", ".srt", ".txt", ".chapters.json")]  # fmt: skip
    row("cold and warm: MP3, captions, chapters", "byte-identical", f"{sum(same)} of {len(same)} files", all(same))
    baseline = run(sys.executable, Path(__file__).with_name("with_pydub.py"), here / "pydub.mp3", cache=cache)
    with_pydub = json.loads(baseline.out)
    ratio = with_pydub["seconds"] / again.seconds
    row("the same session with pydub + ffmpeg, against ours (warm)", "", f"{ratio:.1f} times as long, "
        f"{with_pydub['seconds']:.1f} s, {baseline.megabytes:.0f} MB", True)  # fmt: skip
    report = json.loads(first.out)
    distance = report["speech_to_bed_db"]
    row("bed below speech while someone speaks", ">= 20 dB", f"{distance:.1f} dB", distance >= 20)


def memory(metta: Path, here: Path, cache: Path) -> None:
    """Peak memory must not grow with length."""
    script = here / "hour.md"
    script.write_text(HOUR)
    ten = run(metta, "render", script, "--minutes", "10", "-o", here / "h10.mp3", cache=cache)
    sixty = run(metta, "render", script, "--minutes", "60", "-o", here / "h60.mp3", cache=cache)
    row("peak memory, 60 minutes", "<= 250 MB", f"{sixty.megabytes:.0f} MB", sixty.megabytes <= 250)
    more = sixty.megabytes - ten.megabytes
    row("60 minutes against 10 minutes", "within 20 MB", f"{more:+.0f} MB", abs(more) <= 20)
    layers = ("--bed", "ocean:-3+drone+rain:-6")
    three = run(metta, "render", script, "--minutes", "60", *layers, "-o", here / "h60.mp3", cache=cache)
    row("peak memory, 60 minutes with three layers", "<= 250 MB", f"{three.megabytes:.0f} MB", three.megabytes <= 250)
    exact(here / "h60.mp3", 60)


def speed() -> None:
    """Beds, and the mix with its limiter, each in a process of its own on one core."""
    one_core = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    for script in ("beds.py", "mixing.py"):
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name(script)],
            env=one_core,
            capture_output=True,
            text=True,
            check=False,
        )
        for name, times in re.findall(r"^(\S+) +(\d+)", done.stdout, re.MULTILINE):
            what = "10 minutes of the bed" if script == "beds.py" else "mix and limiter, no speech, with"
            # Three layers are three beds: shown, and promised only for one.
            single = "+" not in name
            must = ">= 150 times real time" if single else ""
            row(f"{what} {name}", must, f"{times} times", not single or int(times) >= 150)


def voices() -> None:
    """The speech stage, lines side by side, word times: each script says its own numbers, and whether it met them."""
    for name, *more in (("speaking.py",), ("stage.py",), ("side_by_side.py",), ("intelligibility.py", "--times")):
        command = [sys.executable, Path(__file__).with_name(name), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
        row(name.removesuffix(".py").replace("_", " "), "as it says", "; ".join(told[-2:]), not done.returncode)


def every_bed(here: Path) -> None:
    """Every practice over every bed and in every format; the table of ``matrix.py``."""
    from matrix import cases, rendered

    for case in cases():
        ok, name, figures = rendered(*case, here)
        row(name, "+-0.3 LU, -1 dBTP, 20 dB", figures, ok)


def exact(path: Path, minutes: float) -> None:
    """Length, loudness and peak of one finished file."""
    frames = decoded_frames(path)
    asked = round(minutes * 60 * RATE)
    row(f"{path.name}: decoded by ffmpeg", f"{asked:,} samples", f"{frames:,}", frames == asked)
    lufs, peak = ebur128(path)
    row(f"{path.name}: loudness", "-16 +-0.3 LUFS", f"{lufs:.1f} LUFS", abs(lufs + 16) <= 0.3)
    row(f"{path.name}: true peak", "<= -1.0 dBTP", f"{peak:.1f} dBTP", peak <= -1.0)


def practices(metta: Path, here: Path, cache: Path) -> None:
    """Every practice at its shortest and longest."""
    listing = run(metta, "practices", cache=cache).out.splitlines()[1:]
    for line in listing:
        name, minutes = line.split("\t")[:2]
        low, high = re.match(r"([\d.]+)-([\d.]+)", minutes).groups()  # type: ignore[union-attr]
        for length in (low, high):
            path = here / f"{name}-{length}.mp3"
            run(metta, "render", name, "--minutes", length, "-o", path, cache=cache)
            exact(path, float(length))
            path.unlink()


def timed(work: Callable[[], None]) -> float:
    """Seconds that ``work`` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
