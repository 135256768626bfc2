"""``metta voices``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from metta_audio.cli.progress import progress_bar
from metta_audio.cli.table import JSON, print_json, print_table
from metta_audio.script.model import ARTICULATION
from metta_audio.units import file_size

if TYPE_CHECKING:
    from metta_audio.rendering.voices import ListedVoice

_UNFIT = re.compile(r"[^\w.+-]+")
"""What no file's name should hold: a system's voices may be called anything, and not every system takes a colon."""

_FEW, _LISTED = 4, 16
"""Languages shown with their regions, and without: what fits into a cell of two lines."""


@click.group("voices", invoke_without_command=True)
@click.option("--language", default="", metavar="CODE", help="Only voices of a language, such as de or en-gb.")
@click.option("--engine", default="", metavar="NAME", help="Only voices of one engine, all of them.")
@click.option("--installed", is_flag=True, help="Only voices that can speak now.")
@JSON
@click.pass_context
def command(context: click.Context, language: str, engine: str, installed: bool, as_json: bool) -> None:
    """List the voices: those here, those that can be fetched, and why one cannot speak."""
    if context.invoked_subcommand is not None:
        return
    from metta_audio.rendering.voices import collapsed, list_voices

    listed = list_voices(language=language, engine=engine, installed=installed)
    if as_json:
        print_json({"schema": "metta_audio.voices/1", "voices": [each.to_json() for each in listed]})
        return
    if not listed:
        what = f'speaks "{language.strip()}"' if language else "fits"
        click.echo(f"no voice here {what}" if installed else f"no voice {what}")
        return
    shown = listed if engine else collapsed(listed)
    print_table(
        ("name", "language", "quality", "licence", "size", "state", "what it is, or lacks"),
        (
            (
                each.name,
                _languages(each.languages),
                each.quality,
                each.licence,
                file_size(each.bytes) if each.bytes else "",
                _state(each),
                each.summary if each.fetchable and not each.damaged else each.problem or each.summary,
            )
            for each in shown
        ),
    )


@command.command("get")
@click.argument("name")
def get(name: str) -> None:
    """Fetch a voice. Stopped or cut, the next try goes on where this one ended."""
    from metta_audio.rendering.voices import get_voice

    with progress_bar(quiet=False, at_once=True) as progress:
        got = get_voice(name, progress=progress)
    click.echo(got.voice.name)
    click.echo(f"  {file_size(got.voice.bytes)} in {got.files[0].parent}")
    click.echo(f"  licence: {got.voice.licence}")
    for note in got.notes:
        click.echo(f"  {note}")
    click.echo(f"  to hear it: metta voices try {got.voice.name}")


@command.command("try")
@click.argument("name")
@click.option("--text", metavar="TEXT", help="What it says. Default: a few sentences of a practice.")
@click.option("--language", default="", metavar="CODE", help="The language of the text. Default: the voice's first.")
@click.option("--rate", type=float, default=ARTICULATION, show_default=True, metavar="WPM", help="Words a minute.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: output/NAME.wav")
def try_(name: str, text: str | None, language: str, rate: float, output: Path | None) -> None:
    """Write a few sentences of a voice into a file, to listen to it."""
    from metta_audio.rendering.trying import try_voice

    path = output or Path("output") / f"{_UNFIT.sub('-', name.strip())}.wav"
    with progress_bar(quiet=False) as progress:
        tried = try_voice(name, path, text=text, language=language, rate=rate, progress=progress)
    click.echo(f"{tried.path}\n  {tried.seconds:.1f} s of {tried.name} in {tried.language}")


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove a voice that was fetched, or all of an engine. Recordings and your own models are never touched."""
    from metta_audio.rendering.voices import remove_voice

    gone = remove_voice(name)
    for path in gone.files:
        click.echo(f"removed {path}")
    for path in gone.kept:
        click.echo(f"kept {path}: another voice needs it")


def _languages(languages: tuple[str, ...]) -> str:
    """Each by itself where they are few; without the regions, or only their number, where they are many."""
    if len(languages) <= _FEW:
        return ", ".join(languages)
    bare = dict.fromkeys(language.partition("-")[0] for language in languages)
    return ", ".join(sorted(bare)) if len(bare) <= _LISTED else f"{len(bare)} languages"


def _state(voice: ListedVoice) -> str:
    if voice.fetchable:
        return "damaged" if voice.damaged else "to fetch"
    if voice.problem:
        return "not usable"
    return "here, auto" if voice.auto else "here"
