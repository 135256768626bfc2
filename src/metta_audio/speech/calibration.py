"""A voice's real rate: what an engine calls a rate, against the words a minute that are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from metta_audio.errors import VoiceError
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import articulation
from metta_audio.speech.words import word_ranges
from metta_audio.units import WordsPerMinute

_TEXTS = {
    # Sentences of the kinds that practices are made of, with words as long as theirs: the English one comes within 2 %
    # of other passages at 84 to 160 words a minute.
    "de": "Lass den Atem kommen und gehen, so wie er mag. Du musst nichts ändern und nirgends hingehen. "
    "Wenn du bemerkst, dass die Gedanken wandern, kehre freundlich zum Körper zurück. Mögest du sicher sein.",
    "en": "Let the breath come and go in its own way. There is nothing to change here, and nowhere else to be. "
    "Bring a gentle attention to your right shoulder and notice whatever is there. Breathing in, the body opens; "
    "breathing out, it settles. May kindness reach everyone who suffers. If a worried part of you appears, ask what "
    "it would like you to know.",
    "es": "Deja que la respiración venga y se vaya como quiera. No hay nada que cambiar ni otro lugar adonde ir. "
    "Cuando notes que la mente se ha ido, vuelve con suavidad al cuerpo. Que estés en paz.",
    "fr": "Laissez le souffle aller et venir à sa manière. Il n'y a rien à changer, et nulle part où aller. "
    "Quand vous remarquez que l'esprit s'en va, revenez doucement au corps. Puissiez-vous être en paix.",
    "it": "Lascia che il respiro vada e venga come vuole. Non c'è nulla da cambiare e nessun altro posto dove andare. "
    "Quando noti che la mente si allontana, torna con gentilezza al corpo. Che tu possa stare in pace.",
    "nl": "Laat de adem komen en gaan zoals hij wil. Je hoeft niets te veranderen en nergens anders te zijn. "
    "Als je merkt dat de gedachten afdwalen, keer dan rustig terug naar het lichaam. Moge je veilig zijn.",
    "pt": "Deixe a respiração vir e ir como quiser. Não há nada para mudar nem outro lugar para estar. "
    "Quando notar que a mente se afastou, volte com gentileza ao corpo. Que você esteja em paz.",
}
_NUMBERS = "1 2 3 4 5 6 7 8 9 10 11 12"


def calibration_text(language: str) -> str:
    """Give what a voice of ``language`` says to be measured: a few plain sentences of a practice.

    For a language without a text of its own it counts: every engine can, and in the languages compared it comes
    within about 20 % of running speech.
    """
    return _TEXTS.get(language.partition("-")[0], _NUMBERS)


_NEAR_ENOUGH = 0.05
"""Share by which an end of the range may be missed: a difference in tempo that listeners hardly notice. It lets the
default of 110 be spoken by engines whose slowest is 112."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Settings of an engine, rising, and the rate that was measured at each."""

    settings: tuple[float, ...]
    rates: tuple[WordsPerMinute, ...]

    def setting(self, rate: WordsPerMinute) -> float:
        """Return the setting that speaks at ``rate``, or as near as it gets within 5 %.

        Raises VoiceError with the range that can be spoken.
        """
        low, high = self.rates[0], self.rates[-1]
        if not low * (1 - _NEAR_ENOUGH) <= rate <= high * (1 + _NEAR_ENOUGH):
            raise VoiceError(
                f"this voice cannot speak {rate:g} words a minute",
                hint=f"choose a rate from {np.ceil(low):.0f} to {np.floor(high):.0f}",
            )
        return float(np.interp(rate, self.rates, self.settings))


def calibrate(say: Callable[[float], Wave], text: str, settings: Sequence[float]) -> Calibration:
    """Measure articulation while ``say`` speaks ``text`` at each of ``settings``."""
    words = len(word_ranges(text))
    seconds = [articulation(say(setting)) for setting in settings]
    if not all(seconds):
        raise VoiceError("this voice makes no sound", hint="choose another voice or language")
    # A rate that did not rise would make the way back ambiguous.
    rates = np.maximum.accumulate([words * 60 / taken for taken in seconds])
    return Calibration(tuple(settings), tuple(WordsPerMinute(float(rate)) for rate in rates))
