"""A progress bar on a terminal, silence elsewhere; and each step of progress is a place to stop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from metta_audio.cli.stopping import in_steps
from metta_audio.rendering.options import Progress


@contextmanager
def progress_bar(*, quiet: bool, at_once: bool = False) -> Iterator[Progress]:
    """Shows each stage as it comes, on stderr; nothing where stderr is no terminal, or ``quiet``.

    Who asks to stop is obeyed between two steps, or ``at_once``, for work that nothing can spoil.
    """
    with nullcontext(_go_on) if at_once else in_steps() as step:
        if quiet or not sys.stderr.isatty():
            yield lambda *_: step()
            return
        with _bar() as show:

            def shown_step(stage: str, done: int, total: int) -> None:
                step()
                show(stage, done, total)

            yield shown_step


def _go_on() -> None:
    """Nobody asked to stop."""


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    tasks: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        yield show
