"""The International Phonetic Alphabet: which signs it has, and which one was meant where another stands."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_CONSONANTS = frozenset("pbtdʈɖcɟkɡqɢʔmɱnɳɲŋɴʙrʀⱱɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħʕhɦɬɮʋɹɻjɰlɭʎʟʘǀǃǂǁɓɗʄɠʛʍwɥʜʢʡɕʑɺɧɫ")
_VOWELS = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝᵻ")
"""Of the chart as revised in 2020, and three signs that it leaves to custom: dark l (ɫ), the vowels of American "nurse"
and "letter" (ɝ, ɚ), and that of "roses" where it may be i or ə (ᵻ)."""

_MARKS = frozenset("ˈˌːˑ.|‖‿ʰʱʷʲˠˤⁿˡˀʼ˞˥˦˧˨˩ꜛꜜ↗↘ ")
"""Stress, length, breaks, what is said along with a sound, tones, and the space between two words."""

_OVER_AND_UNDER = frozenset(map(chr, (
    0x325, 0x30A, 0x32C, 0x339, 0x31C, 0x31F, 0x320, 0x308, 0x33D, 0x329, 0x30D, 0x32F, 0x311, 0x324, 0x330, 0x33C,
    0x32A, 0x33A, 0x33B, 0x303, 0x334, 0x31D, 0x31E, 0x318, 0x319, 0x31A, 0x306, 0x327, 0x361, 0x35C,
    0x30B, 0x301, 0x304, 0x300, 0x30F, 0x30C, 0x302, 0x1DC4, 0x1DC5, 0x1DC8,
)))  # fmt: skip
"""Marks over and under a sign: the chart's diacritics, ties, tones."""

_SOUNDS = _CONSONANTS | _VOWELS
_SYMBOLS = _SOUNDS | _MARKS | _OVER_AND_UNDER
"""What is a sound by itself, and all that there is."""


def _one_of(symbols: frozenset[str]) -> str:
    return f"[{re.escape(''.join(sorted(symbols)))}]"


IPA = rf"(?!\s){_one_of(_MARKS)}*{_one_of(_SOUNDS)}{_one_of(_SYMBOLS)}*(?<!\s)"
"""A regular expression for what ``bad_symbol`` finds nothing wrong with: all of the usual kind, with each mark behind
its sound, and no space at either end."""

_IPA = re.compile(IPA)

_MEANT = {
    "g": "ɡ", ":": "ː", "'": "ˈ", "’": "ˈ", "‘": "ˈ", "´": "ˈ", "`": "ˈ", '"': "ˈ", "′": "ˈ", ",": "ˌ",
    "@": "ə", "ә": "ə", "ǝ": "ə", "A": "ɑ", "E": "ɛ", "ε": "ɛ", "I": "ɪ", "ı": "ɪ", "ɩ": "ɪ", "O": "ɔ", "Q": "ɒ",
    "U": "ʊ", "V": "ʌ", "Λ": "ʌ", "3": "ɜ", "{": "æ", "α": "ɑ", "S": "ʃ", "∫": "ʃ", "Z": "ʒ", "T": "θ",
    "D": "ð", "N": "ŋ", "R": "ɹ", "ʧ": "tʃ", "ʤ": "dʒ", "ʦ": "ts", "ʣ": "dz", "γ": "ɣ", "ϕ": "ɸ", "φ": "ɸ", "!": "ǃ",
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ᵊ": "ə", "-": ".",
}  # fmt: skip
"""What is typed in place of a sign that keyboards lack: ASCII, X-SAMPA, older ligatures, Greek and Cyrillic doubles."""

_AROUND = frozenset("/[]")


@dataclass(frozen=True, slots=True)
class BadSymbol:
    """The first fault in an IPA string: ``index`` (from 0) of the character, what is wrong, and what to do."""

    index: int
    what: str
    hint: str


def bad_symbol(ipa: str) -> BadSymbol | None:
    """The first character of ``ipa`` that is no IPA; None where all are, and at least one is a sound.

    Nothing stands around it: no slashes, no brackets.

    >>> bad_symbol("ˈmɛtɑː")
    >>> bad_symbol("'mEta:").hint
    'did you mean "ˈ"?'
    """
    if _IPA.fullmatch(ipa):
        return None
    for index, character in enumerate(ipa):
        parts = unicodedata.normalize("NFD", character)
        if character not in _CONSONANTS and not all(map(_known, parts)):
            return BadSymbol(index, f'"{_shown(character)}" is no IPA symbol', _hint(character))
        if index == 0 and unicodedata.combining(character):
            return BadSymbol(0, "a mark stands over nothing", "put it behind the symbol it belongs to")
    if not any(part in _SOUNDS for part in unicodedata.normalize("NFD", ipa)):
        return BadSymbol(0, "this IPA holds no sound", "write for example ˈmɛtɑː")
    return None


def _known(character: str) -> bool:
    return character in _SYMBOLS


def _hint(character: str) -> str:
    if character in _AROUND:
        return "leave out the / and [ ] around it"
    if character in _MEANT:
        return f'did you mean "{_MEANT[character]}"?'
    return "docs/pronunciation.md lists the symbols of English"


def _shown(character: str) -> str:
    """A character that a terminal can show; else its number."""
    return character if character.isprintable() else f"U+{ord(character):04X}"
