"""The finished sound of a plan: read it block by block, take it as a pydub segment, or save it with all its files."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metta_audio.encode.art import cover
from metta_audio.encode.container import Container, container_of, write_audio
from metta_audio.encode.staging import Staging, must_be_replaceable
from metta_audio.encode.tags import SYNTHETIC, Tags, write_tags
from metta_audio.errors import EncodeError, SettingsError
from metta_audio.inspection import Inspection, inspect
from metta_audio.rendering.figures import SessionFigures, monitor, session_figures
from metta_audio.rendering.flow import Plan
from metta_audio.rendering.manifest import manifest
from metta_audio.rendering.options import Progress, silent_progress
from metta_audio.rendering.score import bed_starts, breaths, speech, swelling, to_score
from metta_audio.script.model import Session
from metta_audio.settings import DUCK, read_settings
from metta_audio.sound.audio_segment import to_segment
from metta_audio.sound.levels import CEILING
from metta_audio.sound.mix import mix
from metta_audio.sound.monitor import MixFigures
from metta_audio.sound.wave import Block, Wave
from metta_audio.timeline.captions import captions, to_srt, to_vtt, transcript
from metta_audio.timeline.chapters import to_json_chapters
from metta_audio.units import RATE, Decibels, to_seconds

if TYPE_CHECKING:
    from pydub import AudioSegment

SCHEMA = "metta_audio.report/1"

BESIDE = (".vtt", ".srt", ".txt", ".chapters.json")
MANIFEST = ".manifest.json"
"""What is written beside OUT.mp3, as OUT.vtt and so on: two forms of captions, transcript, chapters; and the record."""

MOST = -1.0
"""dBTP that no decoded file may exceed: what Apple Podcasts asks for."""

LOWEST_CEILING = Decibels(-6.0)
"""dBTP. A codec that overshoots more than this allows for is broken, and no ceiling would help."""

RELEASED = "2026"
"""Year in the tags of a practice that gives no date. It belongs to the version: today's date would make the same
command give other bytes tomorrow."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was made: all files, the first being the sound, and what was measured.

    ``inspection`` is of the decoded sound; ``mix`` was measured while voice and bed were still apart. ``twin`` is the
    recording without a bed, where one was asked for. ``notes`` are for the person who will hear it.
    """

    files: tuple[Path, ...]
    inspection: Inspection
    mix: MixFigures
    session: SessionFigures
    twin: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def speech_to_bed(self) -> float | None:
        """How far the bed lies below the line that is nearest to it, in dB; None without a bed, or without speech."""
        return self.mix.speech_to_bed_min

    def to_json(self) -> dict[str, Any]:
        """As JSON, under its schema name."""
        measured = self.inspection.to_json()
        return {
            "schema": SCHEMA,
            "files": [str(path) for path in self.files],
            "twin": str(self.twin) if self.twin else None,
            "notes": list(self.notes),
            "speech_to_bed_db": self.speech_to_bed,
            "measured": {key: value for key, value in measured.items() if key != "schema"},
        }


@dataclass(frozen=True, slots=True)
class Rendering:
    """A plan that can be heard. Nothing is mixed before it is asked for, and nothing is kept."""

    plan: Plan

    @property
    def frames(self) -> int:
        """Length in samples per channel at 44.1 kHz."""
        return self.plan.timeline.length

    def blocks(self, *, with_bed: bool = True) -> Iterator[Block]:
        """The sound, float32 stereo at 44.1 kHz, in blocks; ``frames`` in all. Memory does not grow with length."""
        return mix(to_score(self.plan, with_bed=with_bed))

    def to_wave(self, *, with_bed: bool = True) -> Wave:
        """The whole sound at once: 21 MB a minute."""
        import numpy as np

        return Wave(np.concatenate(list(self.blocks(with_bed=with_bed))), RATE)

    def to_audio_segment(self, *, with_bed: bool = True) -> AudioSegment:
        """The whole sound as a pydub AudioSegment: 16 bits, stereo, 44.1 kHz."""
        return to_segment(self.to_wave(with_bed=with_bed))

    def save(
        self,
        path: str | Path,
        format: str = "",  # noqa: A002
        *,
        twin: bool = False,
        progress: Progress = silent_progress,
    ) -> Report:
        """Write the sound to ``path``, and beside it captions, transcript, chapters and manifest: all or nothing.

        ``format`` (mp3, flac, wav, ogg, opus) is told by the path's suffix unless given. ``twin`` also writes the same
        recording without a bed, called ``twin_path(path)``, with all that belongs to it. Raises EncodeError.
        """
        path = Path(path)
        kind = check_output(self.plan.session, path, format, twin=twin)
        with Staging(path.parent, read_settings().work) as staging:
            made = _Making(self.plan, kind, staging, progress, has_twin=twin).make(path.name, with_bed=True)
            if twin:
                _Making(self.plan, kind, staging, progress, has_twin=twin).make(twin_path(path).name, with_bed=False)
            files = tuple(staging.commit())
        return Report(
            files,
            made[0],
            made[1],
            session_figures(self.plan.timeline),
            twin_path(path) if twin else None,
            self.plan.notes,
        )


@dataclass(frozen=True, slots=True)
class _Making:
    """One recording in the making: its sound and all that lies beside it."""

    plan: Plan
    kind: Container
    staging: Staging
    progress: Progress
    has_twin: bool

    def make(self, name: str, *, with_bed: bool) -> tuple[Inspection, MixFigures]:
        before = len(self.staging.staged())
        sound = self.staging.path(name)
        stem = Path(name).stem
        inspection, figures = self._sound(sound, with_bed=with_bed)
        self._write_beside(stem)
        files = self.staging.staged()[before:]
        record = manifest(
            self.plan, inspection, figures, session_figures(self.plan.timeline), files, extra=self._extra(with_bed)
        )
        _write(self.staging.path(f"{stem}{MANIFEST}"), _json(record))
        return inspection.with_record(record), figures

    def _sound(self, sound: Path, *, with_bed: bool) -> tuple[Inspection, MixFigures]:
        """Mix, encode, tag and measure. Where the codec's overshoot is too high, once more under a lower ceiling."""
        ceiling, length = CEILING, self.plan.timeline.length
        total = self.kind.frames(length)
        while True:
            score = to_score(self.plan, with_bed=with_bed)
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
            if over <= 0 or ceiling <= LOWEST_CEILING:
                return inspection, listener.result()
            ceiling = Decibels(max(LOWEST_CEILING, ceiling - over - 0.1))

    def _extra(self, with_bed: bool) -> dict[str, Any]:
        """What else the manifest records of how this was made."""
        plan = self.plan
        ducking = plan.mastering.ducking
        return {
            "loudness": {"target": plan.mastering.name, "lufs": float(plan.mastering.target)},
            "twin": self.has_twin,
            "with_bed": with_bed,
            "exclude": list(plan.palette.excluded),
            "plain": plan.options.plain,
            "notes": list(plan.notes),
            "mix": {
                "gain_db": float(plan.mastering.gain),
                "duck": {key: float(getattr(ducking, key)) for key in DUCK},
                "beds": [
                    {"start": to_seconds(start), "sounds": bed is not None, "level_db": round(float(level), 2)}
                    for start, bed, level in (bed_starts(plan) if with_bed else ())
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
                    for start, breath in swelling(plan, bed_starts(plan) if with_bed else ())
                ],
            },
        }

    def _write_beside(self, stem: str) -> None:
        session, timeline = self.plan.session, self.plan.timeline
        cues = captions(timeline, session, self.plan.words)
        texts = (
            to_vtt(cues), to_srt(cues), transcript(timeline, session), _json(to_json_chapters(timeline.chapters))
        )  # fmt: skip
        for suffix, text in zip(BESIDE, texts, strict=True):
            _write(self.staging.path(f"{stem}{suffix}"), text)

    def _tags(self) -> Tags:
        header = self.plan.session.header
        return Tags(
            title=header.title,
            artist=header.author or "metta_audio",
            album=header.album or "Guided practice",
            date=header.date or RELEASED,
            genre=header.genre or "Meditation",
            language=header.language,
            comment=" ".join(filter(None, (header.summary, SYNTHETIC))),
            art=cover(header.title),
            chapters=self.plan.timeline.chapters,
        )


def twin_path(path: Path) -> Path:
    """Where the recording without a bed goes: ``OUT-no-bed.mp3`` beside ``OUT.mp3``."""
    return path.with_name(f"{path.stem}-no-bed{path.suffix}")


def render(plan: Plan) -> Rendering:
    """The rendering of a plan. Raises SettingsError for a plan that was only estimated."""
    if plan.estimated:
        raise SettingsError("an estimated plan has no voice", hint="plan without estimate to render")
    return Rendering(plan)


def check_output(session: Session, path: Path, format: str = "", *, twin: bool = False) -> Container:  # noqa: A002
    """The format for ``path``, if a recording of ``session`` can be saved there; nothing is written yet.

    Raises EncodeError for an unknown format, a name that says another one, and a name whose files would replace a
    folder, a device, or the script itself.
    """
    if not path.name:
        raise EncodeError(f"{path} is a folder", hint="give the name of a file")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path.name):
        # Line ends and half characters: libsndfile, players and feeds stumble over them.
        raise EncodeError(f"{path.name!a} is no name for a recording", hint="use letters that can be seen")
    kind = container_of(path, format)
    script = Path(session.file) if session.file else None
    names = [
        f"{each.stem}{suffix}"
        for each in ((path, twin_path(path)) if twin else (path,))
        for suffix in (each.suffix, *BESIDE, MANIFEST)
    ]
    for number, name in enumerate(names):
        target = path.with_name(name)
        must_be_replaceable(target)
        if name in names[:number]:
            raise EncodeError(
                f"{target} is where the text beside the sound goes", hint=f"end the name in {kind.suffix}"
            )
        if script is not None and target.exists() and script.exists() and target.samefile(script):
            raise EncodeError(f"{target} is the script itself", hint="give the recording another name")
    return kind


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
