"""Lines taken from a person's recordings: what was found, and what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from metta_audio.errors import SettingsError, SoundError
from metta_audio.rendering.options import Progress, silent_progress
from metta_audio.rendering.takes import REVIEW, Takes
from metta_audio.script.model import Session
from metta_audio.sound.wave import Wave
from metta_audio.takes.check import usual_pace
from metta_audio.takes.reading import Found, Reading, read_files, read_through
from metta_audio.takes.recording import Recording
from metta_audio.takes.review import Outcome, Review, review
from metta_audio.takes.store import Entry, Index, Take, TakeSet
from metta_audio.units import Samples

_NUMBERED = re.compile(r"\s*0*(\d{1,5})(?!\d)")

_NO_SOUNDS = frozenset({"", ".html", ".htm", ".json", ".txt", ".md", ".pdf", ".docx", ".ini", ".db", ".jpg", ".png"})
"""What lies in a folder beside recordings, and is none."""

_Load = Callable[[Found], Wave]
"""Gives the sound of what was found."""


def import_takes(
    takes: Takes,
    sources: Sequence[Path | Wave],
    *,
    line: int | None = None,
    numbered: bool = False,
    missing: bool = False,
    accept_doubtful: bool = False,
    dry_run: bool = False,
    progress: Progress = silent_progress,
) -> Review:
    """Take lines from ``sources``, and say what was found.

    ``sources`` are long recordings, in order; or folders of files whose names begin with the number of a line, or with
    ``numbered`` such files; or with ``line`` one file that is this line. ``missing`` looks only for lines without a
    certain take, as on the sheet that lists them. A take that is good replaces an older one, which is kept; a doubtful
    one never replaces a good one, unless ``accept_doubtful``: it is set aside. With ``dry_run`` nothing is written.
    Raises SoundError where nothing was found.
    """
    lines, kept = takes.wanted(missing=missing and line is None), takes.set
    with ExitStack() as stack:
        if line is not None or numbered or any(isinstance(source, Path) and source.is_dir() for source in sources):
            files = _files(sources, line)
            reading = read_files(files, lines, usual_pace(kept.index().takes.values()))
            load = _from_files([source for number in sorted(files) for source in files[number]])
        else:
            recordings = []
            for number, source in enumerate(sources):
                progress("reading", number, len(sources))
                recordings.append(stack.enter_context(Recording(source)))
            progress("reading", len(sources), len(sources))
            reading = read_through(recordings, lines)
            load = _from_recordings(recordings)
        session = takes.session
        if not reading.found:
            what = f"no line of {session.name} was found in what was given"
            raise SoundError(what, hint="check that it is the recording of this script, and of these parameters")
        if dry_run:
            return review(takes.name, session.name, session.header, lines, reading)
        stored = _store(kept, takes.session, reading, load, sure=accept_doubtful or line is not None, progress=progress)
    result = review(takes.name, session.name, session.header, lines, reading, stored)
    if line is None:
        kept.put_file(f"{REVIEW}.json", json.dumps(result.to_json(), indent=1, ensure_ascii=False).encode())
        kept.put_file(f"{REVIEW}.html", result.html().encode())
    return result


def _from_files(files: Sequence[Path | Wave]) -> _Load:
    def load(found: Found) -> Wave:
        with Recording(files[found.recording]) as recording:
            return recording.wave(found.start, found.end)

    return load


def _from_recordings(recordings: Sequence[Recording]) -> _Load:
    return lambda found: recordings[found.recording].wave(found.start, found.end)


def _files(sources: Sequence[Path | Wave], line: int | None) -> dict[int, list[Path | Wave]]:
    """Files by the number of their line; those of one number in the order of their names, "take 10" after "take 2"."""
    if line is not None:
        if len(sources) != 1 or (isinstance(sources[0], Path) and sources[0].is_dir()):
            raise SettingsError("--line takes one file", hint=f"give the recording of line {line}")
        return {line: [sources[0]]}
    found: dict[int, list[Path | Wave]] = {}
    for source in sources:
        if isinstance(source, Wave):
            raise SettingsError("a sound has no number in its name", hint="give line")
        inside = sorted(_sounds_in(source), key=_natural) if source.is_dir() else [source]
        if not inside:
            raise SoundError(f"{source} holds no recordings", hint="name each file by the number of its line: 001.wav")
        for path in inside:
            number = _NUMBERED.match(path.stem)
            if number is None:
                what = f"the name of {path} does not begin with the number of a line"
                raise SoundError(
                    what, hint='call it "12.wav", or give long recordings by their own names, not a folder'
                )
            found.setdefault(int(number[1]), []).append(path)
    return found


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sorts names as people do: the numbers in them by their value."""
    # Words and numbers take turns, so that like is compared with like.
    parts = re.split(r"(\d+)", path.stem.casefold())
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], path.name


def _sounds_in(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _NO_SOUNDS
    ]


def _store(
    kept: TakeSet, session: Session, reading: Reading, load: _Load, *, sure: bool, progress: Progress
) -> dict[int, tuple[Take, Outcome]]:
    """Write every take that was found, then change the index once."""
    made: dict[str, tuple[Take, list[Take]]] = {}
    for done, found in enumerate(reading.found):
        progress("keeping", done, len(reading.found))
        earlier = [_kept(kept, session, each, load(each), sure=False) for each in found.earlier]
        made[found.line.key] = _kept(kept, session, found, load(found), sure=sure), earlier
    outcomes: dict[str, Outcome] = {}

    def change(index: Index) -> Index:
        entries = dict(index.entries)
        for key, (take, earlier) in made.items():
            before = _with_older(entries.get(key, Entry()), earlier)
            entries[key], outcomes[key] = _settled(before, take)
        languages = tuple(sorted({*index.languages, session.header.language.lower()}))
        return Index(entries, languages)

    kept.update(change)
    return {take.number: (take, outcomes[key]) for key, (take, _) in made.items()}


def _kept(kept: TakeSet, session: Session, found: Found, wave: Wave, *, sure: bool) -> Take:
    """The take of what was found, its sound written."""
    return Take(
        digest=kept.write(wave),
        rate=wave.rate,
        frames=Samples(wave.frames),
        spoken=found.spoken,
        words=found.line.words,
        script=session.name,
        number=found.line.number,
        doubtful=bool(found.doubts) and not sure,
    )


def _with_older(entry: Entry, takes: Sequence[Take]) -> Entry:
    """With ``takes`` among the older ones; those that it has already stay where they are."""
    known = {take.digest for take in entry.older} | ({entry.current.digest} if entry.current else set())
    new = {take.digest: take for take in takes if take.digest not in known}
    return replace(entry, older=(*entry.older, *new.values()))


def _settled(entry: Entry, take: Take) -> tuple[Entry, Outcome]:
    """What becomes of a line with a new take: a doubtful one never replaces one that is not."""
    now = entry.current
    if now is None:
        return entry.with_take(take), "new"
    if now.digest == take.digest:
        return entry.with_take(replace(take, doubtful=take.doubtful and now.doubtful)), "the same"
    if take.doubtful and not now.doubtful:
        older = tuple(each for each in entry.older if each.digest != take.digest)
        return Entry(now, (*older, take)), "set aside"
    return entry.with_take(take), "replaces"
