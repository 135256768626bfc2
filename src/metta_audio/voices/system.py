"""The voices of the operating system, through pyttsx3: SAPI on Windows, AVSpeech on macOS, eSpeak on Linux.

System engines hang, crash and print. Each call therefore runs in a child process, with a time limit, and hands its
sound over in a file.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import soundfile

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.script.model import Span
from metta_audio.sound.chain import MILD
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.voice import Engine, Speech, Utterance
from metta_audio.units import Hertz, Seconds, WordsPerMinute

_PATIENCE = Seconds(60.0)
"""A system engine speaks a long sentence in a second or two. One that has taken a minute hangs."""

_GRACE = Seconds(20.0)
_POLL = Seconds(0.05)
"""How long the file may take to be whole after the engine says it is done, and how often to look: a file that did not
grow from one look to the next is whole, as drivers write it in one go."""

_SETTINGS = (80, 120, 160, 220)
"""Rates in pyttsx3's own words a minute at which a voice is measured: few, as each starts a process."""

_INSTALL = "on Linux install espeak-ng with your package manager; or use the voice espeak, which is always there"


class SystemVoice:
    """One voice of the operating system. It tells no word times, and of markup it knows only substitutes."""

    chain = MILD  # anything from a formant synthesizer to a recorded speaker may stand behind it

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
        text = hashlib.sha256(self._text.encode()).hexdigest()
        return f"system 1 {sys.platform} pyttsx3 {version} {self._identifier} {text} {_SETTINGS}"

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak without word times. Raises VoiceError when the system fails or stays silent."""
        with self._lock:
            if self._calibration is None:
                self._calibration = calibrate(lambda setting: self._say(self._text, setting), self._text, _SETTINGS)
        wave = self._say(_substituted(utterance), self._calibration.setting(rate))
        if not stretches(wave):
            raise VoiceError(f'{self.name} has no sounds for "{utterance.text}"', hint="choose another voice")
        return Speech(wave)

    def _say(self, text: str, setting: float) -> Wave:
        with tempfile.TemporaryDirectory(prefix="metta-") as folder:
            file = Path(folder, "speech.wav")
            _ask({"voice": self._identifier, "rate": round(setting), "text": text, "file": str(file)})
            try:
                samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
            except (OSError, soundfile.LibsndfileError) as error:
                raise VoiceError(f"the system's speech engine wrote no sound ({error})", hint=_INSTALL) from error
        return Wave(samples, Hertz(rate))


class SystemEngine:
    """The system's voices: ``system``, ``system:IDENTIFIER``."""

    name = "system"

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        try:
            return "" if _voices() else f"the operating system has no voices; {_INSTALL}"
        except VoiceError as error:
            return str(error)

    def variants(self) -> Sequence[str]:
        """List the identifiers that the system gives its voices."""
        return [] if self.problem() else [identifier for identifier, _ in _voices()]

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


def _substituted(utterance: Utterance) -> str:
    """Put in the substitutes; all other markup is passed over, as pyttsx3 has no words for it."""
    text = utterance.text
    for span in sorted(utterance.spans, key=_start, reverse=True):
        if span.kind == "sub":
            text = text[: span.start] + span.value + text[span.end :]
    return text


def _start(span: Span) -> int:
    return span.start


@functools.cache
def _voices() -> tuple[tuple[str, str], ...]:
    """Identifier and language (lower case, empty where unknown) of each voice."""
    return tuple((name, language) for name, language in _ask({}))


def _ask(request: dict[str, Any]) -> Any:
    """Let a child process do it. Raises VoiceError when it fails, crashes or hangs."""
    command = [sys.executable, "-m", __name__]
    try:
        answer = subprocess.run(  # noqa: S603 - our own module, the text on its standard input
            command, input=json.dumps(request).encode(), capture_output=True, timeout=_PATIENCE, check=True
        )
        # Engines print, too: the answer is the last line.
        return json.loads(answer.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        raise VoiceError("the system's speech engine does not answer", hint=_INSTALL) from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"status {error.returncode}"
        raise VoiceError(f"the system's speech engine failed ({reason})", hint=_INSTALL) from error
    except (OSError, ValueError, IndexError) as error:
        raise VoiceError(f"the system's speech engine cannot be used ({error})", hint=_INSTALL) from error


def _serve(request: dict[str, Any]) -> Any:
    """Answer one request, in the child: speak into a file, or list the voices."""
    import pyttsx3  # here: only the child may meet it

    engine = pyttsx3.init()
    if not request:
        return [[voice.id, _language(voice.languages)] for voice in engine.getProperty("voices")]
    engine.setProperty("voice", request["voice"])
    engine.setProperty("rate", request["rate"])
    engine.save_to_file(request["text"], request["file"])
    engine.runAndWait()
    return _finished(Path(request["file"]))


def _finished(file: Path) -> bool:
    """Wait until the file is whole: some drivers return from ``runAndWait`` while they still speak into it."""
    size = -1
    for _ in range(round(_GRACE / _POLL)):
        before, size = size, file.stat().st_size if file.exists() else -1
        if 0 < size == before:
            return True
        time.sleep(_POLL)
    return False


def _language(languages: Sequence[str | bytes]) -> str:
    """Read the first language; eSpeak puts a byte for its priority before it."""
    if not languages:
        return ""
    first = languages[0]
    plain = first.decode("utf-8", "ignore") if isinstance(first, bytes) else first
    return "".join(filter(str.isprintable, plain)).lower().replace("_", "-")


ENGINE: Engine = SystemEngine()

if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(_serve(json.load(sys.stdin))) + "\n")
