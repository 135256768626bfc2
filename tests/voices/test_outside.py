from __future__ import annotations

import io
import string
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.voice import Utterance
from metta_audio.voices import outside
from metta_audio.voices.outside import NotSound, heard, said, told


def wav(samples, rate=22050, subtype="PCM_16"):
    content = io.BytesIO()
    soundfile.write(content, samples, rate, subtype, format="WAV")
    return content.getvalue()


TONE = (0.3 * np.sin(np.arange(4000) / 10)).astype(np.float32)


@pytest.mark.parametrize("length", [0, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF - 36])
def test_a_wav_file_need_not_tell_its_length(length):
    content = bytearray(wav(TONE))
    struct.pack_into("<I", content, content.index(b"data") + 4, length)
    content[4:8] = b"\xff\xff\xff\xff"
    assert heard(bytes(content)).wave.samples.tobytes() == heard(wav(TONE)).wave.samples.tobytes()


@given(st.integers(1, 7999))
def test_a_wav_file_that_lacks_its_end_is_refused(missing):
    with pytest.raises(NotSound, match="ends before it is whole"):
        heard(wav(TONE)[:-missing])


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"ID3\4", b"\xff\xfb"]),
)
def test_any_bytes_are_a_sound_or_no_sound(content, beginning):
    try:
        wave = heard(beginning + content).wave
    except NotSound:
        return
    assert wave.channels == 1
    assert np.isfinite(wave.samples).all()


def test_channels_become_one():
    assert heard(wav(np.stack([TONE, -TONE], axis=1))).wave.samples.max() == pytest.approx(0, abs=1e-4)


def test_sounds_that_no_line_can_be_are_refused(monkeypatch):
    with pytest.raises(NotSound, match="rate of 1000 Hz"):
        heard(wav(TONE, 1000))
    with pytest.raises(NotSound, match="no numbers"):
        heard(wav(TONE * np.float32("nan"), subtype="FLOAT"))
    # Small as a file, too large for the memory.
    monkeypatch.setattr(outside, "_MOST_SAMPLES", 3 * len(TONE))
    heard(wav(np.stack([TONE] * 3, axis=1)))
    with pytest.raises(NotSound, match=r"has 4 channels at \d+ Hz, and is too large"):
        heard(wav(np.stack([TONE] * 4, axis=1)))
    monkeypatch.setattr(outside, "_LONGEST", 0.1)
    with pytest.raises(NotSound, match="lasts more than"):
        heard(wav(TONE))


def test_a_text_is_handed_over_on_one_line_with_its_substitutes():
    spans = (Span(4, 9, "sub", "meh ta"), Span(0, 3, "slow"), Span(10, 13, "sub", "yes"))
    assert said(Utterance("The metta now.", spans)) == "The meh ta yes."
    assert said(Utterance(" a\0b\r\n\tc\x1b\ud800 ")) == "a b c"
    assert said(Utterance("…", (Span(0, 1, "sub", "rest"),))) == "rest"
    with pytest.raises(VoiceError, match="nothing in this line"):
        said(Utterance("♥ … —"))


@pytest.mark.parametrize(
    ("message", "line", "result"),
    [
        ("out of memory", "May Ana be well", "out of memory"),
        ("cannot say 'May Ana be well'", "May Ana be well", "cannot say '…'"),
        ("ANA?", "May Ana be well", ""),
        ("token Zoë unknown", "Hello Zoe", "token … unknown"),
        (r"token Zo\u00eb unknown", "Hello Zoë", "token … unknown"),
        ("token Zo&euml; unknown", "Hello Zoë", "token … unknown"),
        ("file_Annabel.wav lost", "for Annabel", "file_….wav lost"),
        ("Annab unknown, Annabels too", "for Annabel", "… unknown, … too"),
        ("キョウコさんが unknown", "キョウコさん、こんにちは", "… unknown"),
        ("<html><style>p{}</style><p>Not&nbsp;here</p>", "", "Not here"),
        ("<style> p{} and nothing else", "", ""),
        ("a\x1b[31m\nb\0c", "", "a [31m b c"),
        ("word " * 100, "", "word " * 23 + "word …"),
        ("", "x", ""),
    ],
)
def test_a_complaint_is_told_without_the_line(message, line, result):
    assert told(message, line=line) == result


WORDS = st.text(string.ascii_letters + "äéßñ", min_size=4, max_size=12)


@given(
    st.lists(WORDS, min_size=1, max_size=6), st.text(max_size=40), st.sampled_from([str, str.upper, str.lower, repr])
)
def test_no_word_of_a_line_is_told(words, around, change):
    line = " ".join(words)
    message = told(f"{around} {change(line)} {around}", line=f"{line} {around}")
    assert not any(word.casefold() in message.casefold() for word in words)


@given(st.text(string.ascii_letters + string.digits, min_size=8, max_size=40), st.integers(0, 34), st.integers(6, 40))
def test_no_part_of_a_key_is_told(key, start, size):
    part = key[start : start + size]
    message = told(f"wrong key={part}!", key=key)
    assert len(part) < 6 or part not in message
