"""``metta cache``."""

from __future__ import annotations

import click

from metta_audio.cli.table import JSON, print_json
from metta_audio.rendering.caching import CacheState, clear, info, verify
from metta_audio.units import file_size


@click.group("cache")
def command() -> None:
    """Say what the cache of spoken clips holds, check it, or empty it."""


@command.command("info")
@JSON
def show(as_json: bool) -> None:
    """Say where it is, how many clips it holds, and how large it is and may be."""
    state = info()
    _print(state, as_json, f"{state.clips:,} clips, {file_size(state.bytes)} of at most {file_size(state.most_bytes)}")


@command.command("verify")
@JSON
def check(as_json: bool) -> None:
    """Read every clip; delete damaged ones, which are then spoken again when they are needed."""
    state = verify()
    gone = [f"{state.damaged} damaged, deleted"] * bool(state.damaged)
    gone += [f"{state.leftovers} left by a kill, deleted"] * bool(state.leftovers)
    _print(state, as_json, "; ".join([f"{state.clips:,} clips are whole", *gone]))


@command.command("clear")
@JSON
def empty(as_json: bool) -> None:
    """Delete every clip. Nothing but time is lost: they are spoken again."""
    state = clear()
    _print(state, as_json, f"{state.clips:,} clips, {file_size(state.bytes)}, deleted")


def _print(state: CacheState, as_json: bool, text: str) -> None:
    if as_json:
        print_json(state.to_json())
    else:
        click.echo(f"{state.folder}\n  {text}")
