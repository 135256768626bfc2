"""``metta render``."""

from __future__ import annotations

from pathlib import Path

import click

import metta_audio
from metta_audio.cli.options import Request, shared
from metta_audio.cli.progress import progress_bar
from metta_audio.cli.table import JSON, one_line, print_json
from metta_audio.encode.container import CONTAINERS, container
from metta_audio.inspection import judge
from metta_audio.rendering.natural import natural_voice
from metta_audio.rendering.output import Report, check_output
from metta_audio.script.model import GUIDE, Session
from metta_audio.settings import read_settings
from metta_audio.speech.setup import AUTO
from metta_audio.units import clock


@click.command("render")
@shared
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="Default: output/PRACTICE-Mmin.mp3"
)
@click.option("--format", "format_", metavar="|".join(CONTAINERS), help="Default: by the suffix of OUT, else mp3.")
@click.option("--twin", is_flag=True, help="Also write OUT-no-bed: the same recording without a bed.")
@JSON
def command(request: Request, output: Path | None, format_: str | None, twin: bool, as_json: bool) -> None:
    """Make a finished recording of a practice, by name or from a script file.

    Beside OUT.mp3 it writes captions (OUT.vtt, OUT.srt), transcript (OUT.txt), chapters (OUT.chapters.json) and the
    record of how it was made (OUT.manifest.json).
    """
    session = request.session()
    path = output or Path("output") / f"{session.name}-{session.minutes:g}min{container(format_ or 'mp3').suffix}"
    kind = check_output(session, path, format_ or "", twin=twin)
    with progress_bar(quiet=as_json) as progress:
        plan = metta_audio.plan(session, request.options(), progress=progress)
        report = metta_audio.render(plan).save(path, kind.name, twin=twin, progress=progress)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(_describe(report, session))
        advice = _natural_voice(request, report, session)
        if advice:
            click.echo(f"  for a natural voice: {advice}")


def _describe(report: Report, session: Session) -> str:
    measured = report.inspection
    loudness = "silent" if measured.lufs is None else f"{measured.lufs:.1f} LUFS, peak {measured.true_peak:.1f} dBTP"
    distance = "" if report.speech_to_bed is None else f", bed at least {report.speech_to_bed:.0f} dB below the voice"
    lines = [
        f"{report.files[0]}",
        f"  {session.header.title}, {clock(measured.seconds)} ({measured.frames:,} samples at {measured.rate} Hz)",
        f"  {loudness}{distance}",
        f"  spoken by {', '.join(f'{name} ({role})' for role, name in report.voices.items()) or 'nobody'}",
        *(f"  note: {one_line(note)}" for note in report.notes),
        *(f"  out of range: {breach}" for breach in judge(measured)),
        *(f"  {clock(start).partition('.')[0]:>7}  {title}" for start, title in measured.chapters),
        f"  beside it: {', '.join(path.name for path in report.files[1:])}",
    ]
    return "\n".join(lines)


def _natural_voice(request: Request, report: Report, session: Session) -> str:
    """How to get one, where nobody chose a voice and the best one here is a machine's."""
    asked = request.voice or read_settings().voice
    built_in = report.voices.get(GUIDE, "").startswith("espeak:")
    return natural_voice(session.header.language) if asked == AUTO and built_in else ""
