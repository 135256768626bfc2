"""``metta script``."""

from __future__ import annotations

from pathlib import Path

import click

import metta_audio
from metta_audio.cli.options import pairs
from metta_audio.shelves import Shelves


@click.group("script")
def command() -> None:
    """Work with the text of a practice."""


@command.command("ssml")
@click.argument("practice", metavar="PRACTICE|FILE")
@click.option("--minutes", type=float, metavar="M", help="The length to fill it for. Default: the practice's own.")
@click.option("--set", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the practice; repeatable.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Another seed, another variation.")
@click.option("--scripts", type=click.Path(path_type=Path), metavar="DIR", help="A folder of scripts to look in first.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: the terminal.")
def ssml(
    practice: str, minutes: float | None, params: tuple[str, ...], seed: int, scripts: Path | None, output: Path | None
) -> None:
    """Write a practice, filled in, as SSML 1.1, for speech services and programs elsewhere.

    Gaps are breaks of their preferred length; bells, breaths and beds are marks, which nobody speaks.
    """
    from metta_audio.rendering.ssml import save_ssml, to_ssml

    script = metta_audio.load(practice, scripts=scripts)
    chosen = pairs(params, "--set", "name=Ana")
    session = metta_audio.fill(script, minutes=minutes, params=chosen, seed=seed, scripts=scripts)
    lexicon = Shelves.standard(scripts).beside(Path(script.file)).lexicon(session.header)
    if output is None:
        click.echo(to_ssml(session, lexicon).encode(), nl=False)
    else:
        save_ssml(session, lexicon, output)
        click.echo(output)
