"""The finished sound of a plan: read it block by block, take it as a pydub segment, or save it with all its files."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metta_audio.encode.container import Container, container_of
from metta_audio.encode.staging import must_be_replaceable
from metta_audio.errors import EncodeError, SettingsError
from metta_audio.inspection import Inspection
from metta_audio.rendering.figures import SessionFigures, session_figures
from metta_audio.rendering.flow import Plan
from metta_audio.rendering.making import BESIDE, MANIFEST, Making
from metta_audio.rendering.options import Progress, silent_progress
from metta_audio.rendering.score import led_otherwise, to_score
from metta_audio.rendering.workplace import workplace
from metta_audio.script.model import Session
from metta_audio.sound.audio_segment import to_segment
from metta_audio.sound.mix import mix
from metta_audio.sound.monitor import MixFigures
from metta_audio.sound.wave import Block, Wave
from metta_audio.speech.voice import note_of
from metta_audio.units import RATE

if TYPE_CHECKING:
    from pydub import AudioSegment

SCHEMA = "metta_audio.report/1"


@dataclass(frozen=True, slots=True)
class Report:
    """What was made: all files, the first being the sound, and what was measured.

    ``inspection`` is of the decoded sound; ``mix`` was measured while voice and bed were still apart. ``twin`` is the
    recording without a bed, where one was asked for. ``notes`` are for the person who will hear it. ``voices`` says
    by which voice each role was spoken.
    """

    files: tuple[Path, ...]
    inspection: Inspection
    mix: MixFigures
    session: SessionFigures
    twin: Path | None = None
    notes: tuple[str, ...] = ()
    voices: Mapping[str, str] = field(default_factory=dict)

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
            "voices": dict(self.voices),
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
        with workplace(path.parent, private=self.plan.options.private) as staging:
            making = Making(self.plan, kind, staging, progress, has_twin=twin)
            inspection, figures = making.make(path.name, with_bed=True)
            if twin:
                making.make(twin_path(path).name, with_bed=False)
            files = tuple(staging.commit())
        if self.plan.speaker:
            self.plan.speaker.store.prune()  # all is heard: nothing must be kept any more
        session = session_figures(self.plan.timeline)
        # Not in the manifest: a voice that finds all its lines in the cache has nothing to tell.
        told = dict.fromkeys(filter(None, map(note_of, self.plan.voices.values())))
        notes = (*self.plan.notes, *led_otherwise(self.plan), *told)
        voices = {role: voice.name for role, voice in self.plan.voices.items()}
        return Report(files, inspection, figures, session, twin_path(path) if twin else None, notes, voices)


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
