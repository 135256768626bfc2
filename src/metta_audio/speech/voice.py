"""The Voice port: what an engine must offer, and nothing of how it does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.sound.chain import MILD, PLAIN, Chain
from metta_audio.sound.wave import Wave
from metta_audio.timeline.model import Word
from metta_audio.units import WordsPerMinute

__all__ = ["Engine", "Speech", "Utterance", "Voice", "Word", "chain_of"]


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


class Voice(Protocol):
    """Someone who can speak, opened from an engine and ready.

    A voice may also have an attribute ``chain``, a ``metta_audio.sound.chain.Chain``: what is done to its sound to
    make it pleasant. One without gets a mild default; ``PLAIN`` leaves it as it is.
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


class Engine(Protocol):
    """A family of voices; one module in ``metta_audio.voices`` or a third party's, found by entry point."""

    @property
    def name(self) -> str:
        """The part of a voice's name before the colon."""

    def problem(self) -> str:
        """Why it cannot run here and what to do about it; empty when it can."""

    def variants(self) -> Sequence[str]:
        """Names of its variants, for listings and did-you-mean; may be long."""

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """``roles`` variants that are easy to tell apart, the first being ``variant`` itself (or the default)."""

    def open(self, variant: str, language: str) -> Voice:
        """Open a voice. ``variant`` empty means the engine's default for ``language`` (BCP 47, lower case)."""
