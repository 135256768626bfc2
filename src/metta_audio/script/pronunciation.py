"""One entry of a lexicon, as it is written in a lexicon file and in a script's front matter, checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NoReturn, Protocol

from metta_audio.errors import Place, ScriptError, did_you_mean
from metta_audio.script.ipa import bad_symbol
from metta_audio.script.model import Pronunciation

MOST_WORDS = 8
"""Words of a phrase: longer than any name or term, and a line is still searched in no time."""

LONGEST = 200
"""Characters of a phrase, of its IPA or of its respelling: eight long words."""

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ′`´＇", "'"))

_LATIN_MARKS = 200
"""Canonical combining class from which on a mark stands over or under a letter of Latin, Greek or Cyrillic. Marks that
make another letter, as in Hindi, Arabic or Japanese, lie below."""

_FEWEST_CAPITALS = 2
"""A capital alone is the beginning of a name or of a sentence as well as an abbreviation."""

_KEYS = ("ipa", "say", "at")

END = " ."
"""Behind a phrase in a lexicon: it counts only where a sentence ends, or the part of one before a colon."""

_WORD = re.compile(r"[^\W_]+(?:['’‘ʼ′`´＇][^\W\d_][^\W_]*)*")
_PLAIN = re.compile("[a-z]+(?: [a-z]+)*")
"""A phrase that is found by itself."""

_UNUSUAL = re.compile(r"[^\w\s!-/:-@\[-`{-~‘’“”–—…]")
"""What a text may hold that ``_WORD`` does not know: marks upon letters, which Python counts as no part of a word."""


class At(Protocol):
    """Finds the place of what lies under a word: of the word itself, of a key, of a character of a value."""

    def __call__(self, word: str, key: str = "", value: str = "", index: int = 0, /) -> Place:
        """The place of ``value[index]``; of ``key`` where no value is given; else of ``word``."""


def words_of(text: str) -> list[tuple[int, int]]:
    """``(start, end)`` of each run of letters, digits and their marks; an apostrophe between two letters belongs to it.

    >>> words_of("Thich Nhat Hanh's loving-kindness")
    [(0, 5), (6, 10), (11, 17), (18, 24), (25, 33)]
    """
    if not _UNUSUAL.search(text):
        return [match.span() for match in _WORD.finditer(text)]
    found: list[tuple[int, int]] = []
    start = -1
    for index, character in enumerate(f"{text} "):
        inside = unicodedata.category(character)[0] in "LNM" or (
            start >= 0 and character.translate(_APOSTROPHES) == "'" and text[index + 1 : index + 2].isalpha()
        )
        if inside and start < 0:
            start = index
        elif not inside and start >= 0:
            found.append((start, index))
            start = -1
    return found


@lru_cache(maxsize=10_000)  # the different words of a book
def folded(word: str) -> str:
    """One word with the differences taken away that do not count: capitals, marks, the kind of apostrophe.

    >>> folded("Mettā’s")
    "metta's"
    """
    if word.isascii():  # most words are, and there is nothing more to take away
        return word.replace("`", "'").lower()
    letters = unicodedata.normalize("NFKD", word.translate(_APOSTROPHES))
    return "".join(letter for letter in letters if unicodedata.combining(letter) < _LATIN_MARKS).casefold()


@lru_cache(maxsize=10_000)  # as above
def spelt(word: str) -> str:
    """One word folded, but for capitals where it has no other letters: IFS is not the plural of if.

    >>> spelt("Mettā"), spelt("IFS’s")
    ('metta', "IFS's")
    """
    if word.islower():
        return folded(word)
    bare = word.translate(_APOSTROPHES).removesuffix("'s")
    if len(bare) < _FEWEST_CAPITALS or not bare.isupper():
        return folded(word)
    return bare + folded(word)[len(folded(bare)) :]


def phrase_of(text: str) -> str:
    """What a phrase is found by: its words as ``spelt`` writes them, whatever stands between them."""
    if _PLAIN.fullmatch(text):
        return text
    return " ".join(spelt(text[start:end]) for start, end in words_of(text))


def read_entries(written: Mapping[str, object], at: At) -> dict[str, Pronunciation]:
    """The entries of one lexicon by their phrase. Raises ScriptError at the first fault."""
    found: dict[str, Pronunciation] = {}
    names: dict[str, str] = {}
    for word, value in written.items():
        phrase = phrase_of(word)
        if not phrase or phrase.count(" ") >= MOST_WORDS or len(word) > LONGEST:
            what = f'"{word[:40]}" is no word' if not phrase else f"this phrase has more than {MOST_WORDS} words"
            raise ScriptError(what, place=at(word), hint="write a word or a short phrase")
        phrase += END if isinstance(value, dict) and "at" in value else ""
        if phrase in found:
            hint = "keep one of them; capitals, accents and hyphens make no difference"
            raise ScriptError(f'"{word}" is given twice, first as "{names[phrase]}"', place=at(word), hint=hint)
        found[phrase], names[phrase] = _pronunciation(word, value, at), word
    return found


def _pronunciation(word: str, value: object, at: At) -> Pronunciation:
    if value is False:
        return Pronunciation()
    if isinstance(value, str):
        return Pronunciation(say=_say(word, "", value, at))
    if not isinstance(value, dict) or not value:
        _refuse(f'"{word}" has no pronunciation', at(word))
    for key, inner in value.items():
        if key not in _KEYS:
            raise ScriptError(f'unknown key "{key}"', place=at(word, key), hint=did_you_mean(key, _KEYS))
        if not isinstance(inner, str):
            _refuse(f"{key} must be a text in quotes", at(word, key))
    if value.get("at", "end") != "end":
        what = f'"{word}" cannot be found only there'
        raise ScriptError(what, place=at(word, "at"), hint='write at = "end", or leave it out')
    if "ipa" not in value and "say" not in value:
        _refuse(f'"{word}" has no pronunciation', at(word))
    ipa = _ipa(word, value["ipa"], at) if "ipa" in value else ""
    return Pronunciation(ipa, _say(word, "say", value["say"], at) if "say" in value else "")


def _ipa(word: str, ipa: str, at: At) -> str:
    _check_length(word, "ipa", ipa, at)
    bare = ipa.strip()
    if (bad := bad_symbol(bare)) is not None:
        index = bad.index + len(ipa) - len(ipa.lstrip())
        what = f'the IPA of "{word}": {bad.what} (character {index + 1})'
        raise ScriptError(what, place=at(word, "ipa", ipa, index), hint=bad.hint)
    return unicodedata.normalize("NFC", bare)


def _say(word: str, key: str, say: str, at: At) -> str:
    _check_length(word, key, say, at)
    plain = " ".join(say.split())
    if plain == "off":
        raise ScriptError(
            f'"{word}" would be spoken as "off"', place=at(word, key), hint="to switch it off write false"
        )
    if not plain.isprintable():
        hidden = next(letter for letter in plain if not letter.isprintable())
        what = f'the respelling of "{word}" holds the control character U+{ord(hidden):04X}'
        raise ScriptError(what, place=at(word, key), hint="leave it out: nobody can see or say it")
    if not any(map(str.isalnum, plain)):
        _refuse(f'the respelling of "{word}" holds nothing to say', at(word, key))
    return plain


def _check_length(word: str, key: str, value: str, at: At) -> None:
    if not value or value.isspace():
        _refuse(f'the {"IPA" if key == "ipa" else "respelling"} of "{word}" is empty', at(word, key))
    if len(value) > LONGEST:
        what = f'the {"IPA" if key == "ipa" else "respelling"} of "{word}" has more than {LONGEST} characters'
        raise ScriptError(what, place=at(word, key), hint="an entry is for a word or a short phrase")


def _refuse(what: str, place: Place) -> NoReturn:
    raise ScriptError(what, place=place, hint='give it a respelling such as "mettah", ipa and say, or false')
