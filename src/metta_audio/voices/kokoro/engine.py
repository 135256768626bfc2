"""Kokoro as an engine of voices."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.speech.voice import Setup, VoiceInfo, speaks
from metta_audio.voices.catalogue import Fetchable, damaged, fetchable, folder, lack
from metta_audio.voices.kokoro.styles import style_languages, style_names, tongue_of
from metta_audio.voices.kokoro.voice import INSTALL, USUAL_MODEL, KokoroVoice
from metta_audio.voices.neural import Graph, onnx_file, own_paths, present, version

_OLDEST = (0, 6)
"""Of kokoro-onnx: earlier ones cut a speed of 0.8 down to 0 for some models, or miss what is used here."""

_STYLES = "voices-v1.0.bin"
"""Preferred, with the usual model, where a folder has several; any other *.onnx and voices*.bin will do."""

_NO_PHONEMES = "Japanese and Chinese need a phonemiser that kokoro-onnx does not bring"


class KokoroEngine:
    """Kokoro's voices: ``kokoro``, ``kokoro:af_heart``."""

    name = "kokoro"

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._graphs: dict[Path, Graph] = {}

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        installed = version("kokoro-onnx")
        if not installed:
            return f"the package kokoro-onnx is not installed: {INSTALL}"
        if _numbers(installed) < _OLDEST:
            return f"kokoro-onnx {installed} is too old: {INSTALL.replace('install', 'install --upgrade')}"
        try:
            own_paths(self._setup, self.name, ("model", "voices"))
        except VoiceError as error:
            return str(error)
        return ""

    def voices(self) -> Sequence[VoiceInfo]:
        """The styles of the voices file that is here, the best first, then those that can be fetched."""
        problem = self.problem()
        known = {voice.variant: voice for voice in self._known()}
        wrong = damaged(known.values(), self._setup)
        styles: Sequence[str] = ()
        size = 0
        try:
            model, file = self._files()
            styles = sorted(style_names(file), key=lambda style: [*known, style].index(style))
            size = model.stat().st_size + file.stat().st_size
        except _NotHereError:
            pass
        except (VoiceError, OSError) as error:
            problem = problem or str(error)
        infos = [_info(style, known.get(style), problem, size) for style in styles]
        absent = [voice for style, voice in known.items() if style not in styles]
        return [*infos, *(_absent(voice, problem or lack(voice, self._setup, wrong)) for voice in absent)]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role another voice of the language: a woman's after a man's and a man's after a woman's."""
        lead = variant or self._best(language)
        same = [style for style in self._fitting(language) if style != lead]
        alike = [style for style in same if style[1:2] == lead[1:2]]
        unlike = [style for style in same if style not in alike]
        pairs = itertools.zip_longest(unlike, alike)
        others = [style for pair in pairs for style in pair if style]
        return list(itertools.islice(itertools.cycle([lead, *others][:roles]), roles))

    def open(self, variant: str, language: str) -> KokoroVoice:
        """Open the voice ``variant``, or the best one here that speaks ``language``; nothing is loaded yet.

        A voice that is named speaks its own ``languages``. Raises VoiceError for missing or broken files, for a voice
        that is unknown, and where none speaks ``language``.
        """
        model, file = self._ready(variant, language)
        styles = style_names(file)
        style = variant or self._best(language)
        if style not in styles:
            near = did_you_mean(style, styles, "")
            raise VoiceError(f'Kokoro has no voice "{style}"', hint=f"{near} metta voices lists all".lstrip())
        tongue = tongue_of(style, language)
        if tongue is None:
            raise _foreign(style, language)
        if not tongue.espeak:
            raise VoiceError(f'the voice "kokoro:{style}" cannot be used: {_NO_PHONEMES}', hint="choose another voice")
        # One graph for all voices: it is most of what is loaded.
        graph = self._graphs.setdefault(model, Graph(model, self._advice(), draws=True))
        return KokoroVoice(style, tongue, graph, (model, file), self._advice())

    def _files(self) -> tuple[Path, Path]:
        """Model and voices file: as the settings say, else what lies in the folder.

        Raises _NotHereError where nothing of theirs is there, or not as it was fetched, VoiceError for what is broken.
        """
        own = own_paths(self._setup, self.name, ("model", "voices"))
        place = folder(self.name, self._setup)
        model = own.get("model") or _found(place, "*.onnx", USUAL_MODEL)
        file = own.get("voices") or _found(place, "voices*.bin", _STYLES)
        if model is None or file is None:
            missing = "model is" if model is None else "voices file is"
            raise _NotHereError(f"Kokoro's {missing} not here", hint="fetch it")
        wrong = damaged(self._known(), self._setup)
        for path in (model, file):
            if path in wrong:
                raise _NotHereError(f"{path} is damaged", hint="fetch it again")
        return onnx_file(model, self._advice()), present(file, self._advice())

    def _ready(self, variant: str, language: str) -> tuple[Path, Path]:
        """The files; where they are to be fetched, VoiceError names a voice to fetch that speaks ``language``."""
        try:
            return self._files()
        except _NotHereError as error:
            known = self._known()
            named = [voice for voice in known if voice.variant == variant] or known
            fitting = [voice.name for voice in named if speaks(voice.languages, language)]
            if known and not fitting:
                raise _foreign(variant, language) from error
            do = f"{error.hint}: metta voices get {fitting[0]}" if fitting else "give its path in the settings [kokoro]"
            raise VoiceError(error.what, hint=do) from error

    def _fitting(self, language: str) -> list[str]:
        """Styles here that speak ``language``, those of the very region first."""
        fitting = [info for info in self.voices() if info.fits(language)]
        ordered = sorted(fitting, key=lambda info: language not in info.languages)
        return [info.name.partition(":")[2] for info in ordered]

    def _best(self, language: str) -> str:
        self._ready("", language)
        for style in self._fitting(language):
            return style
        raise _foreign("", language)

    def _known(self) -> Sequence[Fetchable]:
        return fetchable(self.name, self._setup)

    def _advice(self) -> str:
        known = self._known()
        if self._setup.tables.get(self.name) or not known:
            return "see the paths in the settings [kokoro], and copy the file again from where it came"
        return f"fetch it again: metta voices remove {known[0].name}, then metta voices get {known[0].name}"


class _NotHereError(VoiceError):
    """The files were not fetched yet, or are no longer as they were; ``hint`` is the beginning of what to do."""


def _foreign(style: str, language: str) -> VoiceError:
    who = f'the voice "kokoro:{style}" does not speak' if style else "no Kokoro voice here speaks"
    return VoiceError(f'{who} "{language}"', hint="metta voices lists what can be had")


def _found(place: Path, pattern: str, preferred: str) -> Path | None:
    try:
        files = sorted(place.glob(pattern), key=lambda path: (path.name != preferred, path.name))
    except OSError:
        return None
    return files[0] if files else None


def _info(style: str, known: Fetchable | None, problem: str, size: int) -> VoiceInfo:
    languages = style_languages(style)
    tongue = tongue_of(style, "")
    if tongue and not tongue.espeak:
        problem = problem or _NO_PHONEMES
    licence = known.licence if known else ""
    summary = known.summary if known else "a voice of your own voices file"
    return VoiceInfo(f"kokoro:{style}", languages, "natural", licence, size, problem=problem, summary=summary)


def _absent(voice: Fetchable, problem: str) -> VoiceInfo:
    return VoiceInfo(voice.name, voice.languages, "natural", voice.licence, voice.bytes, False, problem, voice.summary)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
