"""``metta script``."""

from __future__ import annotations

from pathlib import Path

import click

from metta_audio.cli.options import Which, gathered
from metta_audio.shelves import Shelves


@click.group("script")
def command() -> None:
    """Work with the text of a practice."""


@command.command("ssml")
@gathered(Which, name="which")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: the terminal.")
def ssml(which: Which, output: Path | None) -> None:
    """Write a practice, filled in, as SSML 1.1, for speech services and programs elsewhere.

    Gaps are breaks of their preferred length; bells, breaths and beds are marks, which nobody speaks.
    """
    from metta_audio.rendering.ssml import save_ssml, to_ssml

    session = which.session()
    lexicon = Shelves.standard(which.scripts).beside(Path(session.file)).lexicon(session.header)
    if output is None:
        click.echo(to_ssml(session, lexicon).encode(), nl=False)
    else:
        save_ssml(session, lexicon, output)
        click.echo(output)
