"""Where practices and sounds come from: a list of folders, first hit wins, nothing outside them is ever read.

Order: the folder given with ``--scripts`` or set in the settings, ``scripts/`` and ``sounds/`` of the current folder,
the user's own folder, what is shipped. ``shipped:NAME`` skips to the last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from metta_audio.errors import Place, ScriptError, ShelfError, SoundError, did_you_mean
from metta_audio.script.breath_pattern import BreathPattern, Phases, read_pattern
from metta_audio.script.front_matter import read_front_matter
from metta_audio.script.model import Header, Script
from metta_audio.script.parse import read_script
from metta_audio.settings import Settings, read_settings
from metta_audio.speech.lexicon import EMPTY, Lexicon, merged, read_lexicon, script_lexicon

SHIPPED = "shipped:"
PACKS = "packs"
PARTS = "_parts"
BREATHS = "breaths"
LEXICON = "lexicon.toml"
_NOT_PRACTICES = frozenset({PACKS, PARTS, BREATHS})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
_MOST_PHRASES = 500
"""Phrases in a pack: far more than a practice can speak, and no way to fill the memory."""

_LARGEST_DATA = 256 * 1024
"""Bytes of a pack, part or sound description: a hundred times what the longest shipped one takes."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """Folders in order of search, each list ending with what is shipped."""

    scripts: tuple[Path, ...]
    sounds: tuple[Path, ...]
    sent: Path | None = None
    """The folder of a script given by its path, put first for it alone: whatever lies there may come from anyone."""

    @classmethod
    def standard(cls, scripts: Path | None = None, settings: Settings | None = None) -> Shelves:
        """The shelves of this user in the current folder, ``scripts`` before all others."""
        settings = settings or read_settings()
        shipped = shipped_root()
        first = [folder for folder in (scripts, settings.scripts) if folder is not None]
        for folder in first:
            if not folder.is_dir():
                raise ShelfError(
                    f"no such folder of scripts: {folder}", hint="check --scripts, METTA_SCRIPTS and the settings file"
                )
        here = Path()
        return cls(
            scripts=(*first, here / "scripts", settings.user / "scripts", shipped / "scripts"),
            sounds=(
                *(folder / "sounds" for folder in first),
                here / "sounds",
                settings.user / "sounds",
                shipped / "sounds",
            ),
        )

    def beside(self, file: Path) -> Shelves:
        """These shelves with the packs, parts and sounds beside a script that was given by its path put first.

        Not so a ``sounds`` that links to elsewhere: whoever sent the script may have sent the link with it.
        """
        sounds = file.parent / "sounds"
        own = (sounds,) if _inside(sounds, file.parent) else ()
        sent = None if file.parent.resolve() in {shelf.resolve() for shelf in self.scripts} else file.parent
        return Shelves((file.parent, *self.scripts), (*own, *self.sounds), sent=sent)

    def practices(self) -> dict[str, Path]:
        """Every practice by name; of two with one name, the one found first."""
        found: dict[str, Path] = {}
        for shelf in self.scripts:
            for path in _scripts_on(shelf):
                found.setdefault(path.stem, path)
        return dict(sorted(found.items()))

    def find(self, practice: str) -> tuple[Script, Shelves]:
        """The practice of that name, or the script at that path, and the shelves to fill it from.

        Raises ShelfError with a suggestion, or ScriptError where the file is at fault.
        """
        if practice.startswith(SHIPPED):
            shipped = Shelves(self.scripts[-1:], self.sounds[-1:])
            return shipped.find(practice.removeprefix(SHIPPED))
        practices = self.practices()
        if is_path(practice):
            path = Path(practice)
            if not path.exists():
                hint = did_you_mean(path.stem, practices) if path.stem in practices else "check the path"
                raise ShelfError(f"no such file: {practice}", hint=hint)
            if any("\ud800" <= letter <= "\udfff" for letter in path.name):
                raise ShelfError(f"{path.name!a} is not Unicode", hint="rename the script")
            return read_script(path), self.beside(path)
        if practice not in practices:
            hint = did_you_mean(practice, practices) or "give the path of a script file"
            raise ShelfError(f'no practice is called "{practice}"', hint=hint)
        return read_script(practices[practice]), self

    def pack_file(self, name: str) -> Path:
        """Where a pack lies: ``packs/NAME.yaml`` on a shelf."""
        return self._script_data(PACKS, name, ".yaml", "phrase pack")

    def pack(self, name: str) -> tuple[str, ...]:
        """The phrases of a pack: a list of texts under ``phrases``."""
        path = self.pack_file(name)
        try:
            data = read_front_matter(_read(path), file=str(path), first_line=1).data
        except ScriptError as error:
            what = error.what.replace("the front matter", "the pack")
            raise ShelfError(what, place=error.place, hint=error.hint) from error
        phrases = data.get("phrases")
        if not isinstance(phrases, list) or not phrases or not all(isinstance(each, str) for each in phrases):
            raise ShelfError(
                "a pack needs phrases", place=Place(str(path), 1), hint="write phrases: and a list of texts"
            )
        if len(phrases) > _MOST_PHRASES:
            raise ShelfError(f"{len(phrases)} phrases in one pack", place=Place(str(path), 1), hint="split the pack")
        return tuple(phrases)

    def part(self, name: str) -> tuple[str, str]:
        """Path and text of the part that ``{% include "_parts/NAME.md" %}`` asks for."""
        path = self._script_data(PARTS, name.removeprefix("_parts/").removesuffix(".md"), ".md", "part in _parts/")
        return str(path), _read(path)

    def breath_file(self, name: str) -> Path:
        """Where a breath pattern lies: ``breaths/NAME.yaml`` on a shelf. Capitals do not matter."""
        known = {each.lower(): each for each in self.breaths()}
        return self._script_data(BREATHS, known.get(name.lower(), name), ".yaml", "breath pattern")

    def breath(self, name: str) -> BreathPattern:
        """The breath pattern of that name."""
        path = self.breath_file(name)
        try:
            return read_pattern(_read(path), name=path.stem, file=str(path))
        except ScriptError as error:
            raise ShelfError(error.what, place=error.place, hint=error.hint) from error

    def breath_like(self, phases: Phases) -> BreathPattern | None:
        """The shipped pattern of these phases, whatever a user's own of its name says; None where there is none."""
        return _shipped_patterns(shipped_root() / "scripts").get(phases)

    def breaths(self) -> list[str]:
        """Names of all breath patterns."""
        return _names(self.scripts, BREATHS, ".yaml")

    def lexicon(self, header: Header | None = None) -> Lexicon:
        """All lexicons in one: what is shipped, each shelf's, and last the script's own; later ones win."""
        own = script_lexicon(header) if header is not None else EMPTY
        return merged(*map(_lexicon, self.lexicon_files()), own)

    def lexicon_files(self) -> list[Path]:
        """The lexicons that lie on the shelves, the last one winning: ``lexicon.toml`` in a folder of scripts.

        A shelf that a script lies on is in its old place: the shipped lexicon never comes last. Raises ShelfError where
        one is no file, or lies beside a script given by its path and links to elsewhere: whoever sent the script may
        have sent the link with it. On the user's own shelves a link is the user's.
        """
        files: dict[Path, Path] = {}
        for shelf in reversed(self.scripts):
            path = shelf / LEXICON
            if shelf.resolve() in files or not os.path.lexists(path):
                continue
            if not is_file(path):
                raise ShelfError(f"{path} is no file", hint="a lexicon is a text file; move this away or rename it")
            if shelf == self.sent and not _inside(path, shelf):
                hint = "put the file itself there, or keep your own lexicon in your user folder"
                raise ShelfError(f"{path} links to a file outside its folder", hint=hint)
            files[shelf.resolve()] = path
        return list(files.values())

    def bed(self, name: str) -> tuple[str, str]:
        """Path and text of the description of a bed."""
        path = self._sound_data("beds", name, "bed")
        return str(path), _read(path)

    def bell(self, name: str) -> tuple[str, str]:
        """Path and text of the description of a bell."""
        path = self._sound_data("bells", name, "bell")
        return str(path), _read(path)

    def beds(self) -> list[str]:
        """Names of all beds."""
        return _names(self.sounds, "beds", ".toml")

    def bells(self) -> list[str]:
        """Names of all bells."""
        return _names(self.sounds, "bells", ".toml")

    def sound(self, name: str, place: Place | None = None) -> Path:
        """The file that ``[sound NAME]`` plays. It lies inside a shelf, links followed."""
        for shelf in self.sounds:
            if is_file(shelf / name) and _inside(shelf / name, shelf):
                return shelf / name
        hint = did_you_mean(name, self.sound_files()) or "put the file into the folder sounds/ beside the script"
        raise SoundError(f'no sound "{name}" on any shelf', place=place, hint=hint)

    def sound_files(self) -> list[str]:
        """Names of the files that ``[sound NAME]`` can play."""
        shelves = (shelf for shelf in self.sounds if shelf.is_dir())
        return sorted({path.name for shelf in shelves for path in shelf.iterdir() if path.is_file()})

    def _script_data(self, folder: str, name: str, suffix: str, kind: str) -> Path:
        found = _find(self.scripts, folder, name, suffix)
        if found is None:
            raise ShelfError(
                f'no {kind} is called "{name}"', hint=did_you_mean(name, _names(self.scripts, folder, suffix))
            )
        return found

    def _sound_data(self, folder: str, name: str, kind: str) -> Path:
        found = _find(self.sounds, folder, name, ".toml")
        if found is None:
            raise SoundError(f'unknown {kind} "{name}"', hint=did_you_mean(name, _names(self.sounds, folder, ".toml")))
        return found


@cache  # one folder, which does not change
def _shipped_patterns(scripts: Path) -> Mapping[Phases, BreathPattern]:
    shipped = Shelves((scripts,), ())
    patterns = (shipped.breath(name) for name in shipped.breaths())
    return {pattern.phases: pattern for pattern in patterns}


def shipped_root() -> Path:
    """Folder of the shipped ``scripts`` and ``sounds``: inside the installed package, else the checkout."""
    package = Path(__file__).parent
    for root in (package / "_shipped", package.parents[1]):
        if (root / "scripts").is_dir() and (root / "sounds").is_dir():
            return root
    raise ShelfError("the shipped practices and sounds are missing", hint="install metta_audio again")


def is_path(name: str) -> bool:
    """Whether ``name`` is meant as a path rather than as a name on a shelf: it has a suffix or a folder."""
    return bool(Path(name).suffix) or "/" in name or os.sep in name


def is_file(path: Path) -> bool:
    """Whether ``path`` is a file, for any text that a script may hold: one too long for a file name is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def copy_practice(shelves: Shelves, name: str, folder: Path) -> Path:
    """Copy a practice into ``folder`` to edit it. Raises ShelfError rather than overwrite a file."""
    script, _ = shelves.find(name)
    source = Path(script.file)
    target = folder / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    except FileExistsError as error:
        what = f"{target} is there already" if folder.is_dir() else f"{folder} is no folder"
        raise ShelfError(what, hint="choose another folder, or move it away") from error
    except OSError as error:
        raise _cannot_copy(target, error) from error
    try:
        with file:
            file.write(source.read_bytes())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise _cannot_copy(target, error) from error
    return target


def _cannot_copy(target: Path, error: OSError) -> ShelfError:
    return ShelfError(f"cannot write {target}: {error.strerror}", hint="choose another folder")


def _inside(path: Path, shelf: Path) -> bool:
    """Whether ``path`` lies in ``shelf``, links followed."""
    return path.resolve().is_relative_to(shelf.resolve())


def _lexicon(path: Path) -> Lexicon:
    try:
        return read_lexicon(_read(path), file=str(path))
    except ShelfError as error:
        if isinstance(error.__cause__, UnicodeDecodeError):
            raise _no_text(path, error.__cause__) from error
        raise
    except ScriptError as error:
        raise ShelfError(error.what, place=error.place, hint=error.hint) from error


def _no_text(path: Path, error: UnicodeDecodeError) -> ShelfError:
    """With the place of the first byte that is no UTF-8: the bytes before it are, but for a byte order mark."""
    before = error.object[: error.start].decode("utf-8-sig")
    place = Place(str(path), before.count("\n") + 1, len(before) - before.rfind("\n"))
    return ShelfError(
        f"byte 0x{error.object[error.start]:02x} is not UTF-8", place=place, hint="it must be a readable UTF-8 text"
    )


def _scripts_on(shelf: Path) -> Iterator[Path]:
    if shelf.is_dir():
        yield from (
            path for path in sorted(shelf.rglob("*.md")) if not _NOT_PRACTICES & set(path.relative_to(shelf).parts)
        )


def _find(shelves: Sequence[Path], folder: str, name: str, suffix: str) -> Path | None:
    if not _NAME.fullmatch(name):
        return None
    for shelf in shelves:
        path = shelf / folder / f"{name}{suffix}"
        if is_file(path) and _inside(path, shelf):
            return path
    return None


def _names(shelves: Sequence[Path], folder: str, suffix: str) -> list[str]:
    return sorted({path.stem for shelf in shelves for path in (shelf / folder).glob(f"*{suffix}")})


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_DATA:
            raise ShelfError(f"{path} is larger than {_LARGEST_DATA // 1024} kB", hint="is it the right file?")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.reason
        raise ShelfError(f"cannot read {path}: {reason}", hint="it must be a readable UTF-8 text") from error
