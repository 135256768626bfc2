"""What eSpeak NG brings: its languages, its voice variants, and the voice files we make from both."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from metta_audio.errors import VoiceError, did_you_mean

_STRETCH = 1.7
"""Vowels are lengthened by this much. The engine's slowest rate, 80, really is about 110 words a minute in English and
more in most languages; the stretch brings it under 80, so that 110 lies well inside, with room below for [slow]."""

_ENGLISH_STRETCH = 1.4
"""Enough where gaps between words take their share of the time. With more, vowels drag: a recogniser then hears words
in them that nobody said (docs/built-in-voice.md)."""

_GAP = "words 3"
"""90 ms between words: as long as the lips are closed for a p, too short to be heard as a pause. Of all that was tried
it helps most: at the same 110 words a minute the words themselves are spoken less slowly, and a recogniser hears half
as many again (docs/built-in-voice.md). Only for English, in which it was measured; others keep their own."""

_GENTLE = (
    # 116 Hz in the middle, over four semitones: less, and it sounds flat; more, and it sings.
    "pitch 100 132",
    # Percent of the engine's own frequency, strength and width: narrow resonances ring; broader ones are softer, and
    # better understood. Set a little higher, too, as in a smaller head.
    *(f"formant {number} 103 {80 if number < 2 else 70} 150" for number in range(9)),
    # The engine's own is 170 at 600 Hz, 135, 110, 110 from 3 kHz on: the edge lies some 4 dB lower.
    "tone 600 170 1200 135 2000 95 3000 70",
    # Percent: a little less of p, t, k, s, f, which clear edges of words make up for.
    "consonants 85 85",
)
"""How the plain voice of every language differs from the engine's own: the least hard of what was compared within three
points of the best understood (docs/built-in-voice.md)."""

_USUAL_LENGTHS = (182, 140, 220, 220, 220, 240, 260, 280)
"""Syllable lengths that eSpeak NG gives a language which names none, by stress. Adding a share of these stretches
languages whose own built-in lengths cannot be read."""

_DROPPED = {"flutter", "roughness", "echo"}
"""Attributes of a voice that we set ourselves or leave out. Flutter and roughness run on counters that are never reset,
so the same sentence would sound different each time; an echo is the mix's affair and would smear the end of a clip."""

_OURS = ("flutter 0", "roughness 8")
"""0 is no flutter; 8 lies beyond the table of roughness and so switches it off, which 0 does not."""

_LEFT_OUT = {"caleb"}
"""A variant that is nothing but breath noise of the Klatt synthesizer, which cannot be seeded."""

_USUAL_PRIORITY = 5
"""Of a language line without a number; the lowest number wins."""

_PHONEMES = ("intonations", "phondata", "phonindex", "phontab")
"""What all languages share: their sounds, and how a sentence rises and falls."""

_LISTED = "metta voices --engine espeak lists the languages"
"""What to do where no name is near: a list of a hundred would be no help."""
_BEGINNING = 4096
"""Bytes of a file that tell one build from another, with its length and its time: see ``build``."""


class Catalog:
    """Languages (BCP 47, lower case) and variants by name, each with its file, in the folder ``data``."""

    def __init__(self, data: Path, languages: dict[str, Path]) -> None:
        self.languages = languages
        self._data = data

    @cached_property
    def variants(self) -> dict[str, Path]:
        """Variants by name."""
        paths = sorted(path for path in self._data.joinpath("voices", "!v").iterdir() if path.is_file())
        return {path.name: path for path in paths if path.name not in _LEFT_OUT}

    def language(self, name: str) -> str:
        """Return the nearest language there is: the region is given up where it is not known."""
        wanted = name.lower().replace("_", "-")
        while wanted:
            if wanted in self.languages:
                return wanted
            wanted = wanted.rpartition("-")[0]
        raise VoiceError(f'eSpeak NG has no language "{name}"', hint=did_you_mean(name, self.languages, _LISTED))

    def variant(self, name: str) -> str:
        """Return the variant's name in its own spelling; empty for the language's own voice."""
        spelling = {known.lower(): known for known in self.variants}
        if name and name.lower() not in spelling:
            raise VoiceError(f'eSpeak NG has no variant "{name}"', hint=did_you_mean(name, self.variants, _LISTED))
        return spelling[name.lower()] if name else ""

    def pitch(self, variant: str) -> float:
        """Return the variant's middle pitch in Hz, by its file; 100 where it names none, as eSpeak NG has it."""
        for attribute, values in _attributes(self.variants[variant]) if variant else map(_attribute, _GENTLE):
            if attribute == "pitch":
                low, high = (float(value) for value in values.split()[:2])
                return (low + high) / 2
        return 100.0

    def voice_file(self, language: str, variant: str) -> bytes:
        """Compose a voice file: language, variant, our lengths, and nothing that varies from one time to the next.

        The plain voice is made gentler; a variant has its own timbre.
        """
        lines = _attributes(self.languages[language])
        if variant:
            about = {"name", "language", "gender"}
            lines += [line for line in _attributes(self.variants[variant]) if line[0] not in about]
        else:
            lines += map(_attribute, _GENTLE)
        english = language.partition("-")[0] == "en"
        if english:
            lines.append(_attribute(_GAP))
        named = dict(lines)  # of a repeated attribute the last counts, as in eSpeak NG
        if "klatt" in named:
            # Breath noise of the Klatt synthesizer cannot be seeded.
            lines = [line for line in lines if line[0] != "breath"]
        kept = [f"{attribute} {values}" for attribute, values in lines if attribute not in {*_DROPPED, *_LENGTHS}]
        lengths = _stretched(named, _ENGLISH_STRETCH if english else _STRETCH)
        return "\n".join([*kept, *lengths, *_OURS, ""]).encode("latin-1")


_LENGTHS = ("stressLength", "stressAdd")


def read_catalog(data: Path, begin: str = "") -> Catalog:
    """Read which languages lie in eSpeak NG's data folder: all, or those in files whose names ``begin`` so.

    A file is called after its language, but for a few, which only the whole catalog has: "zh" is in a file "cmn".
    """
    best: dict[str, tuple[int, str, Path]] = {}
    for path in sorted(Path(file.path) for file in _files(data / "lang") if file.name.lower().startswith(begin)):
        attributes = _attributes(path)
        if not data.joinpath(f"{_dictionary(attributes)}_dict").is_file():
            continue  # a few languages are described but not built
        for attribute, values in attributes:
            if attribute == "language":
                code, _, priority = values.lower().partition(" ")
                entry = (int(priority or _USUAL_PRIORITY), str(path), path)
                best[code] = min(best.get(code, entry), entry)
    return Catalog(data, {code: best[code][2] for code in sorted(best)})


def _files(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """All files under ``folder``; none where there is no such folder."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from _files(entry.path)
        else:
            yield entry


def unusable(what: str) -> VoiceError:
    """The error for a library that is not as it was installed."""
    return VoiceError(what, hint="install espeakng-loader again: pip install --force-reinstall espeakng-loader")


def installed() -> tuple[Path, Path]:
    """Where the library and its data folder should be; nothing is loaded. Raises VoiceError where they are missing."""
    try:
        import espeakng_loader  # here: metta doctor must run where it is missing

        return Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    except (ImportError, OSError, RuntimeError) as error:
        raise unusable(f"the eSpeak NG library cannot be loaded ({error})") from error


def build(library: Path, data: Path, language: Path) -> str:
    """A digest that tells one build of eSpeak NG and its data from another, as far as the language of that file goes.

    Of each file its length, its time and its beginning count: a dictionary made anew may be as long as the old one, and
    some installers give all files one time. The beginning has the build's identity in a library (an ELF build ID, a
    UUID of Mach-O, a PE time stamp) and a version in the phonemes. Reading all of them would take longer than finding
    the clips of a session; where files were only copied, lines are spoken once more, and sound alike. Raises OSError.
    """
    dictionary = data / f"{_dictionary(_attributes(language))}_dict"
    digest = hashlib.sha256()
    for path in (library, *(data / name for name in _PHONEMES), dictionary):
        with path.open("rb", buffering=0) as file:
            facts = os.fstat(file.fileno())
            digest.update(b"%d %d %b" % (facts.st_size, facts.st_mtime_ns, file.read(_BEGINNING)))
    return digest.hexdigest()


def _dictionary(attributes: list[tuple[str, str]]) -> str:
    """Name the dictionary: where the file does not, its first language does, without a region."""
    languages = [values.split()[0] for attribute, values in attributes if attribute == "language"]
    return dict(attributes).get("dictionary") or (languages[0].partition("-")[0] if languages else "")


def _attributes(path: Path) -> list[tuple[str, str]]:
    """Attributes of a voice file with their values, in order. Latin-1 keeps every byte as it is."""
    lines = (line.partition("//")[0].strip() for line in path.read_bytes().decode("latin-1").splitlines())
    return [_attribute(line) for line in lines if line and line[0] != "#"]


def _attribute(line: str) -> tuple[str, str]:
    """Name and values, as ``"pitch 82 118"`` has them."""
    name, *values = line.split(None, 1)
    return name, values[0] if values else ""


def _stretched(named: dict[str, str], stretch: float) -> list[str]:
    """Lines that make every syllable ``stretch`` times as long."""
    added = [0, *[0] * 7]
    for place, value in enumerate(named.get("stressAdd", "").split()[:8]):
        added[place] = round(int(value) * stretch)
    if "stressLength" in named:
        lengths = [round(int(value) * stretch) for value in named["stressLength"].split()[:8]]
        return [f"stressLength {_joined(lengths)}", f"stressAdd {_joined(added)}"]
    more = [round(usual * (stretch - 1)) + add for usual, add in zip(_USUAL_LENGTHS, added, strict=True)]
    return [f"stressAdd {_joined(more)}"]


def _joined(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))
