"""What a voices file of Kokoro holds: styles by name, whose first letter tells their language."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metta_audio.errors import VoiceError


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language of Kokoro's: BCP 47 in lower case, and eSpeak NG's name for it (empty: that one does it badly)."""

    language: str
    espeak: str


_TONGUES: Mapping[str, Tongue] = {
    "a": Tongue("en-us", "en-us"),
    "b": Tongue("en-gb", "en-gb"),
    "e": Tongue("es", "es"),
    "f": Tongue("fr-fr", "fr-fr"),
    "h": Tongue("hi", "hi"),
    "i": Tongue("it", "it"),
    "j": Tongue("ja", ""),
    "p": Tongue("pt-br", "pt-br"),
    "z": Tongue("zh", ""),
}
"""By the first letter of a voice's name."""


def style_names(file: Path) -> tuple[str, ...]:
    """Styles that a voices file holds, by name. Raises VoiceError for a file that is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        # The last is zipfile's word for an archive of a later version than it reads.
        hint = "give the one that belongs to the model, such as voices-v1.0.bin"
        raise VoiceError(f"{file} is no voices file of Kokoro", hint=hint) from error
    if not names:
        raise VoiceError(f"{file} holds no voices", hint="give the one that belongs to the model")
    return tuple(sorted(names))


def tongue_of(style: str, language: str) -> Tongue | None:
    """The language of a style, by its first letter; that of the text for a style that is not named so."""
    if style[1:3] in ("f_", "m_"):
        return _TONGUES.get(style[0])
    spoken = [tongue for tongue in _TONGUES.values() if tongue.language.partition("-")[0] == language.partition("-")[0]]
    return next((tongue for tongue in spoken if tongue.language == language), spoken[0] if spoken else None)


def style_languages(style: str) -> tuple[str, ...]:
    """BCP 47 of a style's language; empty for one whose name does not tell."""
    tongue = _TONGUES.get(style[0]) if style[1:3] in ("f_", "m_") else None
    return (tongue.language,) if tongue else ()
