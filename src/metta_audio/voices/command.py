"""The engine ``command``: any program on this machine that speaks, as a line of arguments in the settings.

No shell ever sees the line. The settings' table [command] names the voices::

    [command]
    slt = "flite -voice slt --setf duration_stretch={stretch} -t {text} -o {out}"

    [command.anna]
    line = "say -v Anna --data-format=LEI16@22050 -r {rate} -f {text_file} -o {out}"
    language = "de"

In place of {text}, {text_file} names a file that holds the text; without either it stands on standard input. Without
{out} the sound is taken from standard output. {rate} is the program's own words a minute, {stretch} 1 for its usual
pace and more for a slower one: either is measured, so that the asked rate is spoken. {language} is BCP 47.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shlex
import shutil
import string
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.sound.chain import MILD
from metta_audio.speech.activity import stretches
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo
from metta_audio.units import Seconds, WordsPerMinute
from metta_audio.voices import process
from metta_audio.voices.outside import MOST_BYTES, NotSound, heard, said, told

_VERSION = 1
"""Counts changes of this module that change what a program is asked for."""

_PATIENCE = Seconds(120.0)
"""For one line. A program takes seconds; one that loads a large model each time may take a minute."""

_MOST_PATIENCE = Seconds(3600.0)
"""An hour for a line is a mistake in the unit."""

_RATES = (50, 80, 120, 160, 220)
"""The program's own words a minute at which {rate} is measured: close enough to join by straight lines, and with 80 for
those that go no slower, such as eSpeak."""

_SPEEDS = (0.3, 0.55, 1.0, 1.5)
"""Speeds at which {stretch}, their inverse, is measured: a voice of ordinary speech, 150 to 220 words a minute, comes
from below 70 to over 200."""

_PLACEHOLDERS = ("text", "text_file", "out", "rate", "stretch", "language")

_OPTION_MARKS = ("-", "@", "/", "+")
"""Signs at the beginning of an argument that make programs take it for an option or a file of arguments."""

_SLT = "flite -voice slt --setf duration_stretch={stretch} -t {text} -o {out}"
_EXAMPLE = f'write into settings.toml: [command] and under it NAME = "{_SLT}"'
_KEYS = {
    "line": f'line = "{_SLT}"',
    "language": 'language = "en-us"',
    "licence": 'licence = "CC0"',
    "timeout": f"timeout = {_PATIENCE:g}",
}
"""Keys of a voice that is a table, and how each is written."""


@dataclass(frozen=True, slots=True)
class Line:
    """One voice of the table: its line as written, split into arguments with placeholders, and what is known of it.

    ``language`` is BCP 47 in lower case, empty for a program that speaks whatever it is given.
    """

    name: str
    line: str
    arguments: tuple[str, ...]
    language: str = ""
    licence: str = ""
    timeout: Seconds = _PATIENCE

    def holds(self, placeholder: str) -> bool:
        """Whether ``placeholder`` stands in it."""
        return any(field == placeholder for argument in self.arguments for _, field in _pieces(argument))

    def program(self) -> str:
        """Path of the program. Raises VoiceError where it is not to be found."""
        found = shutil.which(self.arguments[0])
        if found is None:
            what = f'the program "{self.arguments[0]}" of the voice "command:{self.name}" is not to be found'
            raise VoiceError(what, hint="install it, check PATH, or write its whole path")
        if found.lower().endswith((".bat", ".cmd")) and self.holds("text"):
            # Windows hands such a file to a shell after all.
            what = f'the program of the voice "command:{self.name}" is a batch file, which may run what a text says'
            raise VoiceError(what, hint="hand the text over by {text_file} or standard input")
        return found

    def filled(self, values: Mapping[str, str]) -> list[str]:
        """The arguments with ``values`` put in: each stays one argument, whatever is in it."""
        return [self.program(), *(_filled(argument, values) for argument in self.arguments[1:])]


def _filled(argument: str, values: Mapping[str, str]) -> str:
    pieces = _pieces(argument)
    filled = "".join(literal + (values[field] if field else "") for literal, field in pieces)
    # A sentence may begin with a dash, and no program shall take it for an option: a blank before it is not spoken.
    return (
        f" {filled}" if pieces[0][0] == "" and pieces[0][1] == "text" and filled.startswith(_OPTION_MARKS) else filled
    )


def _pieces(argument: str) -> list[tuple[str, str]]:
    """Text and the name of the placeholder after it, "" for none; doubled braces stand for themselves."""
    return [
        (literal, f"{field}{':' + spec if spec else ''}{'!' + conversion if conversion else ''}" if field else "")
        for literal, field, spec, conversion in string.Formatter().parse(argument)
    ] or [("", "")]


def read_line(name: str, entry: object) -> Line:
    """The voice ``name`` of the table [command]: a line, or a table with one. Raises VoiceError for a wrong one."""
    if isinstance(entry, str):
        entry = {"line": entry}
    where = f'the voice "{name}" of [command] in the settings'
    if not isinstance(entry, Mapping):
        raise VoiceError(f"{where} is neither a line nor a table", hint=f"write {name} = {_KEYS['line'][7:]}")
    for key, value in entry.items():
        if key not in _KEYS:
            raise VoiceError(f'{where} has no "{key}"', hint=did_you_mean(str(key), _KEYS))
        fits = isinstance(value, str)
        if key == "timeout":
            fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST_PATIENCE
        if not fits:
            raise VoiceError(f'"{key}" of {where} is not as it must be', hint=f"write {_KEYS[key]}")
    line = str(entry.get("line", "")).strip()
    return Line(
        name=name,
        line=line,
        arguments=_arguments(line, where),
        language=str(entry.get("language", "")).strip().lower(),
        licence=str(entry.get("licence", "")).strip(),
        timeout=Seconds(float(entry.get("timeout", _PATIENCE))),
    )


def _arguments(line: str, where: str) -> tuple[str, ...]:
    """Split as a shell would, and check every placeholder."""
    splitter = shlex.shlex(line, posix=True, punctuation_chars=False)
    splitter.whitespace_split, splitter.commenters = True, ""
    if os.name == "nt":
        splitter.escape = ""  # there a backslash is part of a path
    try:
        # A path may begin in the home folder; only what the user wrote is looked at, never the text.
        arguments = [str(Path(each).expanduser()) if each.startswith("~/") else each for each in splitter]
        fields = [field for argument in arguments for _, field in _pieces(argument) if field]
    except ValueError as error:
        reason = "a quote is not closed" if "quotation" in str(error) else "a brace stands alone"
        hint = 'close each quote, and write "{{" and "}}" for braces that are no placeholder'
        raise VoiceError(f"{where}: {reason} in: {line}", hint=hint) from None
    if not arguments:
        raise VoiceError(f"{where} has no line", hint=f"write {_KEYS['line']}")
    for field in fields:
        if field not in _PLACEHOLDERS:
            hint = did_you_mean(field, _PLACEHOLDERS)
            raise VoiceError(f"{where}: unknown placeholder {{{field}}} in: {line}", hint=hint)
    if "{" in arguments[0]:
        raise VoiceError(f"{where} does not begin with a program: {line}", hint=f"write {_KEYS['line']}")
    if {"rate", "stretch"} <= set(fields):
        raise VoiceError(f"{where} has both {{rate}} and {{stretch}}: {line}", hint="leave one of them out")
    return tuple(arguments)


class CommandVoice:
    """A program that speaks one line each time it is run. It tells no word times; of markup it knows substitutes.

    Without {rate} or {stretch} in its line it speaks at its own rate; ``note`` then says so.
    """

    chain = MILD  # anything from a formant synthesizer to a neural network may stand behind it
    concurrent = True

    def __init__(self, line: Line, language: str) -> None:
        self.name = f"command:{line.name}"
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

        That is the line, and size and age of the program and of every file that the line names: another build, script
        or model speaks otherwise.
        """
        files = [self._program, *self._line.arguments[1:]]
        parts = (*self._line.arguments, *map(_state, files), self._language, self._text, str((_RATES, _SPEEDS)))
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        return f"command {_VERSION} {self._line.name} {digest}"

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak without word times. Raises VoiceError when the program fails or stays silent."""
        line = said(utterance)
        speech = self._say(line, self._setting(rate), hidden=f"{utterance.text} {line}")
        if not stretches(speech.wave):
            raise VoiceError(
                f"{self.name} has no sounds for this sentence",  # which may be a listener's: not repeated
                hint="write it in the voice's own language and letters, or choose another voice",
            )
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
        with tempfile.TemporaryDirectory(prefix="metta-", ignore_cleanup_errors=True) as place:
            folder = Path(place)
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

    name = "command"

    def __init__(self, setup: Setup) -> None:
        self._table = setup.tables.get(self.name, {})

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        return "" if self._table else f"no program is set up; {_EXAMPLE}"

    def voices(self) -> Sequence[VoiceInfo]:
        """The voices of the table, in its order; one that cannot run says why."""
        return [_info(name, entry) for name, entry in self._table.items()]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role another program that speaks ``language``, as far as there are."""
        lead = self._resolve(variant, language)
        fitting = (info for info in self.voices() if not info.problem and info.speaks(language))
        others = [name for name in (info.name.partition(":")[2] for info in fitting) if name != lead]
        return list(itertools.islice(itertools.cycle([lead, *others]), roles))

    def open(self, variant: str, language: str) -> CommandVoice:
        """Open the voice ``variant``, or the first that speaks ``language``. Raises VoiceError for a wrong line."""
        name = self._resolve(variant, language)
        return CommandVoice(read_line(name, self._table[name]), language)

    def _resolve(self, variant: str, language: str) -> str:
        if not self._table:
            raise VoiceError("no program is set up", hint=_EXAMPLE)
        name = variant.strip()
        if not name:
            infos = self.voices()
            fitting = [info for info in infos if not info.problem and info.speaks(language)]
            name = (fitting or infos)[0].name.partition(":")[2]
        if name not in self._table:
            raise VoiceError(f'[command] in the settings has no voice "{name}"', hint=did_you_mean(name, self._table))
        line = read_line(name, self._table[name])
        if not VoiceInfo(name, (line.language,) if line.language else (), "own").speaks(language):
            what = f'the voice "command:{name}" speaks "{line.language}", not "{language}"'
            raise VoiceError(what, hint="choose another voice, or correct its language in [command] of the settings")
        return name


def _info(name: str, entry: object) -> VoiceInfo:
    try:
        line = read_line(name, entry)
        line.program()
    except VoiceError as error:
        return VoiceInfo(f"command:{name}", (), "own", installed=False, problem=str(error))
    paced = line.holds("rate") or line.holds("stretch")
    summary = f"{line.arguments[0]}{'' if paced else ', at its own rate'}"
    languages = (line.language,) if line.language else ()
    return VoiceInfo(f"command:{name}", languages, "own", line.licence, summary=summary)
