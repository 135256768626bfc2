"""From lines to measured clips: every sentence spoken once, its sound kept, its length and word times in hand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass, field

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.script.model import Line
from metta_audio.speech.cache import Clips
from metta_audio.speech.clip import VERSION, Clip, make_clip
from metta_audio.speech.clip_file import FORMAT, Measured
from metta_audio.speech.lexicon import EMPTY, Lexicon, pronounced
from metta_audio.speech.utter import utter
from metta_audio.speech.voice import MissingTake, Utterance, Voice, Word, chain_of, is_concurrent, reads_ipa
from metta_audio.units import Samples, WordsPerMinute


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip without its sound: ``key`` finds that in the store; ``words`` and ``length`` are samples at 44.1 kHz.

    ``by`` is the name of the voice that spoke it.
    """

    key: str
    length: Samples
    words: tuple[Word, ...]
    by: str


@dataclass(frozen=True, slots=True)
class _Task:
    """One line to be said by one voice, and the name of its clip."""

    line: Line
    voice: Voice
    name: str


@dataclass(frozen=True, slots=True)
class Speaker:
    """All that decides how a line sounds.

    ``voices`` by role; ``rate_for`` a role, in words a minute; ``store`` keeps what is made. ``language`` (BCP 47) is
    the script's. ``fallback`` says the lines that a person has not recorded. Each voice's sound goes through its own
    chain, or with ``plain`` through none.
    """

    voices: Mapping[str, Voice]
    rate_for: Callable[[str], WordsPerMinute]
    store: Clips
    language: str = "en"
    lexicon: Lexicon = field(default=EMPTY)
    fallback: Voice | None = None
    plain: bool = False

    def speak(self, lines: Iterable[Line], on_line: Callable[[], None] = lambda: None) -> tuple[Spoken, ...]:
        """Speak each of ``lines``, in order. A line said before, now or by an earlier run, is not spoken again.

        Voices that can are heard in several threads; a core holds one clip in memory at a time. ``on_line`` is called
        once a line, as far as they are done. Raises VoiceError with the line's place; what was spoken stays.
        """
        lines = tuple(lines)
        tasks = [self._task(line, self._voice(line)) for line in lines]
        made: dict[str, Future[Spoken]] = {}
        known: dict[str, Spoken] = {}
        for task in tasks:
            found = None if task.name in known else self.store.find(task.name)
            if found is not None:
                known[task.name] = _spoken(task, found)
        missing = {task.name: task for task in tasks if task.name not in known}
        with ThreadPoolExecutor(_cores(), thread_name_prefix="speak") as pool:
            try:
                for name, task in missing.items():
                    if is_concurrent(task.voice):
                        made[name] = pool.submit(self._make, task)
                for task in tasks:
                    if task.name not in known:
                        known[task.name] = made[task.name].result() if task.name in made else self._make(task)
                    on_line()
            finally:
                pool.shutdown(cancel_futures=True)
        if missing:
            self.store.prune(keep={spoken.key for spoken in known.values()})
        return tuple(known[task.name] for task in tasks)

    def clip(self, line: Line, spoken: Spoken) -> Clip:
        """The sound of ``line``, which was ``spoken``; said once more where it was damaged or has gone since.

        Raises VoiceError where it is not what it was: then nothing laid out in time holds any more.
        """
        clip = self.store.get(spoken.key)
        if clip is not None:
            return clip
        again = self._make(self._task(line, self._voice(line)))
        clip = self.store.get(again.key)
        if clip is None or (again.key, again.length) != (spoken.key, spoken.length):
            raise VoiceError("a spoken clip has gone and sounds otherwise now", place=line.place, hint="render again")
        return clip

    def _make(self, task: _Task) -> Spoken:
        """Say it and keep it; where nobody recorded it, the fallback does."""
        try:
            clip = self._said(task)
        except MissingTake:
            if self.fallback is None:
                raise
            task = self._task(task.line, self.fallback)
            found = self.store.find(task.name)
            if found is not None:
                return _spoken(task, found)
            clip = self._said(task)
        self.store.put(task.name, clip)
        return Spoken(task.name, Samples(clip.wave.frames), clip.words, task.voice.name)

    def _said(self, task: _Task) -> Clip:
        try:
            heard = utter(
                task.voice, self._utterance(task.line, task.voice), self.rate_for(task.line.role), self.language
            )
            return make_clip(heard, chain_of(task.voice, plain=self.plain))
        except VoiceError as error:
            raise type(error)(error.what, place=error.place or task.line.place, hint=error.hint) from error

    def _task(self, line: Line, voice: Voice) -> _Task:
        """All that changes the sound goes into the name: what is said, how, by whom, and this package's own part."""
        utterance = self._utterance(line, voice)
        recipe = [
            FORMAT,
            VERSION,
            [float(value) for value in astuple(chain_of(voice, plain=self.plain))],
            voice.fingerprint,
            self.language,
            float(self.rate_for(line.role)),
            utterance.text,
            [astuple(span) for span in utterance.spans],
        ]
        return _Task(line, voice, self.store.name(json.dumps(recipe).encode()))

    def _utterance(self, line: Line, voice: Voice) -> Utterance:
        return pronounced(Utterance(line.text, line.spans), self.lexicon, self.language, ipa=reads_ipa(voice))

    def _voice(self, line: Line) -> Voice:
        try:
            return self.voices[line.role]
        except KeyError:
            what = f'no voice for the role "{line.role}"'
            raise VoiceError(what, place=line.place, hint=did_you_mean(line.role, self.voices)) from None


def _spoken(task: _Task, found: Measured) -> Spoken:
    return Spoken(task.name, found.length, found.words, task.voice.name)


def _cores() -> int:
    """How many lines are spoken at once: as many as there are cores for this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
