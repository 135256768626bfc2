"""Script and parameters to ``Session``: everything chosen, everything unrolled, every gap a thing of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from metta_audio.errors import Place, ScriptError, SettingsError
from metta_audio.script.gaps import Boundary, closing_gap, with_implied_gaps
from metta_audio.script.headings import Heading
from metta_audio.script.library import Library
from metta_audio.script.markup import Piece, read_markup
from metta_audio.script.model import BedChange, Item, Line, Script, Section, Session
from metta_audio.script.params import choose_params
from metta_audio.script.template import render

LINES_LIMIT = 5_000
"""Sentences. Three hours of speech without a pause hold about 2,700 sentences of ten words."""

SECTIONS_LIMIT = 200
"""Sections become chapters; players grow slow long before this, and a three-hour practice needs a few dozen."""

ITEMS_LIMIT = 20_000
"""Lines, gaps and cues together: four for each of the most lines."""


@dataclass(slots=True)
class _Draft:
    heading: Heading | None
    items: list[tuple[Item, Boundary]] = field(default_factory=list)

    @property
    def audible(self) -> bool:
        return any(not isinstance(item, BedChange) for item, _ in self.items)


def fill(
    script: Script,
    *,
    library: Library,
    minutes: float | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
) -> Session:
    """Fill ``script`` for one listener. The same arguments give the same session.

    ``minutes`` is the length aimed at, the script's default if None. ``params`` holds Python values or strings as
    typed after ``--set``; what it leaves out takes its default. ``library`` serves packs, parts and breath patterns.

    Raises ``SettingsError`` for an unfit parameter or length, ``ScriptError`` for a fault in the script, and
    ``ShelfError`` for an unknown pack or part, or a pattern whose file is at fault.
    """
    target = _minutes(script, minutes)
    chosen = choose_params(script.header, params or {})
    marked = render(script, library, chosen, target, seed)
    sections = _sections(script, _drafts(read_markup(marked, script.header, library)))
    return Session(
        name=script.name,
        header=script.header,
        sections=sections,
        minutes=target,
        params=chosen,
        seed=seed,
        script_sha256=script.sha256,
        private=frozenset(name for name, param in script.header.params.items() if param.type == "text"),
    )


def _minutes(script: Script, minutes: float | None) -> float:
    bounds = script.header.minutes
    if minutes is None:
        return bounds.default
    if not bounds.min <= minutes <= bounds.max:
        what = f"{script.name} is written for {bounds.min:g} to {bounds.max:g} minutes, not {minutes:g}"
        raise SettingsError(what, hint=f"choose a length in between, or change minutes: in {script.file}")
    return float(minutes)


def _drafts(pieces: Iterable[Piece]) -> list[_Draft]:
    """Gather items under their headings, within the limits."""
    drafts = [_Draft(None)]
    lines = count = 0
    for piece in pieces:
        if isinstance(piece, Heading):
            drafts.append(_Draft(piece))
            _limit(len(drafts) - 1, SECTIONS_LIMIT, "sections", piece.place)
            continue
        drafts[-1].items.append(piece)
        lines, count = lines + isinstance(piece[0], Line), count + 1
        _limit(lines, LINES_LIMIT, "sentences", piece[0].place)
        _limit(count, ITEMS_LIMIT, "lines and cues", piece[0].place)
    return drafts


def _limit(count: int, limit: int, what: str, place: Place) -> None:
    if count > limit:
        raise ScriptError(
            f"this script has more than {limit:,} {what}", place=place, hint="split it into several practices"
        )


def _sections(script: Script, drafts: list[_Draft]) -> tuple[Section, ...]:
    """Space the sections out. One that these parameters leave empty is dropped; its bed changes go to the next."""
    kept: list[_Draft] = []
    carried: list[tuple[Item, Boundary]] = []
    for draft in drafts:
        draft.items[:0] = carried
        carried = [] if draft.audible else draft.items
        if draft.audible:
            kept.append(draft)
    if not kept:
        place = Place(script.file, script.body_line)
        raise ScriptError(
            "with these parameters nothing is left to hear",
            place=place,
            hint="check the {% if %} and {% for %} of the script",
        )
    _check_shares(kept)
    return tuple(_section(script, draft, last=draft is kept[-1]) for draft in kept)


def _section(script: Script, draft: _Draft, *, last: bool) -> Section:
    items = with_implied_gaps(draft.items)
    heading = draft.heading or Heading(script.header.title, items[0].place)
    # The end of the recording is the timeline's; but a last section that may repeat needs room before it does.
    if (not last or heading.repeat_max > 1) and (closing := closing_gap(items)) is not None:
        items.append(closing)
    return Section(
        title=heading.title,
        items=tuple(items),
        place=heading.place,
        share=heading.share,
        optional=heading.optional,
        repeat_min=heading.repeat_min,
        repeat_max=heading.repeat_max,
    )


def _check_shares(drafts: list[_Draft]) -> None:
    total = 0.0
    for draft in drafts:
        if draft.heading is None or draft.heading.share is None:
            continue
        total += draft.heading.share
        if total > 100 + 1e-6:
            raise ScriptError(
                f"the shares add up to {total:g} %", place=draft.heading.place, hint="they may reach 100 at most"
            )
