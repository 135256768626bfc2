"""Which voices can be fetched, and from where: shipped knowledge, and a user's own ``voices.toml``."""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from metta_audio.errors import MettaError, SettingsError, VoiceError
from metta_audio.sound.datafile import Table, read_table
from metta_audio.speech.voice import Setup
from metta_audio.voices.address import check_url

OWN = "voices.toml"
"""A user's own catalogue, in the folder of fetched voices: its voices are added, or replace shipped ones."""

ENGINES = ("piper", "kokoro")
"""Engines whose voices are files that can be fetched."""

_SHIPPED = Path(__file__).with_name("catalogue.toml")

_LARGEST = 10**11
"""Bytes of a file: a hundred times the largest voice there is."""

_DIGESTS = {"sha256": 64, "md5": 32}
"""Kinds of checksum, and how many hexadecimal digits each has. MD5 finds damage, not malice; publishers of voices
give nothing else, and the address is https."""

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}")
"""A plain file name, on every system: no folder, no hidden file, no space."""

_OURS = (".part", ".lock")
"""Ends of names that fetching itself gives to files beside a voice."""

_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*")
"""What stands after the colon of a voice's name."""


@dataclass(frozen=True, slots=True)
class Download:
    """One file of a voice: ``bytes`` long, to be called ``file`` in its engine's folder.

    ``digest`` is "sha256:…" or "md5:…" in small hexadecimal digits, or empty where nobody published one.
    """

    url: str
    file: str
    bytes: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Fetchable:
    """A voice that can be fetched. ``name`` is as the user writes it, ``languages`` are BCP 47 in small letters."""

    name: str
    languages: tuple[str, ...]
    licence: str
    summary: str
    downloads: tuple[Download, ...]

    @property
    def bytes(self) -> int:
        """What all its files take on the disk."""
        return sum(each.bytes for each in self.downloads)

    @property
    def engine(self) -> str:
        """The part of its name before the colon."""
        return self.name.partition(":")[0]

    @property
    def variant(self) -> str:
        """The part of its name after the colon."""
        return self.name.partition(":")[2]


def folder(engine: str, setup: Setup) -> Path:
    """Where the fetched files of an engine lie; it need not be there."""
    return setup.voices / engine


def is_here(voice: Fetchable, setup: Setup) -> bool:
    """Whether all files of ``voice`` are there, each of its right size."""
    return all(_size(folder(voice.engine, setup) / each.file) == each.bytes for each in voice.downloads)


def damaged(voices: Iterable[Fetchable], setup: Setup) -> frozenset[Path]:
    """Fetched files of ``voices`` that are of another size than any of that name should be: cut off, or overwritten.

    Each appeared whole and checked, so that the size tells of most that happened to it since, and is quick to read.
    """
    right: dict[Path, set[int]] = {}
    for voice in voices:
        for each in voice.downloads:
            right.setdefault(folder(voice.engine, setup) / each.file, set()).add(each.bytes)
    return frozenset(path for path, sizes in right.items() if (size := _size(path)) is not None and size not in sizes)


def lack(voice: Fetchable, setup: Setup, wrong: Container[Path]) -> str:
    """Why ``voice`` is not here, and what to do about it; ``wrong`` are files that are ``damaged``."""
    if any(folder(voice.engine, setup) / each.file in wrong for each in voice.downloads):
        return f"damaged: metta voices get {voice.name} fetches it again"
    return f"not fetched yet: metta voices get {voice.name}"


def _size(path: Path) -> int | None:
    """Bytes of a file; None where there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def fetchable(engine: str, setup: Setup) -> tuple[Fetchable, ...]:
    """The voices of an engine that can be fetched, the best first of each language. Never raises.

    A user's own catalogue that cannot be read counts as none here; ``read_catalogue`` says what is wrong with it.
    """
    try:
        voices = read_catalogue(setup)
    except MettaError:
        voices = _shipped()
    return tuple(voice for voice in voices if voice.engine == engine)


def read_catalogue(setup: Setup) -> tuple[Fetchable, ...]:
    """All voices that can be fetched: the user's own first, then the shipped ones that they do not replace.

    Raises VoiceError with the place for a ``voices.toml`` that is at fault.
    """
    path = setup.voices / OWN
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return _shipped()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise VoiceError(f"cannot read {path}: {reason}", hint="mend the file or move it away") from error
    own = parse_catalogue(text, str(path))
    names = {voice.name for voice in own}
    return (*own, *(voice for voice in _shipped() if voice.name not in names))


def parse_catalogue(text: str, file: str) -> tuple[Fetchable, ...]:
    """The voices that a catalogue names, in its order. Raises VoiceError with the place of the first fault."""
    try:
        table = read_table(text, file)
        voices = [voice for each in table.tables("set", optional=True) for voice in _voices(each)]
        table.finish()
    except MettaError as error:
        raise VoiceError(error.what, place=error.place, hint=error.hint) from error
    return tuple(voices)


@functools.cache
def _shipped() -> tuple[Fetchable, ...]:
    return parse_catalogue(_SHIPPED.read_text(encoding="utf-8"), str(_SHIPPED))


def _voices(table: Table) -> Iterator[Fetchable]:
    """The voices of one set, all made of the same files."""
    engine = table.choice("engine", ENGINES)
    licence = table.words("licence")
    downloads = tuple(_download(each) for each in table.tables("files"))
    speakers = table.tables("voices")
    table.finish()
    for each in speakers:
        languages = each.word_list("languages")
        if not languages:
            raise each.fault("languages", "a voice speaks at least one language", 'write languages = ["en-us"]')
        summary = each.words("summary", "")
        names = each.words("names").split()
        each.finish()
        for name in names:
            if not _NAME.fullmatch(name):
                raise each.fault("names", f'"{name}" is no name of a voice', "use letters, digits, and . _ + -")
            yield Fetchable(f"{engine}:{name}", languages, licence, summary, downloads)


def _download(table: Table) -> Download:
    url, file = table.words("url"), table.words("file")
    size, digest = table.integer("bytes", 1, _LARGEST), table.words("digest", "")
    table.finish()
    if not _FILE.fullmatch(file) or file.endswith((*_OURS, ".")) or file == OWN:
        raise table.fault("file", f'"{file}" is no name for a file of a voice', "use letters, digits, and . _ + -")
    kind, _, digits = digest.partition(":")
    if digest and not (kind in _DIGESTS and re.fullmatch(rf"[0-9a-f]{{{_DIGESTS[kind]}}}", digits)):
        raise table.fault("digest", "this is no checksum", 'write "sha256:" or "md5:" and its hexadecimal digits')
    try:
        check_url(url, checked=bool(digest))
    except SettingsError as error:
        raise table.fault("url", error.what, error.hint) from error
    return Download(url, file, size, digest)
