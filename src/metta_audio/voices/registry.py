"""Finding voices: every engine that an entry point names, ours or a third party's, each made when asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import cast

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.speech.setup import AUTO, engine_points
from metta_audio.speech.voice import Engine, MakeEngine, Setup, Voice, glance, languages_of, speaks
from metta_audio.voices.guarded import BrokenEngine, Guarded, unusable, voice_name

BEST = ("kokoro", "piper", *(() if sys.platform == "linux" else ("system",)), "espeak")
"""Engines that ``auto`` looks into, the best first. Natural voices come before the system's, and these before eSpeak:
what Windows and macOS bring was recorded from people, while Linux brings eSpeak once more, so ``system`` is left out
there. ``http`` and ``command`` are never chosen unasked: where a text goes and what runs is for the user to say. Nor is
``takes``: it is one person's voice."""

_OF_FILES = frozenset({"kokoro", "piper"})
"""Engines whose voices are files. Without any they have none, which shows without loading them."""

_MOST_FITTING = 6
"""Voices that an error names: enough to choose from at a glance."""


class Engines(Mapping[str, Engine]):
    """Engines by name, each made at first use for what the user has set up."""

    def __init__(self, points: Mapping[str, EntryPoint], setup: Setup) -> None:
        self.points = points
        self.setup = setup
        self._made: dict[str, Engine] = {}

    def __getitem__(self, name: str) -> Engine:
        if name not in self._made:
            self._made[name] = _make(self.points[name], self.setup)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def lacks_files(self, name: str) -> bool:
        """Whether ``name`` is an engine whose voices are files, and none can be here."""
        if name not in _OF_FILES or name in self.setup.tables:
            return False
        try:
            return next((self.setup.voices / name).iterdir(), None) is None
        except OSError:
            return True


def _make(point: EntryPoint, setup: Setup) -> Engine:
    try:
        make = cast("MakeEngine", point.load())
        return Guarded(make(setup), point.name, point.value)
    except Exception as error:  # noqa: BLE001 - a third party's module may raise anything
        return BrokenEngine(point.name, f"{point.value} does not load ({type(error).__name__}: {error})")


def find_engines(setup: Setup) -> Engines:
    """Every engine installed, by name, in alphabetical order."""
    return Engines(engine_points(), setup)


def best_voice(engines: Mapping[str, Engine], language: str) -> str:
    """Name of the best voice here that speaks ``language`` (BCP 47): the first that an engine of ``BEST`` lists.

    One of the very region comes before one of another. Raises VoiceError where there is none, with what keeps the last
    engine from running: that comes with this package, and can be mended.
    """
    wanted = language.lower()
    lacking = ""
    for name in BEST:
        if isinstance(engines, Engines) and engines.lacks_files(name):
            continue
        engine = engines.get(name)
        if engine is not None and (seen := glance(engine, "", wanted)):
            return seen
        if engine is None:
            continue
        lacking = engine.problem()
        if lacking:
            continue
        fitting = [info for info in engine.voices() if info.fits(wanted)]
        if fitting:
            return next((info.name for info in fitting if wanted in info.languages), fitting[0].name)
    raise VoiceError(f'no voice here speaks "{language}"', hint=lacking or "metta voices lists what can be had")


def open_voice(engines: Mapping[str, Engine], name: str, language: str) -> Voice:
    """Open the voice ``name``, ``engine`` or ``engine:variant``, for ``language`` (BCP 47).

    Raises VoiceError for an unknown voice, for one that cannot run here, with the reason, and for one of another
    language, with those that fit.
    """
    engine, variant = _engine_of(engines, name)
    _must_speak(engines, engine, variant, name, language)
    voice = engine.open(variant, language.lower())
    if not speaks(languages_of(voice), language):
        raise _foreign(engines, name, language)
    return voice


def cast_roles(
    engines: Mapping[str, Engine], lead: str, language: str, roles: Sequence[str], overrides: Mapping[str, str]
) -> dict[str, str]:
    """Choose a voice for each of ``roles``, in their order: the first gets ``lead``, the others contrast with it.

    ``lead`` may be ``AUTO``. ``overrides`` names a voice for a role outright. Raises VoiceError for an override of no
    role.
    """
    for role in overrides:
        if role not in roles:
            raise VoiceError(f'no role "{role}" speaks here', hint=did_you_mean(role, roles))
    named = {role: best_voice(engines, language) if name == AUTO else name for role, name in overrides.items()}
    free = [role for role in roles if role not in named]
    if not free:
        return named
    engine, variant = _engine_of(engines, best_voice(engines, language) if lead.strip() == AUTO else lead)
    _must_speak(engines, engine, variant, lead, language)
    chosen = dict(zip(free, engine.cast(variant, language.lower(), len(free)), strict=True))
    return {role: named.get(role) or voice_name(engine.name, chosen[role]) for role in roles}


def _must_speak(engines: Mapping[str, Engine], engine: Engine, variant: str, asked: str, language: str) -> None:
    """Raise VoiceError where the engine cannot run, or says of the voice, or of all, that they speak other languages.

    ``asked`` is how the user named the voice.
    """
    if glance(engine, variant, language.lower()):
        return
    problem = engine.problem()
    if problem:
        with _unable(asked):
            engine.open(variant, language.lower())
        raise unusable(asked, problem)
    name = voice_name(engine.name, variant)
    infos = [info for info in engine.voices() if not variant or info.name == name]
    if infos and not any(info.speaks(language) for info in infos):
        raise _foreign(engines, name, language)


@contextmanager
def _unable(asked: str) -> Iterator[None]:
    """Pass on an error that knows where the fault is written, such as in the settings; a problem is only a text."""
    try:
        yield
    except VoiceError as error:
        if error.place:
            raise VoiceError(unusable(asked, error.what).what, place=error.place, hint=error.hint) from error


def _foreign(engines: Mapping[str, Engine], name: str, language: str) -> VoiceError:
    return VoiceError(f'the voice "{name}" does not speak "{language}"', hint=_fitting(engines, language))


def _fitting(engines: Mapping[str, Engine], language: str) -> str:
    """Name voices that speak ``language``, the better engines first; of each, those of the very region first."""
    order = [*BEST, *(name for name in engines if name not in BEST)]
    fitting: list[str] = []
    for name in order:
        infos = [info for info in engines[name].voices() if info.fits(language)] if name in engines else []
        fitting += [info.name for info in sorted(infos, key=lambda info: language.lower() not in info.languages)]
    return f"these do: {', '.join(fitting[:_MOST_FITTING])}" if fitting else "metta voices lists what can be had"


def _engine_of(engines: Mapping[str, Engine], name: str) -> tuple[Engine, str]:
    wanted, _, variant = name.strip().partition(":")
    if wanted not in engines:
        raise VoiceError(f'unknown voice "{name}"', hint=did_you_mean(wanted, [AUTO, *engines]))
    return engines[wanted], variant
