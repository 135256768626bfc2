"""From lines to measured clips: every sentence spoken once, its sound kept, its length and word times in hand."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass, field, fields
from functools import lru_cache
from operator import attrgetter

from metta_audio.errors import MissingTake, VoiceError, at, did_you_mean
from metta_audio.script.model import Line, Span
from metta_audio.sound.chain import Chain
from metta_audio.speech import clip, utter
from metta_audio.speech.cache import Clips
from metta_audio.speech.clip import Clip, make_clip
from metta_audio.speech.clip_file import FORMAT, Measured
from metta_audio.speech.lexicon import EMPTY, Lexicon, pronounced
from metta_audio.speech.voice import Speech, Utterance, Voice, Word, chain_of, has, is_concurrent, reads_ipa
from metta_audio.units import Samples, WordsPerMinute

_span = attrgetter(*(each.name for each in fields(Span)))
"""All that is known of a span."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip without its sound: ``key`` finds that in the store.

    ``length``, the ``onset`` of the first sound and those of the words are samples at 44.1 kHz. ``by`` is the name of
    the voice that spoke it.
    """

    key: str
    length: Samples
    onset: Samples
    words: tuple[Word, ...]
    by: str


@dataclass(frozen=True, slots=True)
class _Task:
    """One line to be said by one voice, and the name of its clip."""

    line: Line
    voice: Voice
    utterance: Utterance
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

    @property
    def all_voices(self) -> tuple[Voice, ...]:
        """Those of the roles, and the fallback."""
        return (*self.voices.values(), *([self.fallback] if self.fallback else []))

    def speak(self, lines: Iterable[Line], on_line: Callable[[], None] = lambda: None) -> tuple[Spoken, ...]:
        """Speak each of ``lines``, in order. A line said before, now or by an earlier run, is not spoken again.

        Voices that can are heard in several threads; a core holds one clip in memory at a time. ``on_line`` is called
        once a line, as far as they are done. Raises VoiceError with the line's place; what was spoken stays.
        """
        tasks = [self._task(line) for line in lines]
        self._check(tasks)
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
        found = self.store.get(spoken.key)
        if found is not None:
            return found
        again = self._make(self._task(line))
        found = self.store.get(again.key)
        if found is None or (again.key, again.length) != (spoken.key, spoken.length):
            raise VoiceError("a spoken clip has gone and sounds otherwise now", place=line.place, hint="render again")
        return found

    def _check(self, tasks: Sequence[_Task]) -> None:
        """Raise MissingTake where a person was to say lines that nobody recorded, and no one stands in."""
        missing = [task for task in tasks if not has(task.voice, task.utterance)]
        if missing:
            # A line that is said three times is read once.
            lines, lost = ({task.utterance.text for task in some} for some in (tasks, missing))
            count = f"{len(lost)} of {len(lines)} lines have" if len(lost) > 1 else "this line has"
            what = f"{count} not been recorded by {missing[0].voice.name}"
            raise MissingTake(what, place=missing[0].line.place, hint=_how_to_record(missing[0]))

    def _make(self, task: _Task) -> Spoken:
        """Say it and keep it."""
        with at(task.line.place):
            heard = self._heard(task)
            made = make_clip(heard, chain_of(task.voice, plain=self.plain))
        return _spoken(task, self.store.put(task.name, made))

    def _heard(self, task: _Task) -> Speech:
        try:
            return utter.utter(task.voice, task.utterance, self.rate_for(task.line.role), self.language)
        except VoiceError as error:
            own = set(task.line.spans)
            ipa = (span.value for span in task.utterance.spans if span.kind == "ipa" and span not in own)
            said = next((value for value in ipa if f'"{value}"' in error.what), None)
            if said is None:
                raise
            what = f'{task.voice.name} cannot say the IPA "{said}", which stands in a lexicon'
            hint = 'write that entry with sounds of the language, or leave the IPA out: word = {say = "wurd"}'
            raise VoiceError(what, hint=hint) from error

    def _task(self, line: Line) -> _Task:
        """Who says it, and under which name it is kept.

        All that changes the sound goes into the name: what is said, how, by whom, and this package's own part.
        """
        voice, utterance = self._who_says(line)
        recipe = [
            FORMAT,
            clip.VERSION,
            utter.VERSION,
            _values(chain_of(voice, plain=self.plain)),
            voice.fingerprint,
            self.language,
            float(self.rate_for(line.role)),
            utterance.text,
            [_span(span) for span in utterance.spans],
        ]
        return _Task(line, voice, utterance, self.store.name(json.dumps(recipe).encode()))

    def _utterance(self, line: Line, voice: Voice) -> Utterance:
        return pronounced(Utterance(line.text, line.spans), self.lexicon, self.language, ipa=reads_ipa(voice))

    def _who_says(self, line: Line) -> tuple[Voice, Utterance]:
        """The voice of the line's role, or the fallback for what it cannot say; and what it is to say."""
        try:
            voice = self.voices[line.role]
        except KeyError:
            what = f'no voice for the role "{line.role}"'
            raise VoiceError(what, place=line.place, hint=did_you_mean(line.role, self.voices)) from None
        utterance = self._utterance(line, voice)
        if self.fallback is None or has(voice, utterance):
            return voice, utterance
        return self.fallback, self._utterance(line, self.fallback)


@lru_cache
def _values(chain: Chain) -> tuple[float, ...]:
    return tuple(map(float, astuple(chain)))


def _spoken(task: _Task, found: Measured) -> Spoken:
    return Spoken(task.name, found.length, found.onset, found.words, task.voice.name)


def _how_to_record(task: _Task) -> str:
    """The command that prints the missing lines, as far as it is known here; the session's own options go with it."""
    script, name = task.line.place.file, task.voice.name.partition(":")[2]
    whose = ["--as", name] if name else []
    command = shlex.join(["metta", "takes", "sheet", script, "--missing", *whose])
    return f"{command} prints what is missing, with the same --minutes and --set; --fallback espeak says it meanwhile"


def _cores() -> int:
    """How many lines are spoken at once: as many as there are cores for this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
