"""``metta inspect``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import metta_audio
from metta_audio.cli.table import JSON, one_line, print_json
from metta_audio.inspection import Breach, Inspection, Recorded, judge
from metta_audio.units import clock


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Exit 1 where a figure is outside its range; say which.")
@JSON
def command(file: Path, strict: bool, as_json: bool) -> None:
    """Decode a finished file, and say what it holds: exact length, loudness, peak, faults, chapters, tags, captions.

    Where the record of how it was made lies beside it, this also says how the session is made up.
    """
    found = metta_audio.inspect(file)
    breaches = judge(found)
    if as_json:
        print_json(found.to_json() | {"breaches": [breach.to_json() for breach in breaches]})
    else:
        click.echo("\n".join(_describe(found, breaches)))
    if strict and breaches:
        for breach in breaches:
            click.echo(f"metta: {breach}", err=True)
        raise SystemExit(1)


def _describe(found: Inspection, breaches: tuple[Breach, ...]) -> Iterator[str]:
    outside = {breach.figure: f"   <- should be {breach.range}" for breach in breaches}

    def mark(figure: str) -> str:
        return outside.get(figure, "")

    still = f"{found.longest_still:g} s below -60 dBFS" + (
        f", from {_at(found.longest_still_at)}" if found.longest_still else ""
    )
    places = f" at {', '.join(map(_at, found.fault_places[:3]))}" if found.fault_places else ""
    captions = "none beside it" if found.captions is None else f"{found.captions} cues"
    yield f"file            {found.file} ({found.format})"
    yield f"length          {clock(found.seconds)} = {found.frames:,} samples"
    yield f"sound           {found.rate} Hz, {found.channels} channel{'s' if found.channels != 1 else ''}"
    yield f"loudness        {_figure(found.lufs, 'LUFS', none='silence')}{mark('lufs')}"
    yield f"loudness range  {_figure(found.loudness_range, 'LU', none='silence')}"
    yield f"true peak       {_figure(found.true_peak, 'dBTP', none='silence')}{mark('true_peak')}"
    yield f"clicks          {found.clicks}{mark('clicks')}{places if found.clicks else ''}"
    yield f"dropouts        {found.dropouts}{mark('dropouts')}{places if found.dropouts else ''}"
    yield f"clipped         {found.clipped} samples{mark('clipped')}"
    yield f"quietest second {_figure(found.quietest, 'dBFS', none='digital silence, or no second')}"
    yield f"longest still   {still}"
    yield f"captions        {captions}"
    yield from _describe_session(found.session, outside)
    yield f"chapters        {len(found.chapters)}"
    yield from (f"  {clock(start)}  {one_line(title)}" for start, title in found.chapters)
    yield "tags"
    yield from (f"  {key}  {one_line(value)}" for key, value in found.tags.items())


def _describe_session(session: Recorded | None, outside: dict[str, str]) -> Iterator[str]:
    if session is None:
        yield "session         no record of this file beside it (STEM.manifest.json): what was spoken is not known"
        return

    def row(label: str, text: str, *figures: str) -> str:
        return f"{label:<15} {text}{''.join(outside.get(figure, '') for figure in figures)}"

    met = {"mix": "met by the mix", "twin": "met by its twin without a bed", "no": "not met"}
    target = "" if session.target_name in (None, str(session.target)) else f" ({one_line(session.target_name or '')})"
    yield row("target", f"{_figure(session.target, 'LUFS')}{target}")
    if session.speech_to_bed_min is None:
        yield row("speech to bed", "no bed under any line")
    else:
        where = "" if session.speech_to_bed_worst_at is None else f" at {_at(session.speech_to_bed_worst_at)}"
        middle = _figure(session.speech_to_bed_median, "dB")
        low = _figure(session.speech_to_bed_min, "dB")
        yield row("speech to bed", f"{low} at least{where}, median {middle}", "speech_to_bed_min")
    yield row("WCAG 1.4.7", met[session.wcag])
    yield row("silence", f"{_percent(session.silence_share)} without speech", "silence_share")
    yield row("breath", f"{_percent(session.breath_share)} of the time")
    yield row("articulation", _figure(session.articulation, "words a minute"), "articulation")
    yield row("net", _figure(session.net, "words a minute"), "net")
    start = "" if session.longest_silence_at is None else f", from {_at(session.longest_silence_at)}"
    yield row("longest silence", f"{_figure(session.longest_silence, 's')}{start}", "longest_silence")
    yield row("bell to voice", _figure(session.bell_to_voice, "LU", none="no bell"), "bell_to_voice")
    yield row("noise floor", _figure(session.noise_floor, "dBFS", none="none: the voice falls silent"), "noise_floor")
    yield row("bed peak", _figure(session.bed_peak, "dBFS", none="no bed"), "bed_peak")
    faults = f"{_count(session.mix_clicks)} clicks, {_count(session.mix_dropouts)} dropouts before encoding"
    yield row("mix", faults, "mix_clicks", "mix_dropouts")
    worst = "" if session.worst_seam is None else f", the worst {session.worst_seam:.1f} dB above what is around it"
    yield row("seams", f"{_count(session.seams)} looked at{worst}", "worst_seam")
    yield from (row("note", one_line(note)) for note in session.notes)


def _figure(value: float | None, unit: str, *, none: str = "not recorded") -> str:
    return none if value is None else f"{value:.2f} {unit}"


def _percent(share: float | None) -> str:
    return "not recorded" if share is None else f"{100 * share:.0f} %"


def _count(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


def _at(seconds: float) -> str:
    return clock(seconds)
