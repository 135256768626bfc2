"""What voices outside of this process share: the text they are given, the sound that comes back, and their complaints.

A complaint is told without the line in it, which may be a listener's name, and without the key.
"""

from __future__ import annotations

import html
import io
import re
import struct
import unicodedata

import numpy as np

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.sound.wave import Wave
from metta_audio.speech.voice import Speech, Utterance
from metta_audio.units import Decibels, Hertz, Seconds, gain

MOST_BYTES = 128_000_000
"""Of a sound that is taken in: ten minutes of 48 kHz stereo are 115 MB, and the longest piece of a line lasts one."""

_LONGEST = Seconds(1200.0)
"""Of a sound once decoded: a small packed file may hold hours of silence."""

_MOST_SAMPLES = 1200 * 2 * 48_000
"""Of all channels: what is usual at that length. As many more as a packed file may claim would fill the memory."""

_RATES = (4_000, 384_000)
"""Hz: below is no speech left, above is no sound card."""

_FAINT = Decibels(-46.0)
"""dBFS of the highest sample below which nobody speaks: what a program gives for letters it cannot read lies at -52,
the softest voice 20 dB higher. Levelled as speech, it would be a burst of noise."""

_STREAMED = 0x7FFF0000
"""A length in a WAV header from here on, or 0, stands for "not known yet": servers and pipes write the header before
the sound. Files that are really so long are refused by their size."""

_TOLD = 120
"""Characters of a message that are passed on: enough for a reason, and still one line."""

_TELLING = 4
"""Letters from which on a part of a word counts as that word: "Annabel" is told by "Anna", nothing is by "an"."""

_KEY_PART = 6
"""Characters of a key that are as secret as the whole: some servers repeat its beginning or its end."""

_TAGS = re.compile(r"<(style|script|!--).*?(</\1>|-->|\Z)|<[^>]*>", re.DOTALL | re.IGNORECASE)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
"""Marks in which a message may come: those of HTML, with what they hide, and letters written as JSON escapes them."""


class NotSound(Exception):  # noqa: N818 - it says what came
    """What came back cannot be played. The text says why, in words that follow "the answer"."""


def said(utterance: Utterance) -> str:
    """The text to hand over: substitutes put in, other markup passed over, one line without control characters.

    Raises VoiceError where no letter or digit is left.
    """
    text = utterance.text
    for span in sorted(utterance.spans, key=_start, reverse=True):
        if span.kind == "sub":
            text = text[: span.start] + span.value + text[span.end :]
    # Cc: control characters and NUL; Cs: halves of characters, which no encoding takes.
    kept = "".join(" " if unicodedata.category(sign) in {"Cc", "Cs"} else sign for sign in text)
    line = " ".join(kept.split())
    if not any(map(str.isalnum, line)):
        raise VoiceError("there is nothing in this line that can be spoken", hint="write words, or leave it out")
    return line


def _start(span: Span) -> int:
    return span.start


def heard(content: bytes) -> Speech:
    """Read a whole sound file (WAV, FLAC, MP3, Ogg, Opus, AIFF …) as speech, in one channel at its own rate.

    A WAV header may leave the length open. Raises NotSound for anything else, and for a file that ends too early.
    """
    import soundfile  # here: listings do without

    if not content:
        raise NotSound("is empty")
    try:
        with soundfile.SoundFile(io.BytesIO(_closed(content))) as file:
            rate, frames = file.samplerate, file.frames
            if not _RATES[0] <= rate <= _RATES[1]:
                raise NotSound(f"has a rate of {rate} Hz")
            if frames > _LONGEST * rate:
                raise NotSound(f"lasts more than {_LONGEST / 60:g} minutes")
            if frames * file.channels > _MOST_SAMPLES:
                raise NotSound(f"has {file.channels} channels at {rate} Hz, and is too large")
            samples = file.read(dtype="float32", always_2d=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise NotSound("is not a sound that can be read") from error
    if len(samples) < frames:
        raise NotSound("ends before it is whole")
    mono = samples.mean(axis=1, dtype=np.float64)
    if not np.isfinite(mono).all():
        raise NotSound("holds samples that are no numbers")
    if np.abs(mono).max(initial=0.0) < gain(_FAINT):
        mono = np.zeros_like(mono)  # dither, or the noise of a program that has no sounds for a text
    return Speech(Wave.mono(mono, Hertz(rate)))


def _closed(content: bytes) -> bytes:
    """A WAV file whose header tells the length that is really there; other files as they are.

    Raises NotSound for one that was to be longer.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return content
    at = 12
    while at + 8 <= len(content):
        (length,) = struct.unpack_from("<I", content, at + 4)
        if content[at : at + 4] == b"data":
            there = len(content) - at - 8
            if length == 0 or length >= _STREAMED:
                return content[: at + 4] + struct.pack("<I", there) + content[at + 8 :]
            if length > there:
                raise NotSound("ends before it is whole")
            return content
        at += 8 + length + length % 2
    raise NotSound("is a WAV file without sound")


def told(message: str, *, line: str = "", key: str = "") -> str:
    """The beginning of a stranger's ``message`` on one line, without any word of ``line`` and any part of ``key``.

    Markup of HTML is dropped. Empty where nothing is left.
    """
    plain = html.unescape(_TAGS.sub(" ", _ESCAPED.sub(lambda found: chr(int(found[1], 16)), message)))
    plain = "".join(sign if sign.isprintable() else " " for sign in unicodedata.normalize("NFC", plain))
    plain = " ".join("…" if _holds_key(word, key) else word for word in plain.split())
    words = [_letters(word) for word in line.split()]
    whole = "".join(words)
    hidden = re.sub(r"[^\W_]+", lambda found: "…" if _is_of(_letters(found[0]), words, whole) else found[0], plain)
    hidden = re.sub(r"…(?:[\W_]*…)+", "…", hidden)
    if not any(map(str.isalnum, hidden)):
        return ""
    return hidden if len(hidden) <= _TOLD else hidden[:_TOLD].rsplit(" ", 1)[0] + " …"


def _holds_key(word: str, key: str) -> bool:
    size = min(len(key), _KEY_PART)
    return bool(key) and any(key[start : start + size] in word for start in range(len(key) - size + 1))


def _letters(word: str) -> str:
    """Letters and digits, without case and accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", word.casefold())))


def _is_of(word: str, words: list[str], whole: str) -> bool:
    """Whether ``word`` is one of ``words``, holds one, or is a telling part of them."""
    if any(unicodedata.category(sign) == "Lo" for sign in word):
        # Most scripts without capitals write words without spaces: a name may stand in the middle.
        return any(word[at : at + 2] in whole for at in range(max(1, len(word) - 1)))
    if word in words or (len(word) >= _TELLING and word in whole):
        return True
    return any(len(each) >= _TELLING and each in word for each in words)
