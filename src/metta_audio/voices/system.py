"""The voices of the operating system, through pyttsx3: SAPI on Windows, AVSpeech on macOS, eSpeak on Linux.

System engines hang, crash, print, and speak once in a process. Each call therefore runs in a child process, with a time
limit, and hands its sound over in a file.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.sound.chain import MILD
from metta_audio.speech.activity import stretches
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo, unspeakable
from metta_audio.units import Seconds, WordsPerMinute
from metta_audio.voices import process, system_process
from metta_audio.voices.outside import MOST_BYTES, NotSound, heard, said, told

_VERSION = 2
"""Counts changes of this module that change what is heard."""

_PATIENCE = Seconds(60.0)
"""A system engine speaks a long sentence in a second or two. One that has taken a minute hangs."""

_LIST_PATIENCE = Seconds(20.0)
"""To say which voices there are, which is asked before anything is spoken: a cold system takes some seconds."""

_SETTINGS = (80, 120, 160, 220)
"""Rates in pyttsx3's own words a minute at which a voice is measured: few, as each starts a process."""

_MARKS = re.compile(r"\[\[|\]\]|[<>]")
"""What SAPI and AVSpeech would obey rather than speak."""

_KEPT = "system-voices.json"
"""File that holds the answer of the child process, which takes a third of a second to ask: a session whose clips are
all kept does without it."""

_LIBRARIES = ("lib", "lib64", "lib/*-linux-*")
"""Below /usr and /usr/local, where a Linux has its eSpeak."""

_INSTALL = "on Linux install espeak-ng with your package manager; or use the voice espeak, which is always there"


class SystemVoice:
    """One voice of the operating system. It tells no word times, and of markup it knows only substitutes."""

    chain = MILD  # anything from a formant synthesizer to a recorded speaker may stand behind it
    concurrent = True

    def __init__(self, identifier: str, language: str, engine: str, ask: Callable[[], str]) -> None:
        """``engine`` is which one is thought to speak, by what is kept; ``ask`` asks the system itself."""
        self.name = f"system:{identifier}"
        self._identifier = identifier
        self._engine, self._ask_engine = engine, ask
        self._text = calibration_text(language)
        self._lock = threading.Lock()
        self._calibration: Calibration | None = None

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound, as far as a system lets one see."""
        version = importlib.metadata.version("pyttsx3")
        system = f"{_release()} pyttsx3 {version} {self._engine}"
        text = hashlib.sha256(self._text.encode()).hexdigest()
        return f"system {_VERSION} {system} {self._identifier} {text} {_SETTINGS}"

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak without word times. Raises VoiceError when the system fails or stays silent."""
        line = said(Utterance(_MARKS.sub(" ", said(utterance))))
        with self._lock:
            if self._calibration is None:
                if self._ask_engine() != self._engine:
                    # Its clips would be kept under the name of the one before.
                    what = "the system's speech engine is another than it was"
                    raise VoiceError(what, hint="run this once more: then all lines are spoken by the new one")
                text = self._text
                self._calibration = calibrate(lambda setting: self._say(text, setting).wave, text, _SETTINGS)
        speech = self._say(line, self._calibration.setting(rate), hidden=f"{utterance.text} {line}")
        if not stretches(speech.wave):
            raise unspeakable(self.name)
        return speech

    def _say(self, text: str, setting: float, *, hidden: str = "") -> Speech:
        with process.work_folder() as folder:
            request = {"voice": self._identifier, "rate": round(setting), "text": text}
            _ask(request, folder, _PATIENCE, hidden=hidden)
            try:
                return heard(folder.joinpath(system_process.SOUND).read_bytes())
            except OSError:
                raise VoiceError("the system's speech engine wrote no sound", hint=_INSTALL) from None
            except NotSound as reason:
                what = f"what the system's speech engine wrote {reason}"
                raise VoiceError(what, hint="try once more, or use the voice espeak") from None


class SystemEngine:
    """The system's voices: ``system``, ``system:IDENTIFIER``."""

    name = "system"

    def __init__(self, setup: Setup) -> None:
        self._file = setup.kept and setup.kept / _KEPT

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        listed = self._asked()
        return listed.problem or ("" if listed.voices else f"the operating system has no voices; {_INSTALL}")

    def voices(self) -> Sequence[VoiceInfo]:
        """The voices that the system says it has."""
        return [
            VoiceInfo(f"system:{identifier}", (language,) if language else (), "system", "the operating system's")
            for identifier, language in self._asked().voices
        ]

    def glance(self, variant: str, language: str) -> str:
        """Name of the voice, where what is kept knows it and it speaks ``language``; empty where it must be asked."""
        kept = _read(self._file)
        name = _find(kept.voices, variant, language) if kept else ""
        return f"system:{name}" if kept and name and _fits(dict(kept.voices)[name], language) else ""

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role another voice of the same language, as far as there are."""
        listed, lead = self._resolve(variant, language)
        others = [name for name, spoken in listed.voices if name != lead and _fits(spoken, language)]
        chosen = [lead, *others][:roles]
        return [chosen[role % len(chosen)] for role in range(roles)]

    def open(self, variant: str, language: str) -> SystemVoice:
        """Open the voice ``variant``, or the first of ``language``."""
        listed, name = self._resolve(variant, language)
        return SystemVoice(name, language, listed.engine, lambda: self._asked().engine)

    def _resolve(self, variant: str, language: str) -> tuple[_Listed, str]:
        """What the system has, and the voice that is meant. Raises VoiceError where there is none."""
        kept = _read(self._file)
        if kept and (name := _find(kept.voices, variant, language)):
            return kept, name
        listed = self._asked()
        if listed.problem:
            raise VoiceError(listed.problem)
        name = _find(listed.voices, variant, language)
        if not name and variant:
            known = dict(listed.voices)
            raise VoiceError(f'the system has no voice "{variant}"', hint=did_you_mean(variant, known))
        if not name:
            raise VoiceError(f'the system has no voice for "{language}"', hint="install one, or use the voice espeak")
        return listed, name

    def _asked(self) -> _Listed:
        """What the system itself says, kept for the next time."""
        listed = _listing()
        if self._file and listed.voices and _read(self._file) != listed:
            _keep(self._file, listed)
        return listed


def _find(voices: _Voices, variant: str, language: str) -> str:
    """Identifier of the voice ``variant``, or of the first of ``language``; empty where there is none."""
    if variant:
        return variant if variant in dict(voices) else ""
    fitting = [name for name, spoken in voices if _fits(spoken, language)]
    exact = [name for name, spoken in voices if spoken == language]
    return next(iter([*exact, *fitting]), "")


def _fits(spoken: str, language: str) -> bool:
    return not spoken or spoken.partition("-")[0] == language.partition("-")[0]


def _release() -> str:
    """Which operating system this is. Where its voices are part of it, another release may speak otherwise."""
    # On Linux they are not: eSpeak tells its own version, and a new kernel every week would have all spoken anew.
    own = {"win32": platform.version(), "darwin": platform.mac_ver()[0]}
    return f"{sys.platform} {own.get(sys.platform, '')}"


_Voices = tuple[tuple[str, str], ...]
"""Identifier and language (lower case, empty where unknown) of each voice."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the system has: its voices and its engine with the version, or the problem why there are none."""

    voices: _Voices = ()
    engine: str = ""
    problem: str = ""


def _machine() -> str:
    """What the voices of a system hang on, as far as that is seen without asking it."""
    facts = [_release(), sys.executable, importlib.metadata.version("pyttsx3")]
    if sys.platform == "linux":
        import espeakng_loader

        facts += [os.environ.get(name, "") for name in ("LD_LIBRARY_PATH", "ESPEAK_DATA_PATH", "PYTHONPATH")]
        above = [folder for root in ("/usr", "/usr/local") for place in _LIBRARIES for folder in Path(root).glob(place)]
        files = [folder / name for folder in above for name in ("libespeak-ng.so.1", "libespeak.so.1")]
        for file in sorted([*files, Path(espeakng_loader.get_library_path())]):
            with suppress(OSError):
                facts.append(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}")
    return "\n".join(facts)


def _read(file: Path | None) -> _Listed | None:
    """What is kept of this very system; None where nothing is."""
    try:
        kept = json.loads(file.read_bytes()) if file else None
        if not kept or kept["machine"] != _machine():
            return None
        return _Listed(tuple((str(name), str(language)) for name, language in kept["voices"]), str(kept["engine"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _keep(file: Path, listed: _Listed) -> None:
    """Keep ``listed``, whole or not at all; where it cannot be, the system is asked again."""
    content = json.dumps({"machine": _machine(), "voices": listed.voices, "engine": listed.engine})
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".system-", dir=file.parent, ignore_cleanup_errors=True) as folder:
            whole = Path(folder, file.name)
            whole.write_text(content, encoding="utf-8")
            whole.replace(file)


@functools.cache
def _listing() -> _Listed:
    """The voices, or why there are none: asked once, as a system that hangs would hang again."""
    try:
        with process.work_folder() as folder:
            answer = _ask({}, folder, _LIST_PATIENCE)
    except VoiceError as error:
        return _Listed(problem=str(error))
    return _Listed(tuple((str(name), str(language)) for name, language in answer["voices"]), str(answer["engine"]))


def _ask(request: dict[str, Any], folder: Path, patience: Seconds, *, hidden: str = "") -> Any:
    """Let a child process do it in ``folder``. Raises VoiceError when it fails, crashes or hangs."""
    # -P: no module of ours, such as http beside it, and none where the user works may stand in for one of Python's.
    command = [sys.executable, "-P", str(system_process.__file__), str(folder)]
    asked = json.dumps(request).encode()
    ended = process.run(command, folder, patience=patience, most_bytes=MOST_BYTES, asked=asked)
    if ended.problem:
        reason = told(ended.complaint, line=hidden)
        what = f"the system's speech engine {ended.problem}{f': {reason}' if reason else ''}"
        raise VoiceError(what, hint=_INSTALL)
    try:
        return json.loads(folder.joinpath(system_process.ANSWER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise VoiceError("the system's speech engine gave no answer", hint=_INSTALL) from None
