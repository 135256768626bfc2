"""A program's line in the settings: split into arguments, checked, and filled for one text."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metta_audio.errors import VoiceError, at, did_you_mean
from metta_audio.speech.voice import Setup
from metta_audio.units import Seconds
from metta_audio.voices.command.running import WHOLE, holds, pieces, runs_text

NAME = "command"
"""The engine's, and that of its table in the settings."""

_PATIENCE = Seconds(120.0)
"""For one line. A program takes seconds; one that loads a large model each time may take a minute."""

_MOST_PATIENCE = Seconds(3600.0)
"""An hour for a line is a mistake in the unit."""

_PLACEHOLDERS = ("text", "text_file", "out", "rate", "stretch", "language")

_OPTION_MARKS = ("-", "@", "/", "+")
"""Signs at the beginning of an argument that make programs take it for an option or a file of arguments."""

_SLT = "flite -voice slt --setf duration_stretch={stretch} -t {text} -o {out}"
EXAMPLE = f'write into settings.toml: [command] and under it NAME = "{_SLT}"'
_KEYS = {
    "line": f'line = "{_SLT}"',
    "language": 'language = "en-us"',
    "licence": 'licence = "CC0"',
    "timeout": f"timeout = {_PATIENCE:g}",
}
"""Keys of a voice that is a table, and how each is written."""


@dataclass(frozen=True, slots=True)
class Line:
    """One voice of the table: its line, split into arguments with placeholders, and what is known of it.

    ``language`` is BCP 47 in lower case, empty for a program that speaks whatever it is given.
    """

    name: str
    arguments: tuple[str, ...]
    language: str = ""
    licence: str = ""
    timeout: Seconds = _PATIENCE

    def holds(self, placeholder: str) -> bool:
        """Whether ``placeholder`` stands in it."""
        return any(holds(argument, placeholder) for argument in self.arguments)

    def program(self) -> str:
        """Path of the program. Raises VoiceError where it is not to be found."""
        if runs_text(self.arguments):
            # A script may say "$(rm …)", and whoever wrote it need not be the one who runs it.
            what = f'the line of the voice "command:{self.name}" could run what a text says'
            raise VoiceError(what, hint=f"hand the text over by {{text_file}} or standard input, or {WHOLE}")
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
    parts = pieces(argument)
    filled = "".join(literal + (values[field] if field else "") for literal, field in parts)
    # A sentence may begin with a dash, and no program shall take it for an option: a blank before it is not spoken.
    return f" {filled}" if parts[0] == ("", "text") and filled.startswith(_OPTION_MARKS) else filled


def read_line(name: str, setup: Setup) -> Line:
    """The voice ``name`` of the table [command]: a line, or a table with one. Raises VoiceError for a wrong one."""
    entry = setup.tables[NAME][name]
    if isinstance(entry, str):
        entry = {"line": entry}
    where = f'the voice "{name}" of [command] in the settings'
    if not isinstance(entry, Mapping):
        what = f"{where} is neither a line nor a table"
        raise VoiceError(what, place=setup.place(NAME, name), hint=f"write {name} = {_KEYS['line'][7:]}")
    for key, value in entry.items():
        with at(setup.place(NAME, name, key)):
            _check(key, value, where)
    line = str(entry.get("line", "")).strip()
    with at(setup.place(NAME, name, "line")):
        arguments = _arguments(line, where)
    return Line(
        name=name,
        arguments=arguments,
        language=str(entry.get("language", "")).strip().lower(),
        licence=str(entry.get("licence", "")).strip(),
        timeout=Seconds(float(entry.get("timeout", _PATIENCE))),
    )


def _check(key: str, value: object, where: str) -> None:
    if key not in _KEYS:
        raise VoiceError(f'{where} has no "{key}"', hint=did_you_mean(key, _KEYS))
    fits, kind = isinstance(value, str), "a text"
    if key == "timeout":
        fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST_PATIENCE
        kind = f"a number of seconds, at most {_MOST_PATIENCE:g}"
    if not fits:
        raise VoiceError(f'"{key}" of {where} must be {kind}', hint=f"write {_KEYS[key]}")


def _arguments(line: str, where: str) -> tuple[str, ...]:
    """Split as a shell would, and check every placeholder."""
    splitter = shlex.shlex(line, posix=True, punctuation_chars=False)
    splitter.whitespace_split, splitter.commenters = True, ""
    if os.name == "nt":
        splitter.escape = ""  # there a backslash is part of a path
    try:
        # A path may begin in the home folder; only what the user wrote is looked at, never the text.
        arguments = [str(Path(each).expanduser()) if each.startswith("~/") else each for each in splitter]
        fields = [field for argument in arguments for _, field in pieces(argument) if field]
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
