"""A filled session as SSML 1.1 (https://www.w3.org/TR/speech-synthesis11/), for use in other programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from metta_audio.rendering.flow import says_own_words
from metta_audio.rendering.workplace import workplace
from metta_audio.script.model import (
    GUIDE,
    BedChange,
    Bell,
    Breath,
    Item,
    Line,
    Pause,
    Session,
    SoundCue,
    Span,
    SpanKind,
)
from metta_audio.speech.lexicon import Lexicon, pronounced
from metta_audio.speech.voice import Utterance
from metta_audio.units import Seconds

NAMESPACE = "http://www.w3.org/2001/10/synthesis"

_LONGEST_BREAK = 10_000
"""Milliseconds. Some services cut a longer break short or refuse it; several in a row add up everywhere."""

_WITHIN = frozenset({"sentence", "pause"})
"""Gaps that do not end a paragraph."""

_TAGS: dict[SpanKind, tuple[str, str]] = {
    # As the built-in voice does it: a fifth slower or faster, 4 dB softer or louder.
    "emphasis": ('<emphasis level="moderate">', "</emphasis>"),
    "slow": ('<prosody rate="80%">', "</prosody>"),
    "fast": ('<prosody rate="120%">', "</prosody>"),
    "soft": ('<prosody volume="-4dB">', "</prosody>"),
    "loud": ('<prosody volume="+4dB">', "</prosody>"),
}

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML file may hold."""


def to_ssml(session: Session, lexicon: Lexicon) -> str:
    """The whole session: each line an ``s``, each gap a ``break`` of its preferred length.

    What is no speech is a ``mark``, and a breath exercise is as long as it takes; a section stands once, whatever its
    repeats. Each role after the guide has a ``voice`` of its own variant. Pronunciations are written in place.
    """
    header = session.header
    language = _tag(header.language)
    variants = {role: number for number, role in enumerate([GUIDE, *(r for r in header.roles if r != GUIDE)], 1)}
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<speak version="1.1" xmlns="{NAMESPACE}" xml:lang="{language}">',
        f'<meta name="title" content={_attribute(header.title)}/>',
    ]
    for section in session.sections:
        out.append(_mark("section", section.title))
        for is_paragraph, group in groupby(section.items, _belongs_to_paragraph):
            items = list(group)
            out.extend(_paragraphs(items, lexicon, header.language, variants) if is_paragraph else _cues(items))
    return "\n".join([*out, "</speak>", ""])


def save_ssml(session: Session, lexicon: Lexicon, path: Path) -> None:
    """Write ``to_ssml`` into ``path``, whole or not at all. Raises EncodeError where it cannot."""
    with workplace(path.parent, private=says_own_words(session)) as staging:
        staging.path(path.name).write_text(to_ssml(session, lexicon), encoding="utf-8")
        staging.commit()


def _belongs_to_paragraph(item: Item) -> bool:
    return isinstance(item, Line) or (isinstance(item, Pause) and item.kind in _WITHIN)


def _paragraphs(items: Sequence[Item], lexicon: Lexicon, language: str, variants: dict[str, int]) -> Iterator[str]:
    """One ``p`` for each speaker in turn; gaps before the first line and behind the last stand outside."""
    spoken = [number for number, item in enumerate(items) if isinstance(item, Line)]
    first, end = (spoken[0], spoken[-1] + 1) if spoken else (len(items), len(items))
    yield from _cues(items[:first])
    role, rows = "", list[str]()
    for number, item in enumerate(items[first:end], first):
        if isinstance(item, Line) and item.role != role:
            yield from _paragraph(role, rows, variants)
            role, rows = item.role, []
        rows += [_sentence(item, lexicon, language)] if isinstance(item, Line) else _cues(items[number : number + 1])
    yield from _paragraph(role, rows, variants)
    yield from _cues(items[end:])


def _paragraph(role: str, rows: Sequence[str], variants: dict[str, int]) -> Iterator[str]:
    if not rows:
        return
    if variants.get(role, 1) == 1:
        yield from ("<p>", *rows, "</p>")
    else:
        yield _mark("role", role)
        yield from (f'<voice variant="{variants[role]}">', "<p>", *rows, "</p>", "</voice>")


def _sentence(line: Line, lexicon: Lexicon, language: str) -> str:
    said = pronounced(Utterance(line.text, line.spans), lexicon, language, ipa=True, by_word=False)
    # Between two tags eSpeak NG would speak the full stop as "dot"; a line's end in front of the second prevents it.
    end = "\n" if said.spans else ""
    return f"<s>{_inline(said.text, said.spans, 0, len(said.text))}{end}</s>"


def _inline(text: str, spans: Sequence[Span], start: int, end: int) -> str:
    """``text[start:end]`` under ``spans``, which nest: outermost first where two begin together."""
    parts: list[str] = []
    at = start
    while spans:
        span, rest = spans[0], spans[1:]
        stop = min(span.end, end)
        within = [each for each in rest if each.start < stop]
        parts.append(_text(text[at : span.start]))
        if span.kind == "ipa":
            parts.append(
                f'<phoneme alphabet="ipa" ph={_attribute(span.value)}>{_text(text[span.start : stop])}</phoneme>'
            )
        elif span.kind == "sub":
            parts.append(f"<sub alias={_attribute(span.value)}>{_text(text[span.start : stop])}</sub>")
        else:
            opening, closing = _TAGS[span.kind]
            parts.append(f"{opening}{_inline(text, within, span.start, stop)}{closing}")
        at, spans = stop, rest[len(within) :]
    return "".join([*parts, _text(text[at:end])])


def _cues(items: Sequence[Item]) -> list[str]:
    """What is not speech: a mark with its name, and a break where it takes time."""
    rows: list[str] = []
    for item in items:
        match item:
            case Pause():
                rows += _breaks(item.preferred)
            case Breath():
                phases = "-".join(f"{seconds:g}" for seconds in item.phases)
                rows += [_mark("breath", f"{phases} x{item.cycles}"), *_breaks(Seconds(item.cycle * item.cycles))]
            case Bell():
                rows.append(_mark("bell", f"{item.name} x{item.strikes}".lstrip()))
            case BedChange():
                rows.append(_mark("bed", item.name or f"{item.level:+g}dB"))
            case SoundCue():
                rows.append(_mark("sound", item.name))
    return rows


def _breaks(seconds: Seconds) -> Iterator[str]:
    rest = round(seconds * 1000)
    while rest > 0:
        yield f'<break time="{min(rest, _LONGEST_BREAK)}ms"/>'
        rest -= _LONGEST_BREAK


def _mark(kind: str, name: str) -> str:
    return f"<mark name={_attribute(f'{kind}:{name}')}/>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub(" ", text))


def _attribute(text: str) -> str:
    """In quotes, white space as single spaces: the names of marks are tokens."""
    return quoteattr(" ".join(_NOT_XML.sub(" ", text).split()))


def _tag(language: str) -> str:
    """BCP 47 as it is usually written: en-GB, zh-Hans-CN."""
    first, *rest = language.split("-")
    cased = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(cased.get(len(part), str.lower)(part) for part in rest)])
