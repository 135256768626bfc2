"""Captions and transcript, read off the timeline: WebVTT with words, SRT in short cues, and plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from metta_audio.script.model import GUIDE, Line, Session
from metta_audio.timeline.model import Event, Timeline, Word
from metta_audio.units import RATE, to_milliseconds

VTT_LINE = 65
"""Longest caption line in characters that podcast apps show without breaking it themselves."""

SRT_LINE = 32
"""Longest line of an SRT cue, at most two of them: the width that players on small screens were made for."""

SRT_LINES = 2

Words = Mapping[Line, Sequence[Word]]
"""Word onsets of every line, in samples from the line's start; a line without them is absent or empty."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One sentence: ``start`` and ``end`` in milliseconds; ``words`` are (text, onset in milliseconds)."""

    start: int
    end: int
    speaker: str
    text: str
    words: tuple[tuple[str, int], ...]


def captions(timeline: Timeline, session: Session, words: Words) -> tuple[Caption, ...]:
    """One caption for every spoken line, in order."""
    return tuple(_caption(event, session, words) for event in timeline.events if isinstance(event.item, Line))


def speaker(session: Session, role: str) -> str:
    """The name shown for a role: its title, else its name with a capital."""
    declared = session.header.roles.get(role)
    return (declared.title if declared else "") or (role or GUIDE).capitalize()


def _caption(event: Event, session: Session, words: Words) -> Caption:
    start = to_milliseconds(event.start)
    end = max(to_milliseconds(event.end), start + 1)
    line = event.item
    assert isinstance(line, Line)  # noqa: S101 - narrows the type; captions() filters
    known = words.get(line, ())
    spoken = tuple(
        (text, min(max(to_milliseconds(event.start + onset, RATE), start), end - 1))
        for text, onset in _pieces(line.text, known)
    )
    return Caption(start, end, speaker(session, event.role), event.text, spoken)


def _pieces(text: str, words: Sequence[Word]) -> Iterator[tuple[str, int]]:
    """Text cut before every word, punctuation staying with the word before it."""
    if not words:
        yield text, 0
        return
    cuts = [0, *(word.start for word in words[1:]), len(text)]
    for word, begin, end in zip(words, cuts, cuts[1:], strict=False):
        piece = text[begin:end].strip()
        if piece:
            yield piece, word.onset


def to_vtt(items: Iterable[Caption]) -> str:
    """WebVTT, a cue a sentence: ``<v Role>``, lines of at most 65, and timestamps before words.

    A word has one where it begins later than the cue and than the timestamp before it; what has no letter and no
    digit is not spoken, and has none.
    """
    blocks = ["WEBVTT"]
    for number, caption in enumerate(items, 1):
        body = "\n".join(_stamped(_wrap(caption.words, VTT_LINE), caption.start))
        times = f"{_stamp(caption.start, '.')} --> {_stamp(caption.end, '.')}"
        blocks.append(f"{number}\n{times}\n<v {escape(caption.speaker, quote=False)}>{body}</v>")
    return "\n\n".join(blocks) + "\n"


def _stamped(lines: Iterable[Sequence[tuple[str, int]]], start: int) -> Iterator[str]:
    """Lines with timestamps that rise strictly from ``start``, as WebVTT demands within a cue."""
    last = start
    for line in lines:
        words = []
        for text, onset in line:
            stamp = ""
            if onset > last and any(map(str.isalnum, text)):
                stamp, last = f"<{_stamp(onset, '.')}>", onset
            words.append(stamp + escape(text, quote=False))
        yield " ".join(words)


def to_srt(items: Iterable[Caption]) -> str:
    """SubRip: a sentence too long for two lines of 32 goes on in the next cue, from the time of its first word.

    SubRip has no escapes: an arrow of three signs, which parts the times of a cue, becomes one of a single sign.
    """
    blocks: list[str] = []
    for caption in items:
        lines = _wrap(caption.words, SRT_LINE)
        groups = [lines[i : i + SRT_LINES] for i in range(0, len(lines), SRT_LINES)]
        starts = [caption.start, *(group[0][0][1] for group in groups[1:])]
        ends = [*starts[1:], caption.end]
        for group, start, end in zip(groups, starts, ends, strict=True):
            body = "\n".join(" ".join(text for text, _ in line) for line in group).replace("-->", "→")
            times = f"{_stamp(start, ',')} --> {_stamp(max(end, start + 1), ',')}"
            blocks.append(f"{len(blocks) + 1}\n{times}\n{body}\n")
    return "\n".join(blocks)


def transcript(timeline: Timeline, session: Session) -> str:
    """The words as they are spoken: title, sections, a paragraph a turn, the speaker named where it changes."""
    out = [session.header.title, "=" * len(session.header.title)]
    section, role = -1, GUIDE
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            out.extend(["", " ".join(paragraph)])
            paragraph.clear()

    for event in timeline.events:
        if event.section != section and event.item is not None:
            close()
            section, role = event.section, GUIDE
            title = session.sections[section].title
            out.extend(["", title, "-" * len(title)])
        if event.kind == "line":
            if event.role != role:
                close()
                role = event.role
            if not paragraph and role != GUIDE:
                paragraph.append(f"{speaker(session, role)}:")
            paragraph.append(event.text)
        elif event.kind not in ("pause", "bed") or not _is_within_paragraph(event):
            close()
    close()
    return "\n".join(out) + "\n"


def _is_within_paragraph(event: Event) -> bool:
    return event.kind == "bed" or getattr(event.item, "kind", "") in ("sentence", "pause")


def _wrap(words: Sequence[tuple[str, int]], width: int) -> list[list[tuple[str, int]]]:
    """Words in lines of at most ``width`` characters; a piece longer than that is broken between its own words."""
    lines: list[list[tuple[str, int]]] = []
    room = 0
    for text, onset in words:
        for part in text.split():
            if lines and len(part) + 1 <= room:
                lines[-1].append((part, onset))
                room -= len(part) + 1
            else:
                lines.append([(part, onset)])
                room = width - len(part)
    return lines or [[("", 0)]]


def _stamp(milliseconds: int, point: str) -> str:
    seconds, ms = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{ms:03d}"
