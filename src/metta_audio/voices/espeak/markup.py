"""From a line with its spans to SSML as eSpeak NG reads it, and the way back from its characters to the line's."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span, SpanKind
from metta_audio.speech.voice import Utterance
from metta_audio.voices.espeak.phonemes import espeak_phonemes

_TAGS: dict[SpanKind, tuple[str, str]] = {
    # A sixth longer and half a dB louder: stress that does not startle.
    "emphasis": ('<emphasis level="moderate">', "</emphasis>"),
    # A fifth, as SSML engines have it: heard as calmer, not as another tape speed.
    "slow": ('<prosody rate="80%">', "</prosody>"),
    "fast": ('<prosody rate="120%">', "</prosody>"),
    # 4 dB each way: plainly heard, and soft speech stays above a bed that lies 20 dB down.
    "soft": ('<prosody volume="63%">', "</prosody>"),
    "loud": ('<prosody volume="158%">', "</prosody>"),
}

_UNSPEAKABLE = {"Cc", "Cf", "Cs", "Co"}
"""Unicode categories that eSpeak NG uses for its own commands (control, private) or cannot encode (surrogates)."""

_SILENT = set("[]|{}\\^~`_")
"""Would be taken as phoneme marks, or read out by name."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(slots=True)
class Markup:
    """``ssml`` to speak; ``origin`` has the offset in the line's text for each of its characters."""

    origin: list[int] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    phonemes: bool = False

    @property
    def ssml(self) -> str:
        """The whole, without a root element: at one, eSpeak NG chooses a voice anew and does not repeat itself."""
        return "".join(self.parts)

    def add(self, written: str, at: int) -> None:
        """Append ``written``, which stands for the text at offset ``at``."""
        self.parts.append(written)
        self.origin.extend([at] * len(written))


def markup(utterance: Utterance, *, english: bool) -> Markup:
    """Write ``utterance`` as SSML. Raises VoiceError for pronunciation that cannot be written."""
    text, spans = utterance.text, [span for span in utterance.spans if span.start < span.end]
    result = Markup()
    at = 0
    while at < len(text):
        instead = next((span for span in spans if span.start == at and span.kind in {"ipa", "sub"}), None)
        edges = [edge for span in spans for edge in (span.start, span.end) if edge > at]
        end = instead.end if instead else min(edges, default=len(text))
        tags = [_TAGS[span.kind] for span in spans if span.kind in _TAGS and span.start <= at < span.end]
        for opening, _ in tags:
            result.add(opening, at)
        if instead is None:
            for offset in range(at, end):
                result.add(_ENTITIES.get(_speakable(text[offset]), _speakable(text[offset])), offset)
        else:
            _add_instead(result, instead, english=english)
            if tags and instead.kind == "ipa":
                result.add(" ", end - 1)  # a tag right behind phonemes would be read out
        for _, closing in reversed(tags):
            result.add(closing, end - 1)
        at = end
    return result


def _add_instead(result: Markup, span: Span, *, english: bool) -> None:
    if span.kind == "sub":
        for character in map(_speakable, span.value):
            result.add(_ENTITIES.get(character, character), span.start)
        return
    if not english:
        hint = 'spell the word as it sounds: (word)[sub:"wurd"]'
        raise VoiceError("eSpeak NG takes IPA for English voices only", hint=hint)
    result.phonemes = True
    result.add(" ".join(f"[[{word}]]" for word in espeak_phonemes(span.value)), span.start)


def _speakable(character: str) -> str:
    """Return ``character``, or a space where eSpeak NG would stumble over it."""
    if character in _SILENT or (unicodedata.category(character) in _UNSPEAKABLE and character not in "\u200c\u200d"):
        return " "
    return character
