"""One recording in the making: mixed, encoded, tagged, measured, and everything beside it written."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metta_audio.encode.art import cover
from metta_audio.encode.container import Container, write_audio
from metta_audio.encode.staging import Staging
from metta_audio.encode.tags import PARTLY_SYNTHETIC, SYNTHETIC, Tags, write_tags
from metta_audio.errors import EncodeError
from metta_audio.inspection import Inspection, inspect
from metta_audio.rendering.figures import monitor, session_figures
from metta_audio.rendering.flow import Plan
from metta_audio.rendering.manifest import manifest
from metta_audio.rendering.options import Progress
from metta_audio.rendering.score import bed_starts, breaths, led_otherwise, speech, spoken, swelling, to_score
from metta_audio.settings import DUCK
from metta_audio.sound.forecast import STEP
from metta_audio.sound.levels import CEILING
from metta_audio.sound.mix import Score, mix
from metta_audio.sound.monitor import MixFigures
from metta_audio.speech.voice import is_human
from metta_audio.timeline.captions import captions, to_srt, to_vtt, transcript
from metta_audio.timeline.chapters import to_json_chapters
from metta_audio.units import Decibels, to_seconds

BESIDE = (".vtt", ".srt", ".txt", ".chapters.json")
MANIFEST = ".manifest.json"
"""What is written beside OUT.mp3, as OUT.vtt and so on: two forms of captions, transcript, chapters; and the record."""

MOST = -1.0
"""dBTP that no decoded file may exceed: what Apple Podcasts asks for."""

OFF = (0.25, 2.0)
"""LU off the target from which on a recording is made again, and up to which that can help: what the limiter takes.
More is not the limiter's doing."""

TRIES = 4
"""How often a recording is made at most; nearly every one is made once."""

RELEASED = "2026"
"""Year in the tags of a practice that gives no date. It belongs to the version: today's date would make the same
command give other bytes tomorrow."""


@dataclass(frozen=True, slots=True)
class Making:
    """One recording in the making: its sound and all that lies beside it."""

    plan: Plan
    kind: Container
    staging: Staging
    progress: Progress
    has_twin: bool

    def make(self, name: str, *, with_bed: bool) -> tuple[Inspection, MixFigures]:
        """Write the sound ``name`` and all that lies beside it into the staging folder; say what was measured."""
        before = len(self.staging.staged())
        sound = self.staging.path(name)
        stem = Path(name).stem
        inspection, figures, score = self._sound(sound, to_score(self.plan, with_bed=with_bed))
        self._write_beside(stem)
        files = self.staging.staged()[before:]
        session = session_figures(self.plan.timeline)
        extra = self._extra(score, with_bed=with_bed)
        record = manifest(self.plan, inspection, figures, session, files, extra=extra)
        _write(self.staging.path(f"{stem}{MANIFEST}"), _json(record))
        return inspection.with_record(record), figures

    def _sound(self, sound: Path, score: Score) -> tuple[Inspection, MixFigures, Score]:
        """Mix, encode, tag and measure, and once more where the decoded file is not yet as it should be.

        Its peak may be too high, because a codec overshoots: then the ceiling comes down. Or it is a little off its
        loudness, because the limiter took some: then the gain makes up for it.
        """
        ceiling, length, total = CEILING, score.length, self.kind.frames(score.length)
        for tries_left in reversed(range(TRIES)):
            listener = monitor(self.plan, score)
            write_audio(
                sound,
                self.kind,
                mix(score, ceiling=ceiling, monitor=listener),
                frames=length,
                progress=lambda done: self.progress("mixing", done, length),
            )
            write_tags(sound, self.kind, self._tags())
            inspection = inspect(sound, progress=lambda done: self.progress("measuring", done, total))
            _check(inspection, self.kind, length)
            over = (-math.inf if inspection.true_peak is None else inspection.true_peak) - MOST
            off = math.inf if inspection.lufs is None else self.plan.mastering.target - inspection.lufs
            if not tries_left or (over <= 0 and not OFF[0] < abs(off) <= OFF[1]):
                break
            if over > 0:
                ceiling = Decibels(ceiling - over - 0.1)
            if OFF[0] < abs(off) <= OFF[1]:
                score = replace(score, gain=Decibels(score.gain + STEP * round(off / STEP)))
        return inspection, listener.result(), score

    def _extra(self, score: Score, *, with_bed: bool) -> dict[str, Any]:
        """What else the manifest records of how this was made."""
        plan, ducking = self.plan, self.plan.mastering.ducking
        beds = bed_starts(plan) if with_bed else ()
        return {
            "loudness": {"target": plan.mastering.name, "lufs": float(plan.mastering.target)},
            "twin": self.has_twin,
            "with_bed": with_bed,
            "exclude": list(plan.palette.excluded),
            "plain": plan.options.plain,
            "notes": [*plan.notes, *led_otherwise(plan)],
            "mix": {
                "gain_db": float(score.gain),
                "bed_gain_db": float(score.bed_gain),
                "duck": {key: float(getattr(ducking, key)) for key in DUCK},
                "beds": [
                    {"start": to_seconds(start), "sounds": bed is not None, "level_db": round(float(level), 2)}
                    for start, bed, level in beds
                ],
                "speech": [[to_seconds(start), to_seconds(end)] for start, end in speech(plan)],
                "led": [[to_seconds(start), to_seconds(end)] for start, end in breaths(plan)],
                "swell": [
                    {
                        "start": to_seconds(start),
                        "phases": list(breath.phases),
                        "sip": breath.sip,
                        "cycles": breath.cycles,
                    }
                    for start, breath in swelling(plan, with_bed=with_bed)
                ],
            },
        }

    def _write_beside(self, stem: str) -> None:
        session, timeline = self.plan.session, self.plan.timeline
        cues = captions(spoken(self.plan), session, self.plan.words)
        texts = (
            to_vtt(cues), to_srt(cues), transcript(timeline, session), _json(to_json_chapters(timeline.chapters))
        )  # fmt: skip
        for suffix, text in zip(BESIDE, texts, strict=True):
            _write(self.staging.path(f"{stem}{suffix}"), text)

    def _tags(self) -> Tags:
        header, disclosure = self.plan.session.header, _disclosure(self.plan)
        return Tags(
            title=header.title,
            artist=header.author or "metta_audio",
            album=header.album or "Guided practice",
            date=header.date or RELEASED,
            genre=header.genre or "Meditation",
            language=header.language,
            comment=" ".join(filter(None, (header.summary, disclosure))),
            disclosure=disclosure,
            art=cover(header.title),
            chapters=self.plan.timeline.chapters,
        )


def _disclosure(plan: Plan) -> str:
    """What the tags say of speech that no person recorded; empty where there is none."""
    voices = plan.speaker.all_voices if plan.speaker else ()
    people = {voice.name for voice in voices if is_human(voice)}
    by_person = {spoken.by in people for spoken in plan.spoken.values()}
    if by_person <= {True}:
        return ""
    return PARTLY_SYNTHETIC if True in by_person else SYNTHETIC


def _check(inspection: Inspection, kind: Container, frames: int) -> None:
    """A file that does not decode to its exact length is never handed over."""
    if inspection.frames != kind.frames(frames):
        raise EncodeError(
            f"the {kind.name} file decodes to {inspection.frames} samples instead of {kind.frames(frames)}",
            hint="is there room on the disk?",
        )


def _json(record: object) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise EncodeError(f"cannot write {path.name}: {error.strerror}", hint="is there room on the disk?") from error
