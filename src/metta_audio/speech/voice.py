"""The Voice port: what an engine must offer, and nothing of how it does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from metta_audio.errors import MissingTake, VoiceError
from metta_audio.script.model import Span
from metta_audio.sound.chain import MILD, PLAIN, Chain
from metta_audio.sound.wave import Wave
from metta_audio.speech.setup import Setup
from metta_audio.timeline.model import Word
from metta_audio.units import WordsPerMinute

__all__ = [
    "QUALITIES",
    "Engine",
    "MakeEngine",
    "MissingTake",
    "Quality",
    "Setup",
    "Speech",
    "Utterance",
    "Voice",
    "VoiceInfo",
    "Word",
    "chain_of",
    "glance",
    "has",
    "is_concurrent",
    "is_human",
    "keeps_lines_whole",
    "languages_of",
    "note_of",
    "reads_ipa",
    "speaks",
    "unspeakable",
    "usable",
]

Quality = Literal["human", "natural", "system", "formant", "own", "test"]
"""``human``: a recorded person. ``natural``: a neural network. ``system``: whatever the operating system has.
``formant``: built from resonances, clear and plainly a machine. ``own``: behind an address or a command that the user
named, so nobody here can say. ``test``: no speech at all."""

QUALITIES: tuple[Quality, ...] = ("human", "natural", "system", "own", "formant", "test")
"""In the order of listings."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence to speak: plain ``text`` and the markup over it."""

    text: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Speech:
    """What an engine gave back, untrimmed: a mono wave at its own rate, with word onsets at that rate.

    ``words`` is empty where an engine does not know them.
    """

    wave: Wave
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """What a listing says of a voice that is here, or that could be fetched.

    ``languages`` are BCP 47 in lower case, empty where it depends. ``licence`` is of the voice, ``bytes`` what it takes
    on the disk, or would. ``problem`` says why it cannot speak here, and what to do about it; empty when it can.
    """

    name: str
    languages: tuple[str, ...]
    quality: Quality
    licence: str = ""
    bytes: int = 0
    installed: bool = True
    problem: str = ""
    summary: str = ""

    def speaks(self, language: str) -> bool:
        """Whether ``language`` (BCP 47) is one of its languages, whatever the region; true where that depends."""
        return speaks(self.languages, language)

    def fits(self, language: str) -> bool:
        """Whether it can speak now, and says itself that ``language`` (BCP 47) is one of its languages."""
        return self.installed and not self.problem and bool(self.languages) and self.speaks(language)


class Voice(Protocol):
    """Someone who can speak, opened from an engine and ready.

    A voice may also have more attributes. ``chain``, a ``metta_audio.sound.chain.Chain``: what is done to its sound to
    make it pleasant; one without gets a mild default, and ``PLAIN`` leaves it as it is. ``ipa``: whether it reads spans
    of kind "ipa" (False). ``languages``: what it speaks, BCP 47 in lower case (any). ``concurrent``: whether several
    threads may call ``speak`` at once, and gain by it (False). ``note``: what its listener should know once it has
    spoken, such as that it keeps its own rate (nothing). ``whole_lines``: whether it says lines of any length at once
    (False). ``human``: whether a person recorded it (False). ``has``: a method that says whether an utterance is one
    that it can say, for voices that know only some.
    """

    @property
    def name(self) -> str:
        """As the user writes it, ``engine`` or ``engine:variant``."""

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound: engine, version, variant, language, settings."""

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak at ``rate`` words a minute of articulation, pauses at sentence ends excluded.

        The same arguments give the same samples, whatever was spoken before.
        Raises VoiceError when it cannot.
        """


def chain_of(voice: Voice, *, plain: bool = False) -> Chain:
    """The chain of a voice: its own, or a mild one where it says nothing; with ``plain``, nothing is done.

    Raises VoiceError for a voice whose chain is none.
    """
    chain = PLAIN if plain else getattr(voice, "chain", MILD)
    if not isinstance(chain, Chain):
        what = f"the chain of {voice.name} is a {type(chain).__name__}"
        raise VoiceError(what, hint="make it a metta_audio.sound.chain.Chain, or leave it out")
    return chain


def speaks(languages: Sequence[str], language: str) -> bool:
    """Whether ``language`` (BCP 47) is one of ``languages``, whatever the region; true where there are none."""
    wanted = language.lower().partition("-")[0]
    return not languages or any(each.partition("-")[0] == wanted for each in languages)


def unspeakable(name: str) -> VoiceError:
    """The error for a line of which the voice ``name`` makes no sound. The line may be a listener's: it is not told."""
    hint = "write it in the voice's own language and letters, or choose another voice"
    return VoiceError(f"{name} has no sounds for this sentence", hint=hint)


def usable(name: str, wave: Wave) -> Wave:
    """Return ``wave``. Raises VoiceError where nobody could play it: empty, or with samples that are no numbers.

    Such a sample spreads: levelled and limited, all of a line becomes noise at full scale.
    """
    if wave.frames and wave.rate > 0 and np.isfinite(wave.samples).all():
        return wave
    hint = "choose another voice; if this one worked before, fetch or install it again"
    raise VoiceError(f"{name} gives no usable sound", hint=hint)


def languages_of(voice: Voice) -> tuple[str, ...]:
    """What ``voice`` speaks, as far as it tells."""
    return tuple(getattr(voice, "languages", ()))


def keeps_lines_whole(voice: Voice) -> bool:
    """Whether ``voice`` says lines of any length at once."""
    return bool(getattr(voice, "whole_lines", False))


def has(voice: Voice, utterance: Utterance) -> bool:
    """Whether ``utterance`` is one that ``voice`` can say, as far as it tells."""
    asked: Callable[[Utterance], bool] | None = getattr(voice, "has", None)
    return asked is None or asked(utterance)


def note_of(voice: Voice) -> str:
    """What the listener should know of ``voice``, once it has spoken; empty for nothing."""
    return str(getattr(voice, "note", ""))


def is_human(voice: Voice) -> bool:
    """Whether a person recorded what ``voice`` says."""
    return bool(getattr(voice, "human", False))


def reads_ipa(voice: Voice) -> bool:
    """Whether ``voice`` reads spans of kind "ipa"."""
    return bool(getattr(voice, "ipa", False))


def is_concurrent(voice: Voice) -> bool:
    """Whether several threads may have ``voice`` speak at once, and gain by it."""
    return bool(getattr(voice, "concurrent", False))


class Engine(Protocol):
    """A family of voices; one module in ``metta_audio.voices`` or a third party's, found by entry point.

    An engine may also have ``glance(variant, language)``, which must be quick: the name of the voice where it is plain
    that it is here and speaks ``language`` (of the very region for an empty ``variant``), so that neither ``problem``
    nor ``voices`` need be asked; else an empty one.
    """

    @property
    def name(self) -> str:
        """The part of a voice's name before the colon."""

    def problem(self) -> str:
        """Why it cannot run here and what to do about it; empty when it can."""

    def voices(self) -> Sequence[VoiceInfo]:
        """Its voices, here or to be fetched, the better ones first; never raises, asks no network."""

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """``roles`` variants that are easy to tell apart, the first being ``variant`` itself (or the default)."""

    def open(self, variant: str, language: str) -> Voice:
        """Open a voice. ``variant`` empty means the engine's default for ``language`` (BCP 47, lower case)."""


def glance(engine: Engine, variant: str, language: str) -> str:
    """Name of the voice where ``engine`` plainly has it here and it speaks ``language``; else an empty one."""
    look: Callable[[str, str], str] | None = getattr(engine, "glance", None)
    return look(variant, language) if look else ""


class MakeEngine(Protocol):
    """What an entry point names: an engine's class, or any function that makes one. It must be quick, and not raise."""

    def __call__(self, setup: Setup, /) -> Engine:
        """Make the engine for what the user has set up."""
