"""From lines to measured clips: every sentence spoken once, its sound on disk, its length and word times in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.script.model import Line
from metta_audio.sound.chain import Chain
from metta_audio.speech.cache import ClipStore, key
from metta_audio.speech.clip import Clip, make_clip
from metta_audio.speech.voice import Utterance, Voice, Word, chain_of
from metta_audio.units import Samples, WordsPerMinute


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip without its sound: ``key`` finds that in the store; ``words`` and ``length`` are samples at 44.1 kHz."""

    key: str
    length: Samples
    words: tuple[Word, ...]


def speak(
    lines: Iterable[Line],
    voices: Mapping[str, Voice],
    rate_for: Callable[[str], WordsPerMinute],
    store: ClipStore,
    on_line: Callable[[], None] = lambda: None,
    *,
    plain: bool = False,
) -> tuple[Spoken, ...]:
    """Speak each of ``lines``, in order, by the voice of its role at the rate of its role.

    Each voice's sound goes through its own chain, or with ``plain`` through none.
    Holds one clip in memory at a time. A line said before, now or by an earlier run, is not spoken again.
    ``on_line`` is called after each line. Raises VoiceError with the line's place.
    """
    known: dict[str, Spoken] = {}
    spoken = []
    made = False
    for line in lines:
        voice, rate = _voice(line, voices), rate_for(line.role)
        chain = chain_of(voice, plain=plain)
        name = key(line.text, line.spans, voice.fingerprint, rate, chain)
        if name not in known:
            clip = store.get(name)
            if clip is None:
                clip = _spoken(line, voice, rate, chain)
                store.put(name, clip)
                made = True
            known[name] = Spoken(name, Samples(clip.wave.frames), clip.words)
        spoken.append(known[name])
        on_line()
    if made:
        store.prune()
    return tuple(spoken)


def _voice(line: Line, voices: Mapping[str, Voice]) -> Voice:
    try:
        return voices[line.role]
    except KeyError:
        what = f'no voice for the role "{line.role}"'
        raise VoiceError(what, place=line.place, hint=did_you_mean(line.role, voices)) from None


def _spoken(line: Line, voice: Voice, rate: WordsPerMinute, chain: Chain) -> Clip:
    try:
        return make_clip(voice.speak(Utterance(line.text, line.spans), rate), chain)
    except VoiceError as error:
        raise VoiceError(error.what, place=error.place or line.place, hint=error.hint) from error
