"""How fast the built-in voice speaks: 1,000 lines into an empty store on one core, and the same once more.

Everything counts that a recording needs: speaking, clip hygiene, the voice's chain, packing, and writing to the disk.
Prints seconds of sound for each second of that core's work, and what the second run takes of the first; exits 1 when
either misses what is promised.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

LINES = 1000

PROMISED = 200
"""Times real time, measured on the sound made."""

AGAIN = 0.01
"""Of the first run, at most."""

OPENINGS = ("", "And now: ", "Once more: ", "In your own time: ")
"""Before the lines of the practices, of which there are a few hundred: distinct lines, no longer than theirs."""

SECRET = bytes(32)
"""Names of clips do not matter here."""

MOST_BYTES = 2_000_000_000


def spoken(folder: Path) -> tuple[float, float, float]:
    """Seconds of sound, and those of work in the first and in the second run."""
    from intelligibility import practice_lines

    from metta_audio.script.model import ARTICULATION
    from metta_audio.speech.cache import ClipStore
    from metta_audio.speech.speak import Speaker
    from metta_audio.speech.voice import Setup
    from metta_audio.units import RATE
    from metta_audio.voices.registry import find_engines, open_voice

    shipped = practice_lines()
    lines = list(islice((replace(line, text=first + line.text) for first in OPENINGS for line in shipped), LINES))
    roles = {line.role for line in lines}
    engines = find_engines(Setup())

    def run(some: Sequence[object]) -> tuple[float, float]:
        store = ClipStore(folder, SECRET, MOST_BYTES)
        voice = open_voice(engines, "espeak", "en-us")
        speaker = Speaker(dict.fromkeys(roles, voice), lambda _: ARTICULATION, store)
        begin = time.process_time()
        clips = speaker.speak(some)  # type: ignore[arg-type]
        return time.process_time() - begin, sum(clip.length for clip in clips) / RATE

    # What is imported and read once for all lines is not theirs.
    run([replace(shipped[0], text="One line to begin with.", spans=())])
    first, sound = run(lines)
    again, _ = run(lines)
    return sound, first, again


def main() -> int:
    # One core: said before numpy is imported, which then asks for its threads.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="metta-speaking-") as folder:
        sound, first, again = spoken(Path(folder))
    print(f"{LINES} lines, {sound:.0f} s of sound: {sound / first:.0f} times real time (>= {PROMISED})")
    print(f"the same once more: {100 * again / first:.2f} % of the first (<= {100 * AGAIN:.0f} %)")
    return int(sound / first < PROMISED or again > AGAIN * first)


if __name__ == "__main__":
    sys.exit(main())
