"""What a voice says to be measured. A voice's fingerprint holds it, so that it is here by itself: quick to load."""

from __future__ import annotations

_TEXTS = {
    # Sentences of the kinds that practices are made of, with words as long as theirs: all lines of the English
    # practices together are spoken within 3 % of the rate this text gives. A passage of shorter words goes by faster.
    "de": "Lass den Atem kommen und gehen, so wie er mag. Du musst nichts ändern und nirgends hingehen. "
    "Wenn du bemerkst, dass die Gedanken wandern, kehre freundlich zum Körper zurück. Mögest du sicher sein.",
    "en": "Let the breath come and go in its own way. There is nothing to change here, and nowhere else to be. "
    "Bring a gentle attention to your right shoulder and notice whatever is there. Breathing in, the body opens; "
    "breathing out, it settles. May kindness reach everyone who suffers. If a worried part of you appears, ask what "
    "it would like you to know. May I be safe. Let it be as it is, and rest here for a while.",
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
