"""The voices of the operating system, through pyttsx3: SAPI on Windows, AVSpeech on macOS, eSpeak on Linux.

System engines hang, crash, print, and speak once in a process. Each call therefore runs in a child process, with a time
limit, and hands its sound over in a file.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import sys
import threading
from collections.abc import Sequence
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

_INSTALL = "on Linux install espeak-ng with your package manager; or use the voice espeak, which is always there"


class SystemVoice:
    """One voice of the operating system. It tells no word times, and of markup it knows only substitutes."""

    chain = MILD  # anything from a formant synthesizer to a recorded speaker may stand behind it
    concurrent = True

    def __init__(self, identifier: str, language: str) -> None:
        self.name = f"system:{identifier}"
        self._identifier = identifier
        self._text = calibration_text(language)
        self._lock = threading.Lock()
        self._calibration: Calibration | None = None

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound, as far as a system lets one see."""
        version = importlib.metadata.version("pyttsx3")
        system = f"{_release()} pyttsx3 {version} {_listing().engine}"
        text = hashlib.sha256(self._text.encode()).hexdigest()
        return f"system {_VERSION} {system} {self._identifier} {text} {_SETTINGS}"

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak without word times. Raises VoiceError when the system fails or stays silent."""
        line = said(Utterance(_MARKS.sub(" ", said(utterance))))
        with self._lock:
            if self._calibration is None:
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
        del setup  # nothing to set up

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        listed = _listing()
        return listed.problem or ("" if listed.voices else f"the operating system has no voices; {_INSTALL}")

    def voices(self) -> Sequence[VoiceInfo]:
        """The voices that the system says it has."""
        return [
            VoiceInfo(f"system:{identifier}", (language,) if language else (), "system", "the operating system's")
            for identifier, language in _listing().voices
        ]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role another voice of the same language, as far as there are."""
        lead = self._resolve(variant, language)
        others = [name for name, spoken in _voices() if name != lead and _fits(spoken, language)]
        chosen = [lead, *others][:roles]
        return [chosen[role % len(chosen)] for role in range(roles)]

    def open(self, variant: str, language: str) -> SystemVoice:
        """Open the voice ``variant``, or the first of ``language``."""
        return SystemVoice(self._resolve(variant, language), language)

    def _resolve(self, variant: str, language: str) -> str:
        voices = _voices()
        if variant:
            if variant not in dict(voices):
                raise VoiceError(f'the system has no voice "{variant}"', hint=did_you_mean(variant, dict(voices)))
            return variant
        fitting = [name for name, spoken in voices if _fits(spoken, language)]
        exact = [name for name, spoken in voices if spoken == language]
        if exact:
            return exact[0]
        if not fitting:
            raise VoiceError(f'the system has no voice for "{language}"', hint="install one, or use the voice espeak")
        return fitting[0]


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


def _voices() -> _Voices:
    """The voices of the system. Raises VoiceError where it cannot say."""
    listed = _listing()
    if listed.problem:
        raise VoiceError(listed.problem)
    return listed.voices


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
