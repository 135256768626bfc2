"""``metta sounds``."""

from __future__ import annotations

from pathlib import Path

import click

from metta_audio.cli.progress import progress_bar
from metta_audio.cli.table import JSON, print_json, print_table
from metta_audio.units import Decibels

_exclude = click.option("--exclude", multiple=True, metavar="NAME", help="A name or family to leave out; repeatable.")
_seed = click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another variation.")
_seconds = click.option("--seconds", type=float, default=60.0, show_default=True, help="Length of a bed.")


@click.group("sounds", invoke_without_command=True)
@JSON
@_exclude
@click.pass_context
def command(context: click.Context, as_json: bool, exclude: tuple[str, ...]) -> None:
    """List the beds and bells: what each is, its families, and whether it needs headphones."""
    if context.invoked_subcommand is not None:
        return
    from metta_audio.rendering.audition import sounds

    found = sounds(exclude=exclude)
    if as_json:
        print_json({"schema": "metta_audio.sounds/1", "sounds": [each.to_json() for each in found]})
        return
    print_table(
        ("name", "kind", "headphones", "families", "what it is"),
        ((each.name, each.kind, each.headphones, ", ".join(each.tags), each.summary) for each in found),
    )


@command.command("render")
@click.argument("name")
@_seconds
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="Default: output/NAME.wav")
@click.option(
    "--level", type=float, default=12.0, show_default=True, metavar="DB", help="Against its level in a recording."
)
@_seed
@_exclude
def render(name: str, seconds: float, output: Path | None, level: float, seed: int, exclude: tuple[str, ...]) -> None:
    """Write a bed (NAME, layers such as "ocean:-3+drone", or a file) or a bell by itself, to listen to it."""
    from metta_audio.rendering.audition import audition, save

    sample = audition(name, seconds=seconds, seed=seed, exclude=exclude)
    path = output or Path("output") / f"{Path(sample.name).stem}.wav"
    with progress_bar(quiet=False) as progress:
        got = save(sample, path, level=Decibels(level), progress=progress)
    for line in (str(path), f"  {got:+.1f} dB against its level in a recording", *(f"  {n}" for n in sample.notes)):
        click.echo(line)


@command.command("plot")
@click.argument("name")
@_seconds
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.png|svg", help="Default: output/NAME.png"
)
@_seed
@_exclude
def plot(name: str, seconds: float, output: Path | None, seed: int, exclude: tuple[str, ...]) -> None:
    """Draw the spectrum and the envelope of a bed or a bell."""
    from metta_audio.rendering.audition import audition
    from metta_audio.rendering.sound_plot import plot_sound

    sample = audition(name, seconds=seconds, seed=seed, exclude=exclude)
    path = output or Path("output") / f"{Path(sample.name).stem}.png"
    click.echo(plot_sound(sample.strike or sample.source, title=sample.name, path=path, seconds=seconds))
