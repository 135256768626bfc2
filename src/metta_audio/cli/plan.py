"""``metta plan``."""

from __future__ import annotations

from pathlib import Path

import click

import metta_audio
from metta_audio.cli.options import Request, shared
from metta_audio.cli.progress import progress_bar
from metta_audio.cli.table import JSON, one_line, print_json, print_table
from metta_audio.rendering.flow import Plan
from metta_audio.timeline.listing import rows, to_json
from metta_audio.units import clock


@click.command("plan")
@shared
@click.option("--estimate", is_flag=True, help="Plan without a voice, at the practice's words a minute.")
@click.option("--plot", "plot_to", type=click.Path(path_type=Path), metavar="FILE.png|svg", help="Draw the timeline.")
@JSON
def command(request: Request, estimate: bool, plot_to: Path | None, as_json: bool) -> None:
    """Print the timeline: what sounds when, how long, and between which bounds. Writes no sound."""
    session = request.session()
    with progress_bar(quiet=as_json) as progress:
        plan = metta_audio.plan(session, request.options(), estimate=estimate, progress=progress)
    if plot_to is not None:
        from metta_audio.rendering.plot import plot

        plot(plan, plot_to)
        click.echo(f"drawn: {plot_to}", err=True)
    if as_json:
        voices = {role: voice.name for role, voice in plan.voices.items()}
        record = to_json(plan.timeline, session, estimated=plan.estimated)
        print_json(record | {"voices": voices, "notes": list(plan.notes)})
    elif plot_to is None:
        _print(plan)


def _print(plan: Plan) -> None:
    timeline, session = plan.timeline, plan.session
    print_table(
        ("start", "length", "kind", "role", "section", "text", "bounds"),
        (
            (
                clock(row.start),
                clock(row.seconds),
                row.kind,
                row.role,
                row.section,
                row.text,
                "" if row.low == row.high else f"{row.low:g}s..{row.high:g}s",
            )
            for row in rows(timeline, session)
        ),
    )
    count = len(timeline.chapters)
    speech = sum(event.length for event in timeline.events if event.kind == "line")
    click.echo(
        f"{session.header.title}: {clock(timeline.length / timeline.rate)} ({timeline.length:,} samples), "
        f"{count} section{'s' if count != 1 else ''}, {100 - 100 * speech / timeline.length:.0f} % without speech"
        + (", estimated" if plan.estimated else "")
    )
    if plan.voices:
        click.echo(f"spoken by {', '.join(f'{voice.name} ({role})' for role, voice in plan.voices.items())}")
    for note in plan.notes:
        click.echo(f"note: {one_line(note)}")
