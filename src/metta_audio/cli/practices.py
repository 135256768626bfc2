"""``metta practices``."""

from __future__ import annotations

from pathlib import Path

import click

import metta_audio
from metta_audio.cli.table import print_table
from metta_audio.errors import MettaError
from metta_audio.script.model import Parameter, Script
from metta_audio.shelves import Shelves, copy_practice

_scripts = click.option("--scripts", type=click.Path(path_type=Path), metavar="DIR", help="A folder to look in first.")


@click.group("practices", invoke_without_command=True)
@_scripts
@click.pass_context
def command(context: click.Context, scripts: Path | None) -> None:
    """List the practices with their length in minutes and what they are."""
    context.obj = scripts
    if context.invoked_subcommand is not None:
        return
    shelves = Shelves.standard(scripts)
    print_table(("name", "minutes", "summary"), (_row(name, path) for name, path in shelves.practices().items()))


def _row(name: str, path: Path) -> tuple[str, str, str]:
    try:
        header = metta_audio.load(path).header
    except MettaError as error:
        return name, "", f"cannot be read: {error}"
    minutes = header.minutes
    return name, f"{minutes.min:g}-{minutes.max:g} ({minutes.default:g})", header.summary


@command.command("show")
@click.argument("name")
@_scripts
@click.pass_obj
def show(above: Path | None, name: str, scripts: Path | None) -> None:
    """Explain one practice: its parameters, their defaults, its roles."""
    click.echo(_describe(metta_audio.load(name, scripts=scripts or above)))


@command.command("copy")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("scripts"))
@_scripts
@click.pass_obj
def copy(above: Path | None, name: str, folder: Path, scripts: Path | None) -> None:
    """Copy a practice into FOLDER (scripts) to make it your own."""
    click.echo(copy_practice(Shelves.standard(scripts or above), name, folder))


def _describe(script: Script) -> str:
    header = script.header
    minutes = header.minutes
    lines = [
        f"{header.title} ({script.name})",
        header.summary,
        "",
        f"minutes   {minutes.min:g} to {minutes.max:g}, default {minutes.default:g}",
        f"language  {header.language}, {header.wpm:g} words a minute",
        f"roles     {', '.join(['guide', *(role for role in header.roles if role != 'guide')])}",
    ]
    if header.params:
        lines += ["", "parameters (--set KEY=VALUE)"]
        lines += [line for param in header.params.values() for line in _explain(param)]
    return "\n".join(lines)


def _explain(param: Parameter) -> list[str]:
    choices = f": {', '.join(param.choices)}" if param.choices else ""
    bounds = f" from {param.min:g} to {param.max:g}" if param.min is not None and param.max is not None else ""
    return [
        f"  {param.name} ({param.type}{choices}{bounds}), default {_value(param)}",
        *([f"      {param.help}"] if param.help else []),
    ]


def _value(param: Parameter) -> str:
    value = param.default
    if value is None:
        return "none: it must be given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(value) or "empty"
    return f"{value:g}" if isinstance(value, float) else (str(value) or "empty")
