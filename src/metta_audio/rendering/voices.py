"""The voices of this machine: which there are, which could be had, and fetching, trying and removing one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from metta_audio.errors import SettingsError, VoiceError, did_you_mean
from metta_audio.rendering.options import Progress, silent_progress
from metta_audio.settings import read_settings
from metta_audio.speech.voice import QUALITIES, Engine, Setup, VoiceInfo
from metta_audio.voices.catalogue import Fetchable, damaged, folder, is_here, read_catalogue
from metta_audio.voices.download import fetch_voice
from metta_audio.voices.part import remove
from metta_audio.voices.registry import best_voice, find_engines

LANGUAGE = "en-us"
"""Whose best voice is marked where no language is asked for: that of most practices."""

MANY = 40
"""Voices of one engine from which on a list shows them in one row: eSpeak NG has a voice for each of over a hundred
languages, and Kokoro 41 in the same files. Among them nobody would find the others."""

_SEVERAL = 2
"""The same for voices that lack the same for one and all, or that only test: one of them tells all there is to know."""

CODE = re.compile(r"[a-z]{2,4}(-[a-z0-9]{1,8})*")
"""A language as BCP 47 writes it, in small letters; whether anybody speaks it is another matter. Four letters stand
first in one of eSpeak NG's own."""


@dataclass(frozen=True, slots=True)
class ListedVoice:
    """A voice in a list, or an engine that cannot run and knows no voices, as ``name`` alone.

    ``languages`` are BCP 47 in small letters, empty where it depends; ``bytes`` is what it takes on the disk, or would.
    ``problem`` says why it cannot speak, and what to do; empty where it can. ``fetchable``: whether all that it lacks
    can be fetched; ``damaged``: whether it was, and is no longer as it was. ``auto``: whether the voice "auto" is this
    one. ``engine_problem`` says why its whole engine cannot run; empty where it can.
    """

    name: str
    engine: str
    languages: tuple[str, ...] = ()
    quality: str = ""
    licence: str = ""
    bytes: int = 0
    installed: bool = False
    problem: str = ""
    summary: str = ""
    fetchable: bool = False
    damaged: bool = False
    auto: bool = False
    engine_problem: str = ""

    def to_json(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A voice that is here now: its files, and what to know about it."""

    voice: Fetchable
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Removed:
    """The files that are gone, the names of the voices that went with them, and files that others still need."""

    files: tuple[Path, ...]
    voices: tuple[str, ...]
    kept: tuple[Path, ...] = ()


def list_voices(*, language: str = "", engine: str = "", installed: bool = False) -> list[ListedVoice]:
    """Every voice here or to be had, by quality, language and name, whether its engine can run or not.

    An engine that cannot run and knows no voices is one row, last. Only those of ``language`` (BCP 47, whatever the
    region; voices for tests speak none), of ``engine``, or that can speak now (``installed``), where asked for. Raises
    VoiceError for an unknown engine and a catalogue at fault, SettingsError for settings and for what is no language.
    """
    language = language.strip().lower()
    if language and not CODE.fullmatch(language):
        raise SettingsError(f'"{language}" is not a language code', hint="write for example de or en-gb")
    setup = read_settings().setup()
    engines = find_engines(setup)
    catalogue = read_catalogue(setup)
    wrong = damaged(catalogue, setup)
    known = {voice.name: not wrong.isdisjoint(_paths(voice, setup)) for voice in catalogue}
    if engine and engine not in engines:
        raise VoiceError(f'no engine is called "{engine}"', hint=did_you_mean(engine, engines))
    try:
        auto = best_voice(engines, language or LANGUAGE)
    except VoiceError:
        auto = ""
    asked = [name for name in engines if engine in ("", name)]
    rows = [row for name in asked for row in _rows(name, engines[name], known)]
    fitting = (row for row in rows if (row.installed and not row.problem) or not installed)
    spoken = (row for row in fitting if not language or _speaks(row, language))
    return sorted((replace(row, auto=row.name == auto) for row in spoken), key=_order)


def collapsed(listed: Sequence[ListedVoice]) -> list[ListedVoice]:
    """The same for people's eyes: voices of one engine that are alike in one row, where they are very many.

    Where all lack the same, or only test, two are many.
    """
    groups: dict[object, list[ListedVoice]] = {}
    for voice in listed:
        groups.setdefault(_alike(voice), []).append(voice)
    shown: dict[str, ListedVoice] = {}
    for voice in listed:
        group = groups[_alike(voice)]
        few = len(group) < (_SEVERAL if voice.engine_problem or voice.quality == "test" else MANY)
        row = voice if few else _together(group)
        # The first of a group stands for it.
        if few or voice is group[0]:
            shown[voice.name] = row
    return list(shown.values())


def _alike(voice: ListedVoice) -> tuple[object, ...]:
    if voice.engine_problem:
        return voice.engine, voice.engine_problem
    return voice.engine, voice.installed, voice.fetchable, voice.damaged, bool(voice.problem)


def _together(group: Sequence[ListedVoice]) -> ListedVoice:
    """One row for all of ``group``: what they have in common, and every language."""
    first = group[0]
    auto = next((voice.name for voice in group if voice.auto), "")
    all_of = f"metta voices --engine {first.engine} lists these {len(group)}"
    problem = first.problem
    if first.engine_problem:
        absent = next((voice for voice in group if not voice.installed), first)
        problem = f"{absent.problem}; {all_of}"
    return replace(
        first,
        name=f"{first.engine}:…",
        languages=tuple(dict.fromkeys(language for voice in group for language in voice.languages)),
        # What differs is not of them all.
        licence=first.licence if len({voice.licence for voice in group}) == 1 else "",
        bytes=first.bytes if len({voice.bytes for voice in group}) == 1 else 0,
        problem=problem,
        summary=f"auto takes {auto}" if auto else all_of,
        auto=bool(auto),
    )


def get_voice(name: str, *, progress: Progress = silent_progress) -> Fetched:
    """Fetch the voice ``name`` from where the catalogue says, going on where an earlier try stopped.

    The only call of this package that asks the network for a voice. Raises VoiceError.
    """
    setup = read_settings().setup()
    voice = _fetchable(name, setup)
    arrived = fetch_voice(voice, folder(voice.engine, setup), lambda done, total: progress("fetching", done, total))
    notes = [] if arrived.fetched else ["it was here already"]
    notes += [f"{path.name} was damaged, and was fetched again" for path in arrived.damaged]
    notes += [
        f"no checksum is known for {each.file}: its size was checked" for each in voice.downloads if not each.digest
    ]
    alike = [other for other in read_catalogue(setup) if other.downloads == voice.downloads and other != voice]
    if alike and set(arrived.fetched) > set(arrived.damaged):
        notes.append(f"with it came {len(alike)} other voices in the same files")
    problem = find_engines(setup)[voice.engine].problem()
    return Fetched(voice, arrived.files, (*notes, *([f"it cannot speak yet: {problem}"] if problem else [])))


def remove_voice(name: str) -> Removed:
    """Remove what was fetched for the voice ``name``, or, where an engine's name is given, for all its voices.

    Only files of the catalogue in the folder of fetched voices are touched: never recordings, never a model that the
    user put somewhere. A file that another voice needs stays. Raises VoiceError for a voice that is not here, and for
    one whose files are also those of others: they go together or not at all.
    """
    setup = read_settings().setup()
    catalogue = read_catalogue(setup)
    if any(voice.engine == name for voice in catalogue):
        leaving = [voice for voice in catalogue if voice.engine == name]
    else:
        voice = _fetchable(name, setup)
        alike = [other for other in catalogue if other.downloads == voice.downloads]
        if len(alike) > 1:
            what = f"{name} lies in the same files as {len(alike) - 1} other voices"
            raise VoiceError(what, hint=f"metta voices remove {voice.engine} removes all that {voice.engine} fetched")
        leaving = [voice]
    needed = {
        path for other in catalogue if other not in leaving and is_here(other, setup) for path in _paths(other, setup)
    }
    files = dict.fromkeys(path for each in leaving for path in _paths(each, setup))
    here = tuple(voice.name for voice in leaving if is_here(voice, setup))
    gone = tuple(path for path in files if path not in needed and remove(path, setup.voices))
    kept = tuple(path for path in files if path in needed)
    if not gone and not kept:
        raise VoiceError(f"nothing of {name} is in {setup.voices}", hint="metta voices --installed lists what is here")
    return Removed(gone, here, kept)


def _rows(name: str, engine: Engine, known: Mapping[str, bool]) -> Iterator[ListedVoice]:
    """The rows of an engine; ``known`` are the voices that can be fetched, and whether each is here, but damaged."""
    lacking = engine.problem()
    infos = engine.voices()
    if lacking and not infos:
        yield ListedVoice(name, name, problem=lacking, engine_problem=lacking)
    for info in infos:
        absent = not info.installed and info.name in known
        yield _row(name, info, lacking, absent=absent, damaged=absent and known[info.name])


def _paths(voice: Fetchable, setup: Setup) -> list[Path]:
    """Where the files of ``voice`` lie, or would."""
    return [folder(voice.engine, setup) / each.file for each in voice.downloads]


def _row(engine: str, info: VoiceInfo, lacking: str, *, absent: bool, damaged: bool) -> ListedVoice:
    """The row of a voice whose engine is ``lacking`` something; ``absent``: it can be fetched."""
    problem = lacking or info.problem
    if lacking and absent:
        problem = f"{lacking}, then: metta voices get {info.name}"
    return ListedVoice(
        info.name,
        engine,
        info.languages,
        info.quality,
        info.licence,
        info.bytes,
        info.installed,
        problem,
        info.summary,
        fetchable=absent and not lacking,
        damaged=damaged,
        engine_problem=lacking,
    )


def _speaks(row: ListedVoice, language: str) -> bool:
    """Whether it is a voice of ``language``. Tones are in no language, an engine without voices speaks none."""
    if not row.quality or row.quality == "test":
        return False
    return VoiceInfo(row.name, row.languages, "own").speaks(language)


def _order(row: ListedVoice) -> tuple[int, tuple[str, ...], str]:
    qualities: Mapping[str, int] = {quality: number for number, quality in enumerate(QUALITIES)}
    return qualities.get(row.quality, len(qualities)), row.languages, row.name


def _fetchable(name: str, setup: Setup) -> Fetchable:
    """The voice of that name in the catalogue. Raises VoiceError that says what can be done instead."""
    catalogue = {voice.name: voice for voice in read_catalogue(setup)}
    if name in catalogue:
        return catalogue[name]
    what = f'no voice called "{name}" was or can be fetched'
    engine, _, variant = name.partition(":")
    of_engine = [each for each in catalogue if each.startswith(f"{engine}:")]
    if of_engine and not variant:
        raise VoiceError(what, hint=f"write for example {of_engine[0]}")
    bare = {each.partition(":")[2]: each for each in catalogue}
    if name in bare:
        raise VoiceError(what, hint=f'did you mean "{bare[name]}"?')
    if not of_engine and engine in find_engines(setup):
        raise VoiceError(f"{engine} has nothing to fetch, nor to remove", hint="metta voices lists what is here")
    raise VoiceError(what, hint=did_you_mean(name, catalogue, "metta voices lists those that can"))
