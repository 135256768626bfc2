"""Lines taken from a person's recordings: what was found, and what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from metta_audio.errors import SettingsError, SoundError
from metta_audio.rendering.comparing import said_plainly
from metta_audio.rendering.options import Progress, silent_progress
from metta_audio.rendering.takes import REVIEW, Takes
from metta_audio.settings import read_settings
from metta_audio.sound.wave import Wave
from metta_audio.takes.check import usual_pace
from metta_audio.takes.index import Entry, Index, Take
from metta_audio.takes.reading import Found, Reading, read_files, read_through
from metta_audio.takes.recording import Recording
from metta_audio.takes.review import Known, Outcome, Review, review
from metta_audio.takes.store import TakeSet
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
    Raises SoundError where nothing was found, SettingsError for choices that exclude one another.
    """
    wrong = misfit(sources, line=line, numbered=numbered, missing=missing)
    if wrong:
        raise SettingsError(wrong)
    lines, kept = takes.wanted(missing=missing), takes.set
    with ExitStack() as stack:
        if line is not None or numbered or any(isinstance(source, Path) and source.is_dir() for source in sources):
            files = _files(sources, line)
            reading = read_files(files, lines, usual_pace(kept.index().takes))
            load = _from_files([source for number in sorted(files) for source in files[number]])
        else:
            recordings = []
            for number, source in enumerate(sources):
                progress("reading", number, len(sources))
                recordings.append(stack.enter_context(Recording(source)))
            progress("reading", len(sources), len(sources))
            said = said_plainly(takes.lines, takes.session.header.language)
            passed = {each.number for each in takes.lines} - {each.number for each in lines}
            pace = usual_pace(kept.index().takes) if missing else 0.0
            reading = read_through(recordings, takes.lines, said, known=passed, pace=pace)
            load = _from_recordings(recordings)
        session = takes.session
        if not reading.found:
            what = f"no line of {session.name} was found in what was given"
            raise SoundError(what, hint="check that it is the recording of this script, and of these parameters")
        index, sure = kept.index(), accept_doubtful or line is not None
        before = {each.number: take for each in lines if (take := index.current(each.key)) is not None}
        stored = {} if dry_run else _store(takes, reading, load, sure=sure, progress=progress)
    known = Known(takes.shown, partial(takes.command, "undo"), before, stored, sure)
    told = [each for each in lines if line in (None, each.number)]
    result = review(takes.name, session.name, session.header, told, reading, known)
    if line is None and not dry_run:
        _write_review(kept, result)
    return result


def misfit(sources: Sequence[Path | Wave], *, line: int | None, numbered: bool, missing: bool) -> str:
    """Why these choices of ``import_takes`` exclude one another; empty where they do not."""
    folders = any(isinstance(source, Path) and source.is_dir() for source in sources)
    if line is not None:
        if folders or len(sources) != 1:
            return "--line takes one file"
        if numbered or missing:
            return f"--line says which line it is: leave {'--numbered' if numbered else '--missing'} out"
    if missing and (numbered or folders):
        return "numbered files say which lines they are: leave --missing out"
    return ""


def _write_review(kept: TakeSet, result: Review) -> None:
    """Keep the review beside the takes; where all work is private, without what the lines say."""
    result = result.without_text() if read_settings().private else result
    kept.put_file(f"{REVIEW}.json", json.dumps(result.to_json(), indent=1, ensure_ascii=False).encode())
    kept.put_file(f"{REVIEW}.html", result.html().encode())


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
    takes: Takes, reading: Reading, load: _Load, *, sure: bool, progress: Progress
) -> dict[int, tuple[Take, Outcome]]:
    """Write every take that was found, then change the index once."""
    kept = takes.set
    made: dict[str, tuple[Take, list[Take]]] = {}
    for done, found in enumerate(reading.found):
        progress("keeping", done, len(reading.found))
        earlier = [_kept(takes, each, load(each), sure=False) for each in found.earlier]
        made[found.line.key] = _kept(takes, found, load(found), sure=sure), earlier
    settled: dict[str, tuple[Take, Outcome]] = {}

    def change(index: Index) -> Index:
        for key, (take, earlier) in made.items():
            entry, outcome = _settled(_with_older(index.entry(key), earlier), take)
            index = index.with_entry(key, entry)
            settled[key] = entry.current if entry.current and outcome == "the same" else take, outcome
        languages = tuple(sorted({*index.languages, takes.session.header.language.lower()}))
        return replace(index, languages=languages)

    kept.update(change)
    return {take.number: (take, outcome) for take, outcome in settled.values()}


def _kept(takes: Takes, found: Found, wave: Wave, *, sure: bool) -> Take:
    """The take of what was found, its sound written."""
    return Take(
        digest=takes.set.write(wave),
        rate=wave.rate,
        frames=Samples(wave.frames),
        spoken=found.spoken,
        words=found.line.words,
        script=takes.practice,
        options=takes.options,
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
