"""What the speech stage takes the second time: a session planned in a fresh process, then in some that find its clips.

All of the stage counts: choosing and opening the voices, the lexicons, and every line up to its length in hand. Times
are of the process's own work, and each is set against the first run of the same session. Prints the share for practices
of few lines and of many; exits 1 when one takes more than is promised.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

PROMISED = 0.01
"""Of the first run, at most."""

SESSIONS = (("breath-belly", 5), ("body-scan", 5), ("body-scan", 15))
"""The practice with the fewest lines, where what is the same for all counts most; and one in its shortest and its usual
length."""

ROUNDS = 3
AGAIN = 3
"""First runs, each into an empty cache, and later ones behind each. The least of either counts: what comes on top is
the neighbours' doing, and shows in what takes so little."""


def stage(practice: str, minutes: float) -> float:
    """Seconds of work in the speech stage of this process."""
    from metta_audio.rendering import flow

    real, took = flow._voiced, []

    def timed(*args: object) -> flow._Voiced:
        begin = time.process_time()
        voiced = real(*args)  # type: ignore[arg-type]
        took.append(time.process_time() - begin)
        return voiced

    flow._voiced = timed  # type: ignore[assignment]
    flow.plan(flow.fill(flow.load(f"shipped:{practice}"), minutes=minutes))
    return took[0]


def in_fresh_process(practice: str, minutes: float, environment: Mapping[str, str]) -> float:
    """The same, in a process of its own."""
    command = [sys.executable, __file__, practice, str(minutes)]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def shares(here: Path) -> list[float]:
    """What later runs of each session take of its first, printed."""
    one_core = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    own = {
        "METTA_SETTINGS": str(here / "none.toml"),
        "XDG_DATA_HOME": str(here / "data"),
        "PYTHONPYCACHEPREFIX": str(here / "pycache"),  # once installed, modules are compiled
    }
    environment = {**os.environ, **one_core, **own}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    found = []
    in_fresh_process(*SESSIONS[0], {**environment, "METTA_CACHE": str(here / "other")})
    for practice, minutes in SESSIONS:
        firsts, later = [], []
        for number in range(ROUNDS):
            environment["METTA_CACHE"] = str(here / f"{practice}-{minutes}-{number}")
            firsts.append(in_fresh_process(practice, minutes, environment))
            later += [in_fresh_process(practice, minutes, environment) for _ in range(AGAIN)]
        first, again = min(firsts), min(later)
        found.append(again / first)
        told = f"{again * 1000:.1f} ms after {first * 1000:.0f} ms, {again / first:.2%} (<= {PROMISED:.0%})"
        print(f"{practice}, {minutes} minutes: {told}")
    return found


def main() -> int:
    if len(sys.argv) > 1:
        print(stage(sys.argv[1], float(sys.argv[2])))
        return 0
    with tempfile.TemporaryDirectory(prefix="metta-stage-") as folder:
        return int(max(shares(Path(folder))) > PROMISED)


if __name__ == "__main__":
    sys.exit(main())
