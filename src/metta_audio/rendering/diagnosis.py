"""What this machine has: voices, formats, players, shelves and caches, each with what to do where one is missing."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import metta_audio
from metta_audio.encode.container import CONTAINERS
from metta_audio.errors import MettaError
from metta_audio.settings import read_settings, settings_file
from metta_audio.shelves import Shelves
from metta_audio.speech.cache import ClipStore
from metta_audio.voices.registry import engines

PLAYERS = ("mpv", "ffplay", "vlc", "mpg123", "afplay", "paplay", "aplay")
"""Programs that play a file from the command line, on the systems people use."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``advice`` says what to do, where there is something to do."""

    subject: str
    ok: bool
    what: str
    advice: str = ""

    def to_json(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


def diagnose() -> list[Finding]:
    """Look at everything a rendering may need. Never raises: what is broken is a finding."""
    return [*_program(), *_voices(), *_formats(), *_extras(), *_folders()]


def _program() -> Iterator[Finding]:
    python = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    yield Finding("metta", True, f"{metta_audio.__version__}, {python}")


def _voices() -> Iterator[Finding]:
    for name, engine in engines().items():
        problem = engine.problem()
        if problem:
            yield Finding(f"voice {name}", False, problem)
        else:
            count = len(engine.variants())
            yield Finding(f"voice {name}", True, f"ready, {count} variant{'s' if count != 1 else ''}")


def _formats() -> Iterator[Finding]:
    import soundfile

    for kind in CONTAINERS.values():
        ok = soundfile.check_format(kind.format, kind.subtype)
        advice = "" if ok else "install a newer soundfile: pip install -U soundfile"
        yield Finding(
            f"format {kind.name}", ok, "can be written" if ok else f"libsndfile here has no {kind.name}", advice
        )


def _extras() -> Iterator[Finding]:
    ffmpeg = shutil.which("ffmpeg")
    yield Finding(
        "ffmpeg",
        ffmpeg is not None,
        ffmpeg or "not found: beds can be WAV, FLAC, OGG, Opus and MP3",
        "" if ffmpeg else "install ffmpeg for beds in M4A and other formats",
    )
    player = next(filter(None, map(shutil.which, PLAYERS)), None)
    yield Finding("player", player is not None, player or "none found", "" if player else "any music player will do")
    has_plots = find_spec("matplotlib") is not None
    advice = "" if has_plots else 'pip install "metta-audio[plot]" for metta plan --plot'
    yield Finding("plots", has_plots, "matplotlib is here" if has_plots else "no matplotlib", advice)


def _folders() -> Iterator[Finding]:
    try:
        settings = read_settings()
        shelves = Shelves.standard(settings=settings)
    except MettaError as error:
        yield Finding("settings", False, error.what, error.hint)
        return
    yield Finding("settings", True, _there(settings_file()))
    for shelf in shelves.scripts:
        yield Finding("scripts shelf", True, _there(shelf))
    for shelf in shelves.sounds:
        yield Finding("sounds shelf", True, _there(shelf))
    names = shelves.practices()
    yield Finding("practices", bool(names), ", ".join(names) or "none", "" if names else "install metta_audio again")
    try:
        ClipStore(settings.clips)
        yield Finding("speech cache", True, f"{settings.clips}")
    except MettaError as error:
        yield Finding("speech cache", False, error.what, error.hint)


def _there(path: Path) -> str:
    return f"{path.absolute()}" + ("" if path.exists() else " (not there; optional)")
