"""The engine ``command``: voices that are programs, run anew for each line."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from metta_audio.errors import VoiceError, at, did_you_mean
from metta_audio.sound.chain import MILD
from metta_audio.speech.activity import stretches
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo, unspeakable
from metta_audio.units import WordsPerMinute
from metta_audio.voices import process
from metta_audio.voices.command.line import EXAMPLE, NAME, Line, read_line
from metta_audio.voices.outside import MOST_BYTES, NotSound, heard, said, told

_VERSION = 1
"""Counts changes of this module that change what a program is asked for."""

_RATES = (50, 80, 120, 160, 220)
"""The program's own words a minute at which {rate} is measured: close enough to join by straight lines, and with 80 for
those that go no slower, such as eSpeak."""

_SPEEDS = (0.3, 0.55, 1.0, 1.5)
"""Speeds at which {stretch}, their inverse, is measured: a voice of ordinary speech, 150 to 220 words a minute, comes
from below 70 to over 200."""


class CommandVoice:
    """A program that speaks one line each time it is run. It tells no word times; of markup it knows substitutes.

    Without {rate} or {stretch} in its line it speaks at its own rate; ``note`` then says so.
    """

    chain = MILD  # anything from a formant synthesizer to a neural network may stand behind it
    concurrent = True

    def __init__(self, line: Line, language: str) -> None:
        self.name = f"command:{line.name}"
        self.languages = (line.language,) if line.language else ()
        self._line = line
        self._program = line.program()
        self._language = language
        self._text = calibration_text(language)
        self._paced = line.holds("rate") or line.holds("stretch")
        self.note = (
            "" if self._paced else f"{self.name} speaks at its own rate: its line has no {{rate}} or {{stretch}}"
        )
        self._lock = threading.Lock()
        self._calibration: Calibration | None = None

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound, as far as it can be seen.

        That is the line, and size and age of the program and of every file that the line names, as a word or behind a
        "=" (``--model=/voices/ana.onnx``): another build, script or model speaks otherwise.
        """
        files = [self._program, *(path for argument in self._line.arguments[1:] for path in _paths(argument))]
        parts = (*self._line.arguments, *map(_state, files), self._language, self._text, str((_RATES, _SPEEDS)))
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        return f"command {_VERSION} {self._line.name} {digest}"

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak without word times. Raises VoiceError when the program fails or stays silent."""
        line = said(utterance)
        speech = self._say(line, self._setting(rate), hidden=f"{utterance.text} {line}")
        if not stretches(speech.wave):
            raise unspeakable(self.name)
        return speech

    def _setting(self, rate: WordsPerMinute) -> float:
        """{rate}, or the inverse of {stretch}, for ``rate`` words a minute."""
        if not self._paced:
            return 1.0
        with self._lock:
            if self._calibration is None:
                settings = _RATES if self._line.holds("rate") else _SPEEDS
                text = self._text
                self._calibration = calibrate(lambda setting: self._say(text, setting).wave, text, settings)
            return self._calibration.setting(rate)

    def _say(self, text: str, setting: float, *, hidden: str = "") -> Speech:
        with process.work_folder() as folder:
            out, text_file = folder / "speech.wav", folder / "text.txt"
            values = {
                "text": text,
                "text_file": str(text_file),
                "out": str(out),
                "rate": str(round(setting)),
                "stretch": f"{1 / setting:.3f}",
                "language": self._language,
            }
            asked = f"{text}\n".encode()
            if self._line.holds("text_file"):
                text_file.write_bytes(asked)
                asked = b""
            elif self._line.holds("text"):
                asked = b""
            self._run(folder, values, asked, hidden)
            return self._heard(out if self._line.holds("out") else folder / process.PRINTED)

    def _run(self, folder: Path, values: Mapping[str, str], asked: bytes, hidden: str) -> None:
        command, patience = self._line.filled(values), self._line.timeout
        ended = process.run(command, folder, patience=patience, most_bytes=MOST_BYTES, asked=asked)
        if ended.problem:
            reason = told(ended.complaint, line=hidden)
            what = f'the program of the voice "{self.name}" {ended.problem}{f": {reason}" if reason else ""}'
            raise VoiceError(what, hint="run its line from [command] in the settings by hand, and see what it says")

    def _heard(self, file: Path) -> Speech:
        hint = "its line in [command] must write a sound to {out}, or to its standard output where {out} is missing"
        try:
            if not file.is_file():
                raise NotSound("is not there")
            return heard(file.read_bytes())
        except (OSError, NotSound) as error:
            reason = error if isinstance(error, NotSound) else "cannot be read"
            raise VoiceError(f'what the program of the voice "{self.name}" wrote {reason}', hint=hint) from None


def _paths(argument: str) -> list[str]:
    """What may be a file in ``argument``: the whole of it, and what stands behind each "="."""
    return [argument, *(argument[at + 1 :] for at, sign in enumerate(argument) if sign == "=")]


def _state(path: str) -> str:
    """Size and age of a file; empty for what is none."""
    try:
        file = Path(path).resolve()
        status = file.stat()
    except (OSError, ValueError, RuntimeError):
        return ""
    return f"{file} {status.st_size} {status.st_mtime_ns}" if file.is_file() else ""


class CommandEngine:
    """The programs of the settings' table [command]: ``command:NAME``, and ``command`` for the first that fits."""

    name = NAME

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._table = setup.tables.get(self.name, {})

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        return "" if self._table else f"no program is set up; {EXAMPLE}"

    def voices(self) -> Sequence[VoiceInfo]:
        """The voices of the table, in its order; one that cannot run says why."""
        return [_info(name, self._setup) for name in self._table]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role another program that speaks ``language``, as far as there are."""
        lead = self._resolve(variant, language)
        fitting = (info for info in self.voices() if not info.problem and info.speaks(language))
        others = [name for name in (info.name.partition(":")[2] for info in fitting) if name != lead]
        return list(itertools.islice(itertools.cycle([lead, *others]), roles))

    def open(self, variant: str, language: str) -> CommandVoice:
        """Open the voice ``variant``, or the first that speaks ``language``. Raises VoiceError for a wrong line."""
        name = self._resolve(variant, language)
        with at(self._setup.place(NAME, name, "line")):
            return CommandVoice(read_line(name, self._setup), language)

    def _resolve(self, variant: str, language: str) -> str:
        if not self._table:
            raise VoiceError("no program is set up", hint=EXAMPLE)
        name = variant.strip()
        if not name:
            infos = self.voices()
            fitting = [info for info in infos if not info.problem and info.speaks(language)]
            name = (fitting or infos)[0].name.partition(":")[2]
        if name not in self._table:
            raise VoiceError(f'[command] in the settings has no voice "{name}"', hint=did_you_mean(name, self._table))
        read_line(name, self._setup)  # whatever is wrong with it is said before anything is spoken
        return name


def _info(name: str, setup: Setup) -> VoiceInfo:
    try:
        with at(setup.place(NAME, name, "line")):
            line = read_line(name, setup)
            line.program()
    except VoiceError as error:
        return VoiceInfo(f"command:{name}", (), "own", installed=False, problem=str(error))
    paced = line.holds("rate") or line.holds("stretch")
    summary = f"{line.arguments[0]}{'' if paced else ', at its own rate'}"
    languages = (line.language,) if line.language else ()
    return VoiceInfo(f"command:{name}", languages, "own", line.licence, summary=summary)
