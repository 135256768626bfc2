from __future__ import annotations

import pytest

from metta_audio.errors import VoiceError
from metta_audio.voices.espeak.phonemes import espeak_phonemes


@pytest.mark.parametrize(
    ("ipa", "phonemes"),
    [
        ("ˈmɛtə", "m|'E|t|@"),
        ("/vɪˈpɑːsənə/", "v|I|p|'A:|s|@|n|@"),
        ("[ˈdʒɑːnə]", "dZ|'A:|n|@"),
        ("t͡ʃɛz", "tS|E|z"),
        ("ˌləʊvɪŋ ˈkaɪndnəs", "l|,oU|v|I|N k|'aI|n|d|n|@|s"),
        ("ˈmɛtːɑː", "m|'E|t|A:"),
        ("bʌtn̩", "b|V|t|@|n"),
        ("s.t", "s|t"),
    ],
)
def test_english_ipa_becomes_espeak_names(ipa, phonemes):
    assert espeak_phonemes(ipa) == tuple(phonemes.split())


@pytest.mark.parametrize("ipa", ["aʘ", "ʁa", "y", "mɛt3"])
def test_an_unknown_symbol_is_named(ipa):
    with pytest.raises(VoiceError, match=r'IPA symbol ".+" in .* is no sound of English'):
        espeak_phonemes(ipa)


@pytest.mark.parametrize("ipa", ["", "  ", "//", "ˈ", "ː."])
def test_nothing_to_say_is_an_error(ipa):
    with pytest.raises(VoiceError, match="no IPA symbol"):
        espeak_phonemes(ipa)


def test_a_word_longer_than_the_engine_can_hold_is_an_error():
    assert len(espeak_phonemes(" ".join(["ˈməmə" * 6] * 100))) == 100
    with pytest.raises(VoiceError, match=r"too long.*; put a space"):
        espeak_phonemes("ə" * 200)
