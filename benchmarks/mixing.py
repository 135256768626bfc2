"""How fast bed, bells and breath are mixed and limited: no speech, no encoder, one core.

Ten minutes of a shipped practice without its voice, over a few beds and over three layers. Prints minutes of sound for
each minute of one core's work, the better of two runs; exits 1 under what is promised.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace

PROMISED = 150
BEDS = ("drone", "rain", "ocean", "ocean:-3+drone+rain:-6")


def measured(bed: str) -> float:
    """Times real time."""
    import metta_audio as metta
    from metta_audio.rendering.score import to_score
    from metta_audio.sound.mix import mix

    session = metta.fill(metta.load("metta-classic"), minutes=10)
    plan = metta.plan(session, metta.Options(bed=bed, voice="silent"))
    score = replace(to_score(plan), voice=())
    best = 0.0
    for _ in range(2):
        begin = time.process_time()
        for _ in mix(score):
            pass
        best = max(best, 600 / (time.process_time() - begin))
    return best


def main() -> int:
    # One core: said before numpy is imported, which then asks for its threads.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    slow = False
    for bed in sys.argv[1:] or BEDS:
        times = measured(bed)
        slow |= "+" not in bed and times < PROMISED
        print(f"{bed:<24} {times:6.0f}", flush=True)
    return int(slow)


if __name__ == "__main__":
    raise SystemExit(main())
