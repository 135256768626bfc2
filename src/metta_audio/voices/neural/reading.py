"""What is read out of an utterance: its text with the substitutes put in, and its IPA."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.voice import Utterance

_JOINERS = "\u200c\u200d"
"""Invisible signs by which Indic and Persian letters are joined or kept apart; all others are for nobody's ear."""

LEADING = re.compile(r"\s*[,.;:!?…]+(?=\s|$)")
"""Punctuation before the first word."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of what is said: ``text`` as it is read, or IPA. ``origin`` has its characters' offsets in the line."""

    text: str
    origin: tuple[int, ...]
    ipa: bool = False


def parts(utterance: Utterance) -> tuple[Part, ...]:
    """Put in the substitutes and cut out the IPA. All other markup is passed over: these engines have no words for it.

    Characters that nobody sees, and brackets, which would be taken as marks of phonemes, become spaces.
    """
    text = utterance.text
    pieces: list[Part] = []
    at = 0
    for span in [*_instead(utterance), Span(len(text), len(text), "sub")]:
        pieces.append(Part(text[at : span.start], tuple(range(at, span.start))))
        pieces.append(Part(span.value, (span.start,) * len(span.value), ipa=span.kind == "ipa"))
        at = span.end
    done: list[Part] = []
    for ipa, group in itertools.groupby(pieces, key=_is_ipa):
        row = list(group)
        done += row if ipa else [_together(row)]
    return tuple(part for part in done if part.text)


def _is_ipa(part: Part) -> bool:
    return part.ipa


def _together(row: Sequence[Part]) -> Part:
    origin = itertools.chain.from_iterable(part.origin for part in row)
    return Part(_speakable("".join(part.text for part in row)), tuple(origin))


def _instead(utterance: Utterance) -> Iterator[Span]:
    """Spans that stand for their text, in order; of two that overlap the first."""
    reached = 0
    for span in sorted(utterance.spans, key=_start):
        if span.kind in {"ipa", "sub"} and reached <= span.start < span.end:
            reached = span.end
            yield span


def _start(span: Span) -> int:
    return span.start


def _speakable(text: str) -> str:
    return "".join(each if (each.isprintable() or each in _JOINERS) and each not in "[]" else " " for each in text)


_UNWRITTEN = re.compile(r"[\u0361\u035c\u203f./\[\]|]")
"""Signs around and inside IPA that are no sounds: ties, syllable breaks, slashes and brackets."""

_NEAR = {"g": "ɡ", "ɡ": "g", "r": "ɹ", "ɹ": "r", "'": "ˈ", ":": "ː", "ɚ": "ə", "ɝ": "ɜ", "ᵻ": "ɪ", "ɫ": "l", "ʋ": "v"}
"""What stands in for a symbol that a model was never taught: another way of writing it, or the nearest sound."""

_MARKS = {"Mn", "Lm", "Sk"}
"""Unicode categories of marks upon a sound (aspirated, dental, long): left out where a model does not know them."""


def ipa_symbols(ipa: str, known: Collection[str]) -> list[str]:
    """Symbols of ``ipa`` that a model knows. Raises VoiceError that names the first symbol it has no sound for.

    >>> ipa_symbols("/ˈt͡ʃi/", "tʃiˈ")
    ['ˈ', 't', 'ʃ', 'i']
    """
    symbols: list[str] = []
    for written in " ".join(_UNWRITTEN.sub("", unicodedata.normalize("NFC", ipa)).split()):
        # A letter with its mark may be one symbol or two.
        for symbol in [written] if written in known else unicodedata.normalize("NFD", written):
            near = symbol if symbol in known else _NEAR.get(symbol, "")
            if near in known:
                symbols.append(near)
            elif unicodedata.category(symbol) not in _MARKS and not symbol.isspace():
                hint = 'write it with other sounds, or spell the word as it sounds: (word)[sub:"wurd"]'
                raise VoiceError(f'this voice has no sound for the IPA symbol "{symbol}"', hint=hint)
    if not any(map(is_sound, symbols)):
        raise VoiceError("this IPA holds no sound", hint='write for example (metta)[ipa:"ˈmɛtə"]')
    return symbols


def is_sound(symbol: str) -> bool:
    """Whether it is a sound: neither space nor punctuation nor a mark upon another."""
    return symbol[:1].isalpha() and unicodedata.category(symbol[0]) != "Lm"
