"""A person's own recordings as a voice: ``takes:NAME`` says each line as it was read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metta_audio.errors import SettingsError, SoundError, VoiceError, did_you_mean
from metta_audio.sound.chain import Chain
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.voice import MissingTake, Setup, Speech, Utterance, VoiceInfo, Word
from metta_audio.speech.words import word_ranges, words_at
from metta_audio.takes.command import takes_command
from metta_audio.takes.index import Index, Take
from metta_audio.takes.lines import key
from metta_audio.takes.store import TakeSet, set_names
from metta_audio.units import Decibels, Hertz, WordsPerMinute

_VERSION = 1
"""Counts changes of this module that change what is heard or when."""

_CHAIN = Chain(high_pass=Hertz(70), de_ess=Decibels(2.0))
"""Takes away what hands, tables and traffic do below any voice, and softens an s that a near microphone makes sharp.
Nothing is made warmer: a near microphone does that by itself."""

_NOTHING_YET = "nobody has recorded a line yet; for the lines to read: metta takes sheet body-scan -o sheet.html"


class TakesVoice:
    """One person's takes."""

    chain = _CHAIN
    human = True
    whole_lines = True
    """A take is of a whole line: long ones are never parted."""

    def __init__(self, takes: TakeSet, index: Index) -> None:
        self.name = f"takes:{takes.name}"
        self.fingerprint = f"takes {_VERSION} {index.fingerprint}"
        self._takes, self._index = takes, index
        self._doubtful: dict[str, Take] = {}

    @property
    def note(self) -> str:
        """How many doubtful takes it was asked for, and how to hear whether they are right; empty for none."""
        count = len(self._doubtful)
        if not count:
            return ""
        takes = "1 doubtful take was" if count == 1 else f"{count} doubtful takes were"
        return f"{takes} spoken, which may be of other lines: listen to them ({self._check()} lists them)"

    def _check(self) -> str:
        """The command that lists them, as the first of them was asked for."""
        script, options = min((take.script, take.options) for take in self._doubtful.values())
        return takes_command("check", script, options=options, name=self._takes.name)

    def has(self, utterance: Utterance) -> bool:
        """Whether the line was recorded. Doubtful takes of lines that are asked for are counted, for the ``note``."""
        take = self._index.current(key(utterance.text))
        if take is not None and take.doubtful:
            self._doubtful[take.digest] = take
        return take is not None

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Give the line as it was recorded, at the pace at which it was spoken, whatever ``rate`` says.

        Word times are shared out by letters over the time in which somebody speaks. Raises MissingTake for a line that
        is not there, VoiceError for one whose file was lost or changed.
        """
        del rate
        take = self._index.current(key(utterance.text))
        if take is None:
            name = self._takes.name
            hint = f"record it as a take of {name}, or name another voice for such lines, as with --fallback espeak"
            raise MissingTake("this line has not been recorded", hint=hint)
        try:
            wave = self._takes.read(take)
        except SoundError as error:
            raise VoiceError(error.what, hint=error.hint) from error
        return Speech(wave, _words(utterance.text, wave))


class TakesEngine:
    """Every set of takes that the user has: ``takes``, where there is but one, and ``takes:NAME``."""

    name = "takes"

    def __init__(self, setup: Setup) -> None:
        self._root: Path = setup.takes

    def problem(self) -> str:
        """Say that there is none yet; empty when there is one."""
        return "" if set_names(self._root) else _NOTHING_YET

    def voices(self) -> Sequence[VoiceInfo]:
        """Each set, in the languages it was read in."""
        return [self._info(name) for name in set_names(self._root)]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """One person speaks all roles."""
        del language
        return [self._resolve(variant)] * roles

    def open(self, variant: str, language: str) -> TakesVoice:
        """Open the set ``variant``, in any language: whoever reads another one aloud knows it."""
        del language
        takes = TakeSet(self._root, self._resolve(variant))
        try:
            return TakesVoice(takes, takes.index())
        except SoundError as error:
            raise VoiceError(error.what, hint=error.hint) from error

    def _resolve(self, variant: str) -> str:
        names = set_names(self._root)
        if not variant and len(names) == 1:
            return names[0]
        if not variant:
            raise VoiceError("which takes?", hint=did_you_mean("", [f"takes:{name}" for name in names]) or _NOTHING_YET)
        try:
            return TakeSet.existing(self._root, variant).name
        except SettingsError as error:
            raise VoiceError(error.what, hint=did_you_mean(variant, names) or error.hint) from error

    def _info(self, name: str) -> VoiceInfo:
        takes = TakeSet(self._root, name)
        try:
            index = takes.index()
        except SoundError as error:
            return VoiceInfo(f"takes:{name}", (), "human", problem=str(error))
        count = len(index.takes)
        summary = f"{count} recorded line{'' if count == 1 else 's'}"
        return VoiceInfo(
            f"takes:{name}", index.languages, "human", licence="the speaker's own", bytes=takes.size(), summary=summary
        )


def _words(text: str, wave: Wave) -> tuple[Word, ...]:
    """Onsets of the words, by letters over the stretches of speech: a pause belongs to no word."""
    found = stretches(wave)
    whole = sum(end - start for start, end in found)
    known: dict[int, int] = {}
    for number, (start, _) in enumerate(word_ranges(text)):
        left = start * whole // max(1, len(text))
        for begin, end in found:
            if left < end - begin:
                known[number] = begin + left
                break
            left -= end - begin
    return words_at(text, known, found[-1][1] if found else wave.frames)
