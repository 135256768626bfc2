"""The session of the benchmark, made the way most scripts do it: pydub overlays, then ffmpeg encodes.

Given for comparison: no exact length of breath or bells, no ducking, no limiter, no chapters, no captions. Speech comes
from the same cached clips, so that only the mix and the encoding are compared. Prints its seconds as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

import metta_audio as metta
from metta_audio.script.model import Line
from metta_audio.sound.audio_segment import to_segment
from metta_audio.sound.wave import Wave


def main() -> None:
    """Mix and export to the path given."""
    plan = metta.plan(metta.fill(metta.load("metta-classic"), minutes=10))
    rng = np.random.default_rng(0)
    noise = to_segment(Wave((0.02 * rng.standard_normal((44_100 * 20, 2))).astype(np.float32)))
    begin = time.perf_counter()
    from pydub import AudioSegment
    from pydub.effects import normalize

    bed = noise.low_pass_filter(400) - 12
    milliseconds = plan.timeline.length * 1000 // plan.timeline.rate
    whole = AudioSegment.silent(milliseconds, frame_rate=44_100).set_channels(2).overlay(bed, loop=True)
    for event in plan.timeline.events:
        if isinstance(event.item, Line):
            clip = plan.clip(event.item)
            whole = whole.overlay(to_segment(clip.wave).set_channels(2), position=event.start * 1000 // 44_100)
    whole = normalize(whole.fade_in(4000).fade_out(8000), headroom=1.5)
    whole.export(sys.argv[1], format="mp3", bitrate="128k")
    print(json.dumps({"seconds": time.perf_counter() - begin}))


if __name__ == "__main__":
    main()
