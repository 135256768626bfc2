"""One utterance by one voice, whatever its length: a long one is said in pieces that end where sentences do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import sentencex

from metta_audio.errors import MettaError, VoiceError
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.voice import Speech, Utterance, Voice, Word, keeps_lines_whole, usable
from metta_audio.units import Samples, Seconds, WordsPerMinute, to_samples

VERSION = 1
"""Counts changes of this module that change a clip: part of the cache key."""

LONGEST = 600
"""Characters given to an engine at once. The longest sentence that a script may hold has about as many; neural voices
take some 500 sounds, and speech servers 4,096 characters."""

BREATH = Seconds(0.4)
"""Between two pieces: a speaker's breath at the end of a sentence."""

_SAID = frozenset({"ipa", "sub"})
"""Spans that give a text another sound: they are never torn apart, and make signs speakable."""

_CLAUSE = re.compile(r"[,;:.!?…–—)\]、。，；！？]+\s*")
"""Where a sentence that is too long may be parted, before any other white space."""


def utter(voice: Voice, utterance: Utterance, rate: WordsPerMinute, language: str = "en") -> Speech:
    """Have ``voice`` say ``utterance`` at ``rate`` words a minute, in pieces of at most ``LONGEST`` characters.

    ``language`` (BCP 47) tells where sentences end. Raises VoiceError, which names the voice: for what none could say,
    for a sound that nobody could play, and where the voice fails in whatever way.
    """
    with _named(voice):
        return _uttered(voice, utterance, rate, language)


def _uttered(voice: Voice, utterance: Utterance, rate: WordsPerMinute, language: str) -> Speech:
    if not any(map(str.isalnum, utterance.text)) and not any(span.kind in _SAID for span in utterance.spans):
        # Not repeated in the error: a listener may have chosen it.
        raise VoiceError("there is nothing in this line that can be spoken", hint="write words, or leave it out")
    if len(utterance.text) <= LONGEST or keeps_lines_whole(voice):
        return _heard(voice, utterance, rate)
    pieces = list(_pieces(utterance, language))
    return _joined([(start, _heard(voice, piece, rate)) for start, piece in pieces])


def _heard(voice: Voice, utterance: Utterance, rate: WordsPerMinute) -> Speech:
    """What ``voice`` says. A third party's may raise anything: it is told without its text, which may hold the line."""
    try:
        speech = voice.speak(utterance, rate)
        usable(voice.name, speech.wave)
    except MettaError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        hint = "choose another voice, or ask who made this one"
        raise VoiceError(f"{voice.name} failed ({type(error).__name__})", hint=hint) from None
    return speech


@contextmanager
def _named(voice: Voice) -> Iterator[None]:
    """Tell of every error of a voice whose it is."""
    try:
        yield
    except VoiceError as error:
        if voice.name in error.what:
            raise
        raise type(error)(f"{voice.name}: {error.what}", place=error.place, hint=error.hint) from error


def _pieces(utterance: Utterance, language: str) -> Iterator[tuple[int, Utterance]]:
    """Parts of ``utterance`` with where each begins in its text; those without a letter are left out."""
    text, start = utterance.text, 0
    for end in [*_ends(utterance, language), len(text)]:
        piece = text[start:end].rstrip()
        last = start + len(piece)
        if any(map(str.isalnum, piece)):
            spans = tuple(
                replace(span, start=max(span.start, start) - start, end=min(span.end, last) - start)
                for span in utterance.spans
                if span.start < last and span.end > start
            )
            yield start, Utterance(piece, spans)
        start = end


def _ends(utterance: Utterance, language: str) -> Iterator[int]:
    """Where to part the text: at the last sentence end within reach, else a clause, else a space, else anywhere."""
    text, start = utterance.text, 0
    sentences, at = [], 0
    for sentence in sentencex.segment(language.partition("-")[0], text):
        at += len(sentence)
        sentences.append(at)
    clauses = [found.end() for found in _CLAUSE.finditer(text)]
    spaces = [found.end() for found in re.finditer(r"\s+", text)]
    while len(text) - start > LONGEST:
        reach = start + LONGEST
        candidates = (_last(places, start, reach, utterance) for places in (sentences, clauses, spaces))
        start = next((place for place in candidates if place is not None), reach)
        yield start


def _last(places: Sequence[int], start: int, reach: int, utterance: Utterance) -> int | None:
    torn = [(span.start, span.end) for span in utterance.spans if span.kind in _SAID]
    fitting = (
        place for place in places if start < place <= reach and not any(first < place < last for first, last in torn)
    )
    return max(fitting, default=None)


def _joined(spoken: Sequence[tuple[int, Speech]]) -> Speech:
    """One after the other, ``BREATH`` apart; words keep their places in the whole text.

    Words are told only where every piece tells its own.
    """
    rate = spoken[0][1].wave.rate
    gap = np.zeros((to_samples(BREATH, rate), 1), np.float32)
    parts: list[np.ndarray] = []
    words: list[Word] = []
    length = 0
    for start, speech in spoken:
        found = stretches(speech.wave)
        first, last = (found[0][0], found[-1][1]) if found else (0, speech.wave.frames)
        if parts:
            parts.append(gap)
            length += len(gap)
        parts.append(speech.wave.samples.mean(axis=1, keepdims=True)[first:last])
        words += [
            Word(word.start + start, word.end + start, Samples(length + min(max(word.onset - first, 0), last - first)))
            for word in speech.words
        ]
        length += last - first
    whole = all(speech.words for _, speech in spoken)
    return Speech(Wave(np.concatenate(parts), rate), tuple(words) if whole else ())
