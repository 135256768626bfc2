"""``metta takes``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from metta_audio.cli.options import BREATH, Decorators, Which, gathered
from metta_audio.cli.progress import progress_bar
from metta_audio.cli.table import JSON, print_json, print_table
from metta_audio.takes.command import DEFAULT_NAME

if TYPE_CHECKING:
    from metta_audio.rendering.takes import Takes
    from metta_audio.takes.index import Entry
    from metta_audio.takes.review import Review

_OF_WHOM: Decorators = (
    BREATH,
    click.option(
        "--as",
        "name",
        default=DEFAULT_NAME,
        show_default=True,
        metavar="NAME",
        help="Whose takes: the voice takes:NAME.",
    ),
)
_missing = click.option("--missing", is_flag=True, help="Only the lines of which NAME has no certain take.")
_line = click.argument("line", type=int)


@dataclass(frozen=True, slots=True)
class _Asked(Which):
    """Which lines are meant: those of a session, and whose takes. Counts that lead a breath are lines, too."""

    breath: str | None
    name: str

    def written(self) -> list[str]:
        """How it is asked for on the command line, without the name."""
        return [*Which.written(self), *(["--breath-sound", self.breath] if self.breath else [])]

    def takes(self) -> Takes:
        from metta_audio.rendering.takes import Takes

        return Takes(self.session(), self.name, self.breath, tuple(self.written()))


_shared = gathered(_Asked, _OF_WHOM, "asked")


@click.group("takes")
def command() -> None:
    """Record a practice in your own voice: print the lines, import the recording, check the takes."""


@command.command("sheet")
@_shared
@_missing
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.html", help="Default: output/PRACTICE-sheet.html"
)
def sheet(asked: _Asked, missing: bool, output: Path | None) -> None:
    """Write the numbered lines to read, once each, as a page for paper or a tablet."""
    takes = asked.takes()
    path = output or Path("output") / f"{takes.session.name}-sheet.html"
    lines = takes.write_sheet(path, missing=missing)
    click.echo(f"{path}\n  {len(lines)} line{'' if len(lines) == 1 else 's'} to read")


@command.command("import")
@_shared
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING…", type=click.Path(path_type=Path))
@_missing
@click.option("--line", type=int, metavar="N", help="The one recording is line N and nothing else.")
@click.option(
    "--numbered", is_flag=True, help="Each file is the line whose number begins its name; a folder always is."
)
@click.option("--accept-doubtful", is_flag=True, help="Let doubtful takes replace good older ones, too.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken; write nothing.")
@JSON
def import_(asked: _Asked, recordings: tuple[Path, ...], as_json: bool, **choices: Any) -> None:
    """Take the lines from long recordings, in order, or from a folder of numbered files.

    Each recording is cut at its silences, and the pieces are matched to the lines by their order,
    length and sound.
    """
    from metta_audio.rendering.taking import import_takes, misfit

    wrong = misfit(recordings, **{each: choices[each] for each in ("line", "numbered", "missing")})
    if wrong:
        raise click.UsageError(wrong, click.get_current_context())
    takes = asked.takes()
    with progress_bar(quiet=as_json) as progress:
        review = import_takes(takes, recordings, progress=progress, **choices)
    if as_json:
        print_json(review.to_json())
        return
    _print_review(review)
    if choices["dry_run"]:
        click.echo("nothing was written")
    elif choices["line"] is None:
        click.echo(f"listen to it: {takes.review_page}")


def _print_review(review: Review) -> None:
    from metta_audio.takes.review import cut

    print_table(
        ("line", "text", "seconds", "expected", "verdict", "note"),
        (
            (str(row.number), cut(row.text), f"{row.seconds:.1f}", f"{row.expected:.1f}", row.verdict, row.note)
            for row in review.rows
            if row.seconds is not None
        ),
    )
    click.echo(review.summary)
    for verdict, told in (("kept", "not in this recording, takes from before stay"), ("missing", "missing")):
        numbers = [row.number for row in review.rows if row.verdict == verdict]
        if numbers:
            click.echo(f"{told}: {_ranges(numbers)}")
    if review.left_out:
        click.echo(f"left out, as no line: {', '.join(review.left_out)}")
    for note in review.notes:
        click.echo(f"note: {note}")


@command.command("check")
@_shared
@click.option("--strict", is_flag=True, help="Exit 1 where a line is missing or damaged.")
@JSON
def check(asked: _Asked, strict: bool, as_json: bool) -> None:
    """List the lines that are missing, clipped, noisy, too quiet, or too short or long for their words."""
    from metta_audio.rendering.takes import CHECK_SCHEMA
    from metta_audio.takes.check import grouped

    takes = asked.takes()
    checked = takes.check()
    lost = [each for each in checked if each.figures is None]
    if as_json:
        print_json({"schema": CHECK_SCHEMA, "name": asked.name, "lines": [each.to_json() for each in checked]})
    else:
        groups = grouped((each.line.number, fault) for each in checked for fault in each.faults)
        if groups:
            recorded = tuple(each.line.number for each in checked if each.figures is not None)
            rows = ((each.title, _told(each.lines, recorded), each.figures, each.advice) for each in groups)
            print_table(("fault", "lines", "measured", "what to do"), rows)
        good = sum(not each.faults for each in checked)
        damaged = sum(each.take is not None for each in lost)
        click.echo(
            f"{len(checked)} lines: {good} good, {len(checked) - good - len(lost)} with faults, "
            f"{len(lost) - damaged} missing{f', {damaged} damaged' if damaged else ''}"
        )
        for advice in takes.advice(checked):
            click.echo(advice)
    if strict and lost:
        click.echo(f"metta: {len(lost)} of {len(checked)} lines cannot be spoken by takes:{asked.name}", err=True)
        raise SystemExit(1)


def _told(numbers: Sequence[int], recorded: Sequence[int]) -> str:
    return f"all {len(recorded)} recorded" if len(numbers) > 1 and numbers == recorded else _ranges(numbers)


def _ranges(numbers: Sequence[int]) -> str:
    """Rising numbers as a reader writes them: "1-4, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


@command.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List whose takes there are."""
    from metta_audio.rendering.takes import LIST_SCHEMA, list_takes

    found = list_takes()
    if as_json:
        print_json({"schema": LIST_SCHEMA, "takes": [asdict(each) for each in found]})
        return
    print_table(
        ("voice", "lines", "older", "minutes", "languages", "Hz", "MB"),
        (
            (
                f"takes:{each.name}",
                str(each.lines),
                str(each.older),
                f"{each.seconds / 60:.1f}",
                ", ".join(each.languages),
                ", ".join(map(str, each.rates)),
                f"{each.bytes / 1e6:.1f}",
            )
            for each in found
        ),
    )
    for each in found:
        if each.problem:
            click.echo(f"takes:{each.name}: {each.problem}")


@command.command("drop")
@_shared
@_line
def drop(asked: _Asked, line: int) -> None:
    """Take line LINE out; it counts as missing, and its take is kept among the older ones."""
    _tell(line, asked.takes().drop(line))


@command.command("undo")
@_shared
@_line
def undo(asked: _Asked, line: int) -> None:
    """Go back to the take that line LINE had before; once more, to the one before that, and round again."""
    _tell(line, asked.takes().undo(line))


@command.command("accept")
@_shared
@_line
def accept(asked: _Asked, line: int) -> None:
    """Say that the doubtful take of line LINE is the right one."""
    _tell(line, asked.takes().accept(line))


def _tell(line: int, entry: Entry) -> None:
    now = "missing" if entry.current is None else f"{entry.current.seconds:.1f} s, {entry.current.file}"
    click.echo(f"line {line}: {now}; {len(entry.older)} older take{'' if len(entry.older) == 1 else 's'} kept")
