"""How much faster a natural voice speaks a session's lines in several threads than in one, as a share of the cores.

No model of a real voice is needed: the tests' tiny one is made slow, and does its work where a real one does. The two
runs take turns, so that a busy neighbour slows both.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "voices"))

import tiny_models

import metta_audio as metta
from metta_audio.script.model import Line
from metta_audio.speech import speak as speaking
from metta_audio.speech.cache import ClipStore
from metta_audio.speech.speak import Speaker
from metta_audio.speech.voice import Setup
from metta_audio.units import WordsPerMinute
from metta_audio.voices.registry import find_engines, open_voice

MUST = 0.8
ROUNDS = 5
SLOW = 200
"""Products of matrices a line, half a millisecond each: a line then takes some 0.1 s, as from a small real model."""


def seconds(folder: Path, lines: list[Line], threads: int) -> float:
    """Time to speak all lines into an empty store, the model loaded and measured before."""
    engines = find_engines(Setup(voices=folder / "voices"))
    voice = open_voice(engines, "piper:en_US-tiny-low", "en-us")
    with tempfile.TemporaryDirectory() as store:
        speaker = Speaker(
            {line.role: voice for line in lines},
            lambda _: WordsPerMinute(110),
            ClipStore(Path(store), b"s" * 32, 10**9),
        )
        speaker.speak(lines[:1])
        cores, speaking._cores = speaking._cores, lambda: threads
        try:
            begin = time.perf_counter()
            speaker.speak(lines[1:])
            return time.perf_counter() - begin
        finally:
            speaking._cores = cores


def main() -> None:
    """Print the ratio; exit 1 when it is missed."""
    session = metta.fill(metta.load("metta-classic"), minutes=10)
    lines = [item for section in session.sections for item in section.items if isinstance(item, Line)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        tiny_models.write_piper(Path(folder) / "voices" / "piper", slow=SLOW)
        ratios = []
        for _ in range(ROUNDS):
            alone = seconds(Path(folder), lines, 1)
            together = seconds(Path(folder), lines, cores)
            ratios.append(alone / together)
            print(f"  one thread {alone:.2f} s, {cores} threads {together:.2f} s: {ratios[-1]:.2f} times")
    ratio = statistics.median(ratios)
    print(
        f"{len(lines)} lines: {ratio:.2f} times as fast on {cores} cores ({ratio / cores:.2f} x cores, must be {MUST})"
    )
    raise SystemExit(ratio < MUST * cores)


if __name__ == "__main__":
    main()
