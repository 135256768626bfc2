"""The command ``metta``: one file a command, each ending in one library call."""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from metta_audio import __version__
from metta_audio.cli.stopping import Stopped, listen
from metta_audio.cli.table import one_line

COMMANDS = {
    "render": ("render", "Make a finished recording of a practice."),
    "plan": ("plan", "Print or draw the timeline of a practice; writes no sound."),
    "practices": ("practices", "List the practices, show one, or copy one to edit."),
    "script": ("script", "Write a practice as SSML, for speech programs elsewhere."),
    "sounds": ("sounds", "List the beds and bells, play one into a file, or draw it."),
    "cache": ("cache", "Say what the cache of spoken clips holds, check it, or empty it."),
    "takes": ("takes", "Record a practice in your own voice: sheet, import, check."),
    "voices": ("voices", "List the voices, fetch one, hear one, or remove one."),
    "inspect": ("inspect", "Measure a finished file."),
    "plot": ("plot", "Draw a finished recording."),
    "doctor": ("doctor", "Say what this machine has, and what to do about what is missing."),
}
"""Command → module and short help: known without importing any of them, so that --help answers at once."""


class LazyCommands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, D102
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"metta_audio.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:  # noqa: D102
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from metta_audio.errors import did_you_mean

            hint = did_you_mean(args[0], COMMANDS)
            raise click.UsageError(f"{error.message} {hint[:1].upper()}{hint[1:]}", ctx) from None


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="metta")
def metta() -> None:
    """Turn a written meditation practice into a finished recording."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command. Exits 1 on an error of ours, 2 on wrong usage, 130 on Ctrl-C, 143 on a polite kill."""
    try:
        listen()
        _write_anything()
        _only_our_own_errors()
        metta.main(args, prog_name="metta", standalone_mode=False)
    except Stopped:
        _say("stopped")
        raise
    except click.UsageError as error:
        _fail_usage(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a user never sees a traceback unasked
        _fail(error)


def _only_our_own_errors() -> None:
    """Keep from users what libraries write to stderr (libmpg123 comments on every odd MP3): one line says it all."""
    from metta_audio.settings import debugging

    stream = sys.__stderr__
    if debugging() or stream is None or sys.stderr is not stream or stream.fileno() != 2:
        return
    ours = os.fdopen(os.dup(2), "w", encoding=stream.encoding, errors="backslashreplace", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = ours
    # What is lost in a callback of a library comes back as that library's error.
    sys.unraisablehook = lambda _: None
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _write_anything() -> None:
    """No text is too strange for an old terminal, and no stream too closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper):
            # What it cannot show is written as an escape.
            stream.reconfigure(errors="backslashreplace")


def _say(message: str) -> None:
    with suppress(OSError):
        click.echo(f"metta: {one_line(message)}", err=True)


def _fail_usage(error: click.UsageError) -> NoReturn:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
    else:
        path = error.ctx.command_path if error.ctx else "metta"
        _say(f"{error.format_message().rstrip('.')}; see {path} --help")
    sys.exit(error.exit_code)


def _fail(error: Exception) -> NoReturn:
    from metta_audio.errors import MettaError
    from metta_audio.settings import debugging

    if debugging():
        traceback.print_exc()
    elif isinstance(error, MettaError):
        _say(str(error))
    elif isinstance(error, OSError):
        _say(f"{error.strerror or error}: {error.filename or 'while writing or reading'}")
    else:
        _say(f"unexpected {type(error).__name__}: {error}; METTA_DEBUG=1 shows where")
    sys.exit(1)
