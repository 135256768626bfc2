"""What this machine has: voices, formats, players, shelves and caches, each with what to do where one is missing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import metta_audio
from metta_audio.errors import MettaError
from metta_audio.settings import read_settings, settings_file

if TYPE_CHECKING:
    from metta_audio.shelves import Shelves
    from metta_audio.speech.voice import Engine

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
    looks = {"metta": _program, "voices": _voices, "formats": _formats, "extras": _extras, "folders": _folders}
    return [finding for subject, look in looks.items() for finding in _whatever_happens(subject, look)]


def _whatever_happens(subject: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except MettaError as error:
        yield Finding(subject, False, error.what, error.hint)
    except Exception as error:  # noqa: BLE001 - a broken part may raise anything, and the doctor is there to say so
        what = " ".join(f"{type(error).__name__}: {error}".split())
        yield Finding(subject, False, what, "install it again: pip install --force-reinstall metta-audio")


def _program() -> Iterator[Finding]:
    python = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    yield Finding("metta", True, f"{metta_audio.__version__}, {python}")


def _voices() -> Iterator[Finding]:
    from metta_audio.rendering.natural import EXTRAS, natural_voice
    from metta_audio.voices.registry import best_voice, find_engines

    engines = find_engines(read_settings().setup())
    for name, engine in engines.items():
        yield from _whatever_happens(f"voice {name}", partial(_voice, name, engine))
    best = best_voice(engines, "en-us")
    # It may have been chosen at a glance.
    problem = engines[best.partition(":")[0]].problem()
    if problem:
        yield Finding("voice auto", False, f"would take {best} for English, which cannot be used", problem)
        return
    natural = best.partition(":")[0] in EXTRAS
    advice = "" if natural else f"for a natural one: {natural_voice('en-us')}"
    yield Finding("voice auto", natural, f"takes {best} for English", advice)


def _voice(name: str, engine: Engine) -> Iterator[Finding]:
    problem = engine.problem()
    if problem:
        yield Finding(f"voice {name}", False, problem)
    else:
        here = [info for info in engine.voices() if info.installed]
        broken = [info.problem for info in here if info.problem]
        count = len(here) - len(broken)
        if broken and not count:
            yield Finding(f"voice {name}", False, broken[0])
            return
        ready = f"ready, {count} voices" if count > 1 else "ready"
        yield Finding(f"voice {name}", True, f"{ready}; {_way_of_text()}" if name == "http" else ready)


def _way_of_text() -> str:
    """Where a text goes that a server speaks: the settings tell, and nobody is asked."""
    from metta_audio.voices.http.server import read_server

    server = read_server(read_settings().setup(), os.environ)
    where = "on this machine" if server.local else "another machine"
    return f"the text goes to {server.host}, {where} (the server was not asked)"


def _formats() -> Iterator[Finding]:
    import soundfile

    from metta_audio.encode.container import CONTAINERS

    for kind in CONTAINERS.values():
        maker = "lameenc" if kind.name == "mp3" else "soundfile"
        ok = find_spec(maker) is not None and soundfile.check_format(kind.format, kind.subtype)
        advice = "" if ok else f"install it anew: pip install -U {maker} soundfile"
        yield Finding(f"format {kind.name}", ok, "can be written" if ok else f"{maker} here has no {kind.name}", advice)


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
    from metta_audio.shelves import Shelves
    from metta_audio.speech.cache import ClipStore
    from metta_audio.speech.secret import machine_secret

    settings = read_settings()
    try:
        ClipStore(settings.clips, machine_secret(settings.secret), settings.cache_bytes)
        yield Finding("speech cache", True, f"{settings.clips}")
    except MettaError as error:
        yield Finding("speech cache", False, error.what, error.hint)
    shelves = Shelves.standard(settings=settings)
    yield Finding("settings", True, _there(settings_file()))
    for shelf in shelves.scripts:
        yield Finding("scripts shelf", True, _there(shelf))
    for shelf in shelves.sounds:
        yield Finding("sounds shelf", True, _there(shelf))
    yield from _sounds(shelves)
    names = shelves.practices()
    yield Finding("practices", bool(names), ", ".join(names) or "none", "" if names else "install metta_audio again")


def _sounds(shelves: Shelves) -> Iterator[Finding]:
    from metta_audio.rendering.catalogue import listed_beds, listed_bells

    for kind, listed in (("beds", listed_beds(shelves)), ("bells", listed_bells(shelves))):
        found = list(listed)
        broken = [str(model) for _, model in found if isinstance(model, MettaError)]
        yield Finding(kind, not broken, f"{len(found) - len(broken)} can be read", "; ".join(broken))


def _there(path: Path) -> str:
    return f"{path.absolute()}" + ("" if path.exists() else " (not there; optional)")
