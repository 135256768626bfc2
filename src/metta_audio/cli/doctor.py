"""``metta doctor``."""

from __future__ import annotations

import click

from metta_audio.cli.table import JSON, print_json


@click.command("doctor")
@JSON
def command(as_json: bool) -> None:
    """Say what this machine has: voices, formats, players, folders; and what to do about what is missing."""
    from metta_audio.rendering.diagnosis import diagnose

    findings = diagnose()
    if as_json:
        print_json({"schema": "metta_audio.diagnosis/1", "findings": [finding.to_json() for finding in findings]})
        return
    for finding in findings:
        mark = "ok " if finding.ok else "-- "
        click.echo(f"{mark} {finding.subject}: {finding.what}" + (f"; {finding.advice}" if finding.advice else ""))
