"""``metta plot``."""

from __future__ import annotations

from pathlib import Path

import click

from metta_audio.errors import EncodeError, SettingsError


@click.command("plot")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="PICTURE.png|svg", help="Default: FILE with .png."
)
def command(file: Path, output: Path | None) -> None:
    """Draw a finished recording: sections, spoken lines, silences, bells, breath, loudness over time, the bed's gain.

    It needs the record that lies beside the recording (STEM.manifest.json); without it, the loudness alone is drawn.
    """
    from metta_audio.inspection import read_record
    from metta_audio.rendering.session_plot import plot_session

    _must_be_recording(file)
    record = read_record(file)
    picture = plot_session(file, output or file.with_suffix(".png"), record)
    if record is None:
        click.echo("no record of this file beside it (STEM.manifest.json): only its loudness is drawn", err=True)
    click.echo(f"drawn: {picture}", err=True)


def _must_be_recording(file: Path) -> None:
    """Raise where a script or a practice is given: they have a picture of their own."""
    name = str(file)
    if file.suffix.lower() == ".md":
        raise SettingsError(f"{name} is a script, no recording", hint=f"draw it with: metta plan {name} --plot OUT.png")
    if file.is_file():
        return
    if not file.exists() and not file.suffix and name == file.name and name:
        raise EncodeError(f"no such file: {name}", hint=f"a practice is drawn with: metta plan {name} --plot OUT.png")
    what = f"{name or 'an empty name'} is no ordinary file" if file.exists() or not name else f"no such file: {name}"
    raise EncodeError(what, hint="give a finished recording")
