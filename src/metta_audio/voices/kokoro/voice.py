"""One of Kokoro's voices."""

from __future__ import annotations

import functools
import logging
import threading
import zipfile
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from metta_audio.errors import VoiceError
from metta_audio.units import WordsPerMinute
from metta_audio.voices.kokoro.styles import Tongue
from metta_audio.voices.neural import Graph, Heard, NeuralVoice, digest, mono, version

_VERSION = 1
"""Counts changes of this module that change what is heard."""

INSTALL = 'pip install "metta-audio[kokoro]"'
"""How the package is had."""

USUAL_MODEL = "kokoro-v1.0.onnx"
"""The file that most have: its speed is a fraction."""

_SETTINGS = (0.5, 1.3)
"""Speeds at which a voice is measured: the slowest that kokoro-onnx takes, about 85 words a minute, and one that makes
about 200. Durations are divided by the speed, so that two points make the line; each costs seconds."""

_WHOLE_SPEED = (1.0,)
"""For a graph whose speed is a whole number: twice as fast is of no use here, and nothing is slower than 1."""

_SENTENCE_PAUSE, _CLAUSE_PAUSE = 0.25, 0.1
"""Seconds where a line of more than 510 sounds, the most the model takes, is joined from two: a short breath. Pauses
between lines are none of an engine's affair."""

_phonemising = threading.Lock()
"""eSpeak NG is global state: one text at a time, 0.2 ms each."""


class KokoroVoice(NeuralVoice):
    """One of the styles that a voices file holds, in one language."""

    def __init__(self, style: str, tongue: Tongue, graph: Graph, files: tuple[Path, Path], advice: str) -> None:
        super().__init__(f"kokoro:{style}", tongue.language, ipa=True)
        self._style = style
        self._espeak = tongue.espeak
        self._graph = graph
        self._files = files
        self._advice = advice
        self._loading = threading.Lock()
        self._kokoro: Any = None
        self._vector: Any = None

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound."""
        files = " ".join(digest(path, self._advice) for path in self._files)
        packages = ("kokoro-onnx", "onnxruntime", "phonemizer", "espeakng-loader")
        versions = " ".join(version(package) for package in packages)
        return f"kokoro {versions} {_VERSION} {files} {self._style} {self._espeak} {_SETTINGS} {self._measure()}"

    def _settings(self) -> Sequence[float]:
        return _WHOLE_SPEED if self._whole_speed() else _SETTINGS

    def _known(self) -> Collection[str]:
        return self._loaded().tokenizer.vocab  # type: ignore[no-any-return]

    def _phonemes(self, text: str) -> list[str]:
        if not text.strip():
            return []
        with _phonemising:
            try:
                (phonemes,) = _phonemiser(self._espeak).phonemize([text.strip()], strip=True)
            except (RuntimeError, ValueError, UnicodeError):
                # The error may repeat the text, so it is left out.
                what = f"phonemizer finds no phonemes for {self.name}"
                raise VoiceError(what, hint="write it in the voice's own language and letters") from None
        return list(phonemes)

    def _sound(self, phonemes: Sequence[str], speed: float) -> Heard:
        kokoro = self._loaded()
        try:
            samples, rate, timings = kokoro.create_timed(
                "".join(phonemes),
                self._vector,
                speed,
                is_phonemes=True,
                sentence_pause=_SENTENCE_PAUSE,
                clause_pause=_CLAUSE_PAUSE,
            )
        except (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError):
            # The error may repeat what is said, so it is left out.
            raise VoiceError(f"{self._files[0]} does not fit {self._files[1]}", hint=self._advice) from None
        return Heard(mono(samples, rate), _starts(phonemes, timings, rate))

    def _whole_speed(self) -> bool:
        return any(each.name == "speed" and "int" in each.type for each in self._graph.get_inputs())

    def _loaded(self) -> Any:
        with self._loading:
            if self._kokoro is None:
                names = {each.name for each in self._graph.get_inputs()}
                self._graph.check(("input_ids" if "input_ids" in names else "tokens", "style", "speed"))
                self._kokoro, self._vector = _opened(self._graph, self._files[1], self._style, self._advice)
            return self._kokoro

    def _speed(self, rate: WordsPerMinute) -> float:
        """The speed for ``rate``; a graph that cannot be slowed down says so, and never speaks at another."""
        try:
            return super()._speed(rate)
        except VoiceError as error:
            if self._calibration is None or not self._whole_speed():
                raise
            what = f"{self._files[0]} takes whole numbers as its speed, so that it cannot speak {rate:g} words a minute"
            hint = f"ask for {self._calibration.rates[0]:.0f}, or use {USUAL_MODEL}"
            raise VoiceError(what, hint=hint) from error


def _opened(graph: Graph, styles: Path, style: str, advice: str) -> tuple[Any, Any]:
    """The package's own object, and the vectors of ``style``."""
    import kokoro_onnx  # an extra, and slow to load

    # It writes to standard error: with LOG_LEVEL set, all that is spoken.
    logging.getLogger("kokoro_onnx").disabled = True
    try:
        kokoro = kokoro_onnx.Kokoro.from_session(graph, str(styles))
        with kokoro.voices:
            return kokoro, kokoro.get_voice_style(style)
    except (OSError, ValueError, KeyError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise VoiceError(f"{styles} is no voices file of Kokoro", hint=advice) from error
    except RuntimeError as error:
        raise VoiceError(f"kokoro-onnx does not start ({error})", hint=f"install it again: {INSTALL}") from error


@functools.cache
def _phonemiser(language: str) -> Any:
    """Give phonemizer's eSpeak NG for a language: it works on a copy of the library, so that ours keeps its state."""
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    quiet = logging.getLogger(f"{__name__}.phonemizer")
    quiet.disabled = True  # it would report the lines that hold foreign words
    # Without flags: the model would read out the names of the languages that words were taken from.
    return EspeakBackend(
        language, preserve_punctuation=True, with_stress=True, language_switch="remove-flags", logger=quiet
    )


def _starts(phonemes: Sequence[str], timings: Sequence[Any], rate: int) -> tuple[int, ...]:
    """Sample at which each phoneme begins; nothing where the model does not tell, or tells of others.

    Where a line was parted, the space between the parts is left out of ``timings``.
    """
    starts: list[int] = []
    rest = list(reversed(timings))
    for phoneme in phonemes:
        if not rest:
            return ()
        starts.append(round(rest[-1].start * rate))
        if rest[-1].phoneme == phoneme:
            rest.pop()
        elif phoneme != " ":
            return ()
    return tuple(starts)
