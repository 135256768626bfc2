"""A person's own recordings, from the sheet to the checked take: the calls behind ``metta takes``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metta_audio.errors import SettingsError, SoundError
from metta_audio.rendering.counting import counting_lines
from metta_audio.rendering.flow import says_own_words
from metta_audio.rendering.options import Options
from metta_audio.rendering.workplace import workplace
from metta_audio.script.model import Line, Session
from metta_audio.settings import read_settings
from metta_audio.takes.check import SERIOUS, Fault, Figures, faults, measure, usual_pace
from metta_audio.takes.command import DEFAULT_NAME, RECORDING, takes_command
from metta_audio.takes.index import Entry, Take
from metta_audio.takes.lines import SheetLine, key, sheet_lines
from metta_audio.takes.sheet import sheet
from metta_audio.takes.store import TakeSet, set_names

REVIEW = "review"
"""Name of the files that say what the last import found, beside the takes."""

_NOT_AGAIN = ("missing", "dull", "offset")
"""Faults of which no single line need be recorded again: a sheet lists the missing ones, and the rest can be used."""

CHECK_SCHEMA = "metta_audio.takes.check/2"
LIST_SCHEMA = "metta_audio.takes.list/1"


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of one line's take. ``figures`` are None where it is missing."""

    line: SheetLine
    take: Take | None
    figures: Figures | None
    faults: tuple[Fault, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON; without the text, which is the sheet's."""
        return {
            "number": self.line.number,
            "faults": [{"kind": each.kind, "figure": each.figure, "text": each.text} for each in self.faults],
            "figures": None if self.figures is None else asdict(self.figures),
        }


@dataclass(frozen=True, slots=True)
class Listed:
    """One set of takes, as a list shows it. ``seconds`` of its current takes, ``bytes`` of all of them.

    ``problem`` says why it cannot be read, and what to do; empty where it can.
    """

    name: str
    lines: int = 0
    older: int = 0
    seconds: float = 0.0
    languages: tuple[str, ...] = ()
    rates: tuple[int, ...] = ()
    bytes: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Takes:
    """The lines of one session, and the takes that the set ``name`` has of them.

    ``breath`` is the sound that leads breaths, as in ``Options``: where it counts, the words of counting are lines.
    ``asked`` is how the session is asked for on the command line, the practice, then its options: for the commands
    that pages and hints name. Raises SettingsError for what cannot be a name.
    """

    session: Session
    name: str = DEFAULT_NAME
    breath: str | None = None
    asked: tuple[str, ...] = ()

    @property
    def set(self) -> TakeSet:
        """Where they are kept."""
        return TakeSet(_root(), self.name)

    @property
    def lines(self) -> tuple[SheetLine, ...]:
        """Every line that a person reads, numbered."""
        return sheet_lines(self.session, counting_lines(self.session, Options(breath=self.breath)))

    @property
    def review_page(self) -> Path:
        """Where the review of the last import lies."""
        return self.set.folder / f"{REVIEW}.html"

    @property
    def shown(self) -> Mapping[int, str]:
        """By its number, each line as anybody may read it: without what a listener says of themselves."""
        items = (item for section in self.session.sections for item in section.items)
        own = {key(item.text): item.shown for item in items if isinstance(item, Line) and item.private}
        return {line.number: own.get(line.key, line.text) for line in self.lines}

    @property
    def practice(self) -> str:
        """How the practice is asked for."""
        return self.asked[0] if self.asked else self.session.file or self.session.name

    @property
    def options(self) -> tuple[str, ...]:
        """With which options. What a listener says of themselves is "…": it asks for the same lines."""
        return tuple(_hidden(part, self.session.private) for part in self.asked[1:])

    def command(self, verb: str, *arguments: object) -> str:
        """A whole command of ``metta takes`` about these lines."""
        return takes_command(verb, self.practice, *arguments, options=self.options, name=self.name)

    def wanted(self, *, missing: bool) -> tuple[SheetLine, ...]:
        """All lines; with ``missing``, those without a certain take. Raises SettingsError where there is none."""
        lines, index = self.lines, self.set.index()
        wanted = tuple(line for line in lines if not (missing and _certain(index.current(line.key))))
        if not lines:
            raise SettingsError(f"{self.session.name} has no line to read", hint="choose another practice")
        if not wanted:
            raise SettingsError(f'"{self.name}" has every line of {self.session.name}', hint="nothing is missing")
        return wanted

    def write_sheet(self, path: Path, *, missing: bool = False) -> tuple[SheetLine, ...]:
        """Write the page to read from into ``path``, whole or not at all, and give the lines on it.

        With ``missing``, only those without a certain take; their numbers stay. Raises SettingsError where there is
        nothing to read, EncodeError where ``path`` cannot be written.
        """
        lines = self.wanted(missing=missing)
        more = ["--missing"] if missing else []
        # The page shows every word anyhow, so the command is whole.
        options = self.asked[1:]
        command = takes_command("import", self.practice, RECORDING, *more, options=options, name=self.name)
        text = sheet(lines, self.session.header, command, missing=missing)
        with workplace(path.parent, private=says_own_words(self.session)) as staging:
            staging.path(path.name).write_text(text, encoding="utf-8")
            staging.commit()
        return lines

    def check(self) -> tuple[Checked, ...]:
        """Measure the take of every line. Raises VoiceError for an unknown set."""
        takes = self._existing()
        index = takes.index()
        pace = usual_pace(index.takes)
        return tuple(_checked(takes, line, index.current(line.key), pace) for line in self.lines)

    def advice(self, checked: Sequence[Checked]) -> Iterator[str]:
        """What to do about faults, each with a command that can be run as it stands."""
        worst = {fault.kind: each.line.number for each in reversed(checked) for fault in each.faults}
        if "missing" in worst:
            yield f"a sheet of what is missing: {self.command('sheet', '--missing')}"
        if "doubtful" in worst:
            yield f"a doubtful take that is right: {self.command('accept', worst['doubtful'])}"
        again = next((worst[kind] for kind in SERIOUS if kind in worst and kind not in _NOT_AGAIN), None)
        if again is not None:
            yield f"a line recorded again: {self.command('import', RECORDING, '--line', again)}"

    def drop(self, number: int) -> Entry:
        """The line is missing again; its take is kept among the older ones. Raises SettingsError where it has none."""
        return self._change(number, Entry.dropped, "has no take to drop")

    def undo(self, number: int) -> Entry:
        """The newest of the line's older takes again; again and again, all of them come round.

        Raises SettingsError where there is none.
        """
        return self._change(number, Entry.undone, "has no older take to go back to")

    def accept(self, number: int) -> Entry:
        """The line's take is the right one: nothing is doubtful about it any more.

        Raises SettingsError where it has no doubtful one.
        """
        return self._change(number, Entry.accepted, "has no doubtful take to accept")

    def _existing(self) -> TakeSet:
        return TakeSet.existing(_root(), self.name, f"import a recording first: {self.command('import', RECORDING)}")

    def _change(self, number: int, how: Callable[[Entry], Entry], unchanged: str) -> Entry:
        takes = self._existing()
        lines = {line.number: line for line in self.lines}
        if number not in lines:
            hint = f"the sheet has lines 1 to {len(lines)}"
            raise SettingsError(f"no line has the number {number}", hint=hint)
        before = takes.index().entry(lines[number].key)
        hint = f"to see what there is: {self.command('check')}"
        if before == Entry():
            raise SettingsError(f'"{self.name}" has no take of line {number}', hint=hint)
        if how(before) == before:
            raise SettingsError(f'line {number} of "{self.name}" {unchanged}', hint=hint)
        return takes.change(lines[number].key, how)


def list_takes() -> tuple[Listed, ...]:
    """Every set of takes of this user."""
    return tuple(_listed(TakeSet(_root(), name)) for name in set_names(_root()))


def _root() -> Path:
    return read_settings().setup().takes


def _hidden(part: str, private: frozenset[str]) -> str:
    """``part`` of a command line, without the value of a parameter that is private."""
    name, equals, value = part.partition("=")
    return f"{name}=…" if equals and value and name.strip() in private else part


def _certain(take: Take | None) -> bool:
    return take is not None and not take.doubtful


def _checked(takes: TakeSet, line: SheetLine, take: Take | None, pace: float) -> Checked:
    if take is None:
        return Checked(line, None, None, (Fault("missing", advice="it has not been recorded"),))
    try:
        wave = takes.read(take)
    except SoundError:
        advice = "its file was changed or is gone: put it back, or record the line again"
        return Checked(line, take, None, (Fault("damaged", take.file, advice),))
    figures = measure(wave, take, pace)
    found = faults(figures, take.words)
    if take.doubtful:
        advice = "listen: it may be of another line. Accept it, or record the line again"
        found = (Fault("doubtful", advice=advice), *found)
    return Checked(line, take, figures, found)


def _listed(takes: TakeSet) -> Listed:
    try:
        index = takes.index()
    except SoundError as error:
        return Listed(takes.name, problem=str(error))
    current = index.takes
    return Listed(
        takes.name,
        lines=len(current),
        older=sum(len(entry.older) for entry in index.entries.values()),
        seconds=round(sum(take.seconds for take in current), 1),
        languages=index.languages,
        rates=tuple(sorted({take.rate for take in current})),
        bytes=takes.size(),
    )
