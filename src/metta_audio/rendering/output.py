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
from metta_audio.rendering.flow import Plan
from metta_audio.rendering.manifest import manifest
from metta_audio.rendering.options import Progress, silent_progress
from metta_audio.rendering.score import to_score
from metta_audio.script.model import Session
from metta_audio.settings import read_settings
from metta_audio.sound.audio_segment import to_segment
from metta_audio.sound.mix import Distance, mix
from metta_audio.sound.wave import Block, Wave
from metta_audio.timeline.captions import captions, to_srt, to_vtt, transcript
from metta_audio.timeline.chapters import to_json_chapters
from metta_audio.units import RATE

if TYPE_CHECKING:
    from pydub import AudioSegment

SCHEMA = "metta_audio.report/1"

BESIDE = (".vtt", ".srt", ".txt", ".chapters.json")
MANIFEST = ".manifest.json"
"""What is written beside OUT.mp3, as OUT.vtt and so on: two forms of captions, transcript, chapters; and the record."""

RELEASED = "2026"
"""Year in the tags of a practice that gives no date. It belongs to the version: today's date would make the same
command give other bytes tomorrow."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was made: all files, the first being the sound, and what was measured on it after decoding."""

    files: tuple[Path, ...]
    inspection: Inspection
    speech_to_bed: float | None

    def to_json(self) -> dict[str, Any]:
        """As JSON, under its schema name."""
        measured = self.inspection.to_json()
        return {
            "schema": SCHEMA,
            "files": [str(path) for path in self.files],
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

    def blocks(self, distance: Distance | None = None) -> Iterator[Block]:
        """The sound, float32 stereo at 44.1 kHz, in blocks; ``frames`` in all. Memory does not grow with length."""
        return mix(to_score(self.plan), distance=distance)

    def to_wave(self) -> Wave:
        """The whole sound at once: 21 MB a minute."""
        import numpy as np

        return Wave(np.concatenate(list(self.blocks())), RATE)

    def to_audio_segment(self) -> AudioSegment:
        """The whole sound as a pydub AudioSegment: 16 bits, stereo, 44.1 kHz."""
        return to_segment(self.to_wave())

    def save(self, path: str | Path, format: str = "", *, progress: Progress = silent_progress) -> Report:  # noqa: A002
        """Write the sound to ``path``, and beside it captions, transcript, chapters and manifest: all or nothing.

        ``format`` (mp3, flac, wav, ogg, opus) is told by the path's suffix unless given. Raises EncodeError.
        """
        path = Path(path)
        kind = check_output(self.plan.session, path, format)
        with Staging(path.parent, read_settings().work) as staging:
            sound = staging.path(path.name)
            distance = Distance(to_score(self.plan).ducking)
            write_audio(
                sound,
                kind,
                self.blocks(distance),
                frames=self.frames,
                progress=lambda done: progress("mixing", done, self.frames),
            )
            write_tags(sound, kind, self._tags())
            self._write_beside(staging, path)
            inspection = inspect(sound, progress=lambda done: progress("measuring", done, kind.frames(self.frames)))
            _check(inspection, kind, self.frames)
            result = _finite(distance.result())
            record = manifest(self.plan, inspection, result, staging.staged())
            _write(staging.path(f"{path.stem}{MANIFEST}"), _json(record))
            return Report(tuple(staging.commit()), inspection, result)

    def _write_beside(self, staging: Staging, path: Path) -> None:
        session, timeline = self.plan.session, self.plan.timeline
        cues = captions(timeline, session, self.plan.words)
        texts = (
            to_vtt(cues), to_srt(cues), transcript(timeline, session), _json(to_json_chapters(timeline.chapters))
        )  # fmt: skip
        for suffix, text in zip(BESIDE, texts, strict=True):
            _write(staging.path(f"{path.stem}{suffix}"), text)

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


def render(plan: Plan) -> Rendering:
    """The rendering of a plan. Raises SettingsError for a plan that was only estimated."""
    if plan.estimated:
        raise SettingsError("an estimated plan has no voice", hint="plan without estimate to render")
    return Rendering(plan)


def check_output(session: Session, path: Path, format: str = "") -> Container:  # noqa: A002
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
    names = [path.name, *(f"{path.stem}{suffix}" for suffix in (*BESIDE, MANIFEST))]
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


def _finite(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def _json(record: object) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise EncodeError(f"cannot write {path.name}: {error.strerror}", hint="is there room on the disk?") from error
