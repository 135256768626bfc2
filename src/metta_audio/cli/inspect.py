"""``metta inspect``."""

from __future__ import annotations

from pathlib import Path

import click

import metta_audio
from metta_audio.cli.table import one_line, print_json
from metta_audio.inspection import Inspection
from metta_audio.units import clock


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def command(file: Path, as_json: bool) -> None:
    """Decode a finished file, and say what it holds: exact length, loudness, peak, chapters, tags, captions."""
    found = metta_audio.inspect(file)
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(_describe(found))


def _describe(found: Inspection) -> str:
    def figure(value: float | None, unit: str) -> str:
        return "silence" if value is None else f"{value:.2f} {unit}"

    lines = [
        f"file            {found.file} ({found.format})",
        f"length          {clock(found.seconds)} = {found.frames:,} samples",
        f"sound           {found.rate} Hz, {found.channels} channel{'s' if found.channels != 1 else ''}",
        f"loudness        {figure(found.lufs, 'LUFS')}",
        f"loudness range  {figure(found.loudness_range, 'LU')}",
        f"true peak       {figure(found.true_peak, 'dBTP')}",
        f"captions        {'none beside it' if found.captions is None else f'{found.captions} cues'}",
        f"chapters        {len(found.chapters)}",
        *(f"  {clock(start)}  {one_line(title)}" for start, title in found.chapters),
        "tags",
        *(f"  {key}  {one_line(value)}" for key, value in found.tags.items()),
    ]
    return "\n".join(lines)
