"""How fast every shipped bed is made: ``python benchmarks/beds.py [NAME …]``.

Prints minutes of stereo sound per minute of one core's work, for ten minutes of each bed after it is open, and how long
opening took. Work is the process's own time, so that what else runs on the machine counts as little as possible; the
better of two runs is taken. Exits 1 when a bed is slower than promised.
"""

from __future__ import annotations

import os
import sys
import time

from metta_audio.shelves import shipped_root
from metta_audio.units import RATE

PROMISED = 150
SECONDS = 600
BLOCK = 1 << 16


def measured(name: str) -> tuple[float, float]:
    """Times real time, and seconds to open."""
    from metta_audio.sound.bed import load_bed, open_bed

    path = shipped_root() / "sounds" / "beds" / f"{name}.toml"
    model = load_bed(path.read_text(encoding="utf-8"), name=name, file=str(path))
    begin = time.process_time()
    open_bed(model, 1).read(0, 1)
    opening = time.process_time() - begin
    best = 0.0
    for seed in (1, 2):
        bed = open_bed(model, seed)
        bed.read(0, 1)
        begin = time.process_time()
        for start in range(0, SECONDS * RATE, BLOCK):
            bed.read(start, BLOCK)
        best = max(best, SECONDS / (time.process_time() - begin))
        if best > 1.5 * PROMISED:
            break
    return best, opening


def main() -> int:
    # One core: said before numpy is imported, which then asks for its threads.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    names = sys.argv[1:] or sorted(path.stem for path in (shipped_root() / "sounds" / "beds").glob("*.toml"))
    slow = []
    print(f"{'bed':<14} × real time   opened in")
    for name in names:
        times, opening = measured(name)
        print(f"{name:<14} {times:11.0f}   {opening:7.2f} s", flush=True)
        if times < PROMISED:
            slow.append(name)
    if slow:
        print(f"slower than {PROMISED} times real time: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
