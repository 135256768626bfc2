"""From the International Phonetic Alphabet to eSpeak NG's own phoneme names, for the sounds of English."""

from __future__ import annotations

import unicodedata

from metta_audio.errors import VoiceError

_VOWELS = {
    "iː": "i:", "i": "i", "ɪ": "I", "ᵻ": "I", "e": "E", "ɛ": "E", "æ": "a", "a": "a", "aː": "A:", "ɑː": "A:",
    "ɑ": "A:", "ɒ": "0", "ɔː": "O:", "ɔ": "O:", "o": "oU", "oː": "oU", "ʊ": "U", "uː": "u:", "u": "u:", "ʌ": "V",
    "ə": "@", "ɐ": "V", "ɜː": "3:", "ɜ": "3:", "ɝ": "3:", "ɝː": "3:", "ɚ": "3", "eː": "eI", "ɛː": "e@",
    "eɪ": "eI", "aɪ": "aI", "ɔɪ": "OI", "aʊ": "aU", "oʊ": "oU", "əʊ": "oU", "ɪə": "i@", "eə": "e@", "ɛə": "e@",
    "ʊə": "U@", "n̩": "@|n", "l̩": "@|l", "m̩": "@|m",
}  # fmt: skip
_CONSONANTS = {
    "p": "p", "b": "b", "t": "t", "d": "d", "k": "k", "ɡ": "g", "g": "g", "f": "f", "v": "v", "θ": "T", "ð": "D",
    "s": "s", "z": "z", "ʃ": "S", "ʒ": "Z", "h": "h", "m": "m", "n": "n", "ŋ": "N", "l": "l", "ɫ": "l", "r": "r",
    "ɹ": "r", "j": "j", "w": "w", "ʍ": "w", "tʃ": "tS", "dʒ": "dZ", "ɾ": "t#", "ʔ": "?", "x": "x",
    # sounds of Pali and Sanskrit, in the nearest English ones
    "ʈ": "t", "ɖ": "d", "ɳ": "n", "ɲ": "n|j", "ʂ": "S", "ɕ": "S", "ɦ": "h", "ʋ": "v",
}  # fmt: skip
_STRESS = {"ˈ": "'", "'": "'", "ˌ": ","}
_UNHEARD = {"ː", "ˑ", "ʰ", "\u032a", "."}
"""Marks that English does not tell apart: length of a consonant, aspiration, dental t and d, syllable breaks."""

_LONGEST = 2
"""Characters of a symbol."""

_MOST = 100
"""Characters of a word in eSpeak NG's names, which it copies without looking into a buffer of 160: about 35 sounds."""


def espeak_phonemes(ipa: str) -> tuple[str, ...]:
    """Write each word of ``ipa`` in eSpeak NG's names. Slashes or brackets around it and ties are ignored.

    Raises VoiceError that names the first symbol without an English sound.

    >>> espeak_phonemes("ˈmɛtə")
    ("m|'E|t|@",)
    """
    rest = unicodedata.normalize("NFD", ipa).strip().strip("/[]").replace("\u0361", "")
    words: list[list[str]] = [[]]
    stress = ""
    while rest:
        symbol = next((rest[:size] for size in (_LONGEST, 1) if _known(rest[:size])), rest[0])
        rest = rest[len(symbol) :]
        if symbol.isspace():
            words.append([])
        elif symbol in _STRESS:
            stress = _STRESS[symbol]
        elif symbol in _VOWELS:
            # IPA marks stress before the syllable, eSpeak NG before its vowel.
            words[-1].append(stress + _VOWELS[symbol])
            stress = ""
        elif symbol in _CONSONANTS:
            words[-1].append(_CONSONANTS[symbol])
        elif symbol not in _UNHEARD:
            raise VoiceError(
                f'the IPA symbol "{symbol}" in "{ipa}" is no sound of English',
                hint='write it with English sounds, or spell it as it sounds: (word)[sub:"wurd"]',
            )
    # Joined by "|", so that two sounds never read as a third.
    spelt = ["|".join(word) for word in words if word]
    if not spelt:
        raise VoiceError(f'"{ipa}" holds no IPA symbol', hint='write for example (metta)[ipa:"ˈmɛtə"]')
    if max(map(len, spelt)) > _MOST:
        raise VoiceError(f'the IPA of one word is too long: "{ipa[:40]}…"', hint="put a space between the words")
    return tuple(spelt)


def _known(symbol: str) -> bool:
    return any(symbol in table for table in (_VOWELS, _CONSONANTS, _STRESS, _UNHEARD))
