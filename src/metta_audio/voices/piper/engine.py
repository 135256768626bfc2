"""Piper as an engine of voices."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.speech.voice import Setup, VoiceInfo
from metta_audio.voices.catalogue import damaged, fetchable, folder, is_here, lack
from metta_audio.voices.neural import (
    Graph,
    Heard,
    NeuralVoice,
    digest,
    home,
    mono,
    onnx_file,
    own_paths,
    present,
    version,
)
from metta_audio.voices.piper.durations import with_durations
from metta_audio.voices.piper.listing import fetched_info, graph_file, own_info
from metta_audio.voices.piper.model import Model, not_a_configuration, read_model

_VERSION = 1
"""Counts changes of this package that change what is heard."""

_INSTALL = 'pip install "metta-audio[piper]"'

_SETTINGS = (0.4, 0.75, 1.3)
"""Speeds, the inverse of Piper's length scale, at which a voice is measured. Voices read 150 to 210 words a minute at
1: 0.4 makes that 60 to 84, 1.3 makes it 195 or more. Each phoneme is rounded up to a whole frame, so that the rate is
not quite in proportion: hence one in the middle."""

_NOISE = 0.0
"""Both of Piper's noises: of the sound and of the lengths. They are drawn inside the graph from a state that nobody can
set for one line, so that a sentence would come out otherwise each time, and change when a neighbour is edited. Without
them the voice is what the model takes for likeliest: a little more even, which suits a guide."""

_SENTENCE_MARKS = ("_", "^", "$")
"""Piper's padding, beginning and end of a sentence: never what a text may say."""

_NAMED = 3
"""Broken models that an error names: a person has few models of their own, and rarely more than one is broken."""

_phonemising = threading.Lock()
"""eSpeak NG inside piper-tts is global state: one text at a time, 0.3 ms each."""


class PiperVoice(NeuralVoice):
    """One speaker of one model."""

    def __init__(self, name: str, model: Model, speaker: int, graph: Graph, advice: str) -> None:
        super().__init__(name, model.language, ipa=model.kind == "espeak")
        self._model = model
        self._speaker = speaker
        self._advice = advice
        self._graph = graph
        self._symbols = frozenset(model.settings["phoneme_id_map"]) - {*_SENTENCE_MARKS}
        self._loading = threading.Lock()
        self._piper: Any = None

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound."""
        files = " ".join(digest(path, self._advice) for path in (self._model.graph, self._model.config))
        versions = f"{version('piper-tts')} {version('onnxruntime')}"
        return f"piper {versions} {_VERSION} {files} {self._speaker} {_SETTINGS} {self._measure()}"

    def _settings(self) -> Sequence[float]:
        return _SETTINGS

    def _known(self) -> Collection[str]:
        return self._symbols

    def _phonemes(self, text: str) -> list[str]:
        loaded = self._loaded()
        try:
            with _phonemising:
                sentences = loaded.phonemize(text)
        except RuntimeError as error:
            what = f"{self._model.config} names an eSpeak NG voice that piper-tts does not have"
            raise VoiceError(what, hint=self._advice) from error
        row: list[str] = []
        for sentence in sentences:
            row += [" ", *sentence] if row else sentence
        return row

    def _sound(self, phonemes: Sequence[str], speed: float) -> Heard:
        ids, firsts = self._ids(phonemes)
        feeds = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([_NOISE, 1 / speed, _NOISE], np.float32),
        }
        if any(each.name == "sid" for each in self._graph.get_inputs()):
            feeds["sid"] = np.array([self._speaker], np.int64)
        sound, *lengths = self._graph.run(None, feeds)
        heard = mono(sound, self._model.settings["audio"]["sample_rate"])
        return Heard(heard, _starts(lengths, len(ids), firsts, heard.frames))

    def _ids(self, phonemes: Sequence[str]) -> tuple[list[int], list[int]]:
        """Numbers of the phonemes as Piper wants them, each followed by padding, and where each phoneme's begin."""
        table = self._model.settings["phoneme_id_map"]
        padding, beginning, end = (table[mark] for mark in _SENTENCE_MARKS)
        ids = [*beginning, *padding]
        firsts = []
        for phoneme in phonemes:
            firsts.append(len(ids))
            ids += [*table[phoneme], *padding]
        return [*ids, *end], firsts

    def _loaded(self) -> Any:
        """The package's own voice: it makes the phonemes."""
        with self._loading:
            if self._piper is None:
                self._graph.check(("input", "input_lengths", "scales"), ("sid",))
                import piper  # an extra, and slow to load

                try:
                    config = piper.PiperConfig.from_dict(dict(self._model.settings))
                    self._piper = piper.PiperVoice(session=self._graph, config=config)
                except Exception as error:  # it takes values as they come, so that any error may follow
                    raise not_a_configuration(self._model.config, self._advice) from error
            return self._piper


def _starts(lengths: Sequence[Any], ids: int, firsts: Sequence[int], frames: int) -> tuple[int, ...]:
    """Sample at which each phoneme begins; nothing where the lengths are none of this sound."""
    if len(lengths) != 1 or np.size(lengths[0]) != ids:
        return ()
    ends = np.cumsum(np.asarray(lengths[0], dtype=np.float64).reshape(-1))
    hop = frames / ends[-1] if ends[-1] > 0 else 0.5
    if hop != round(hop):
        return ()
    starts = np.concatenate([[0.0], ends[:-1]]) * hop
    return tuple(int(starts[first]) for first in firsts)


class PiperEngine:
    """Piper's voices: ``piper``, ``piper:en_US-ljspeech-high``, ``piper:NAME#12``, ``piper:~/voices/mine.onnx``."""

    name = "piper"

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._graphs: dict[Path, Graph] = {}

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        if not version("piper-tts"):
            return f"the package piper-tts is not installed: {_INSTALL}"
        try:
            self._folders()
        except VoiceError as error:
            return str(error)
        return ""

    def voices(self) -> Sequence[VoiceInfo]:
        """Those that can be fetched, here or not, then the user's own models."""
        problem = self.problem()
        here = self._here()
        known = fetchable(self.name, self._setup)
        names = {voice.variant for voice in known}
        wrong = damaged(known, self._setup)
        infos = [
            fetched_info(voice, here.get(voice.variant), problem, lack(voice, self._setup, wrong)) for voice in known
        ]
        return [*infos, *(own_info(name, graph, problem) for name, graph in here.items() if name not in names)]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role another model of the language, then other speakers of the first, as far as there are."""
        lead = variant or self._best(language)
        model, _ = self._find(lead)
        first, mark, _ = lead.rpartition("#") if model.speakers > 1 and "#" in lead else (lead, "", "")
        others = [name for name in self._fitting(language) if name != first]
        numbers = range(0 if mark else 1, min(model.speakers, roles + 1))
        others += [f"{first}#{number}" for number in numbers if f"{first}#{number}" != lead and model.speakers > 1]
        return list(itertools.islice(itertools.cycle([lead, *others][:roles]), roles))

    def open(self, variant: str, language: str) -> PiperVoice:
        """Open the voice ``variant``, or the best one here that speaks ``language``; nothing is loaded yet.

        A voice that is named speaks its own ``languages``. Raises VoiceError for one that is unknown, not here, or
        broken, and where none here speaks ``language``.
        """
        named = variant or self._best(language)
        model, wanted = self._find(named)
        if model.problem:
            raise VoiceError(f'the voice "piper:{named}" cannot be used: {model.problem}', hint="choose another voice")
        advice = self._advice(model.graph.stem)
        onnx_file(model.graph, advice)
        speaker = model.speaker(wanted) if wanted else _default(model)
        # One graph for all speakers of a model: it is most of what is loaded.
        graph = self._graphs.setdefault(model.graph, Graph(model.graph, advice, extended=with_durations))
        return PiperVoice(f"piper:{named}", model, speaker, graph, advice)

    def _folders(self) -> list[Path]:
        """Where models lie. Raises VoiceError for settings that are none."""
        own = own_paths(self._setup, self.name, ("folder",))
        return [folder(self.name, self._setup), *own.values()]

    def _here(self) -> dict[str, Path]:
        """Every model that is here, by the name of its voice: those fetched, then the user's own by file name."""
        place = folder(self.name, self._setup)
        known = fetchable(self.name, self._setup)
        files = {voice.variant: graph_file(voice) for voice in known if is_here(voice, self._setup)}
        here = {name: place / file for name, file in files.items() if file}
        # A graph whose voice is half fetched is none of the user's own.
        fetching = {place / graph_file(voice) for voice in known}
        try:
            graphs = [graph for each in self._folders() for graph in sorted(each.glob("*.onnx"))]
        except (VoiceError, OSError):
            graphs = []
        for graph in graphs:
            if graph not in fetching:
                here.setdefault(graph.stem, graph)
        return here

    def _fitting(self, language: str) -> list[str]:
        """Variants here that speak ``language``, those of the very region first."""
        fitting = [info for info in self.voices() if info.fits(language)]
        ordered = sorted(fitting, key=lambda info: language not in info.languages)
        return [info.name.partition(":")[2] for info in ordered]

    def _best(self, language: str) -> str:
        for name in self._fitting(language):
            return name
        voices = [voice for voice in self.voices() if voice.speaks(language)]
        known = [voice for voice in voices if voice.languages and not voice.installed]
        hint = f"fetch one: metta voices get {known[0].name}" if known else "metta voices lists what can be had"
        # What a broken model speaks may not be known, so that it may be the one that was meant.
        broken = [f"{voice.name}: {voice.problem}" for voice in voices if voice.installed and voice.problem]
        if broken:
            what = f'no Piper voice for "{language}" that is here can be used ({"; ".join(broken[:_NAMED])})'
            raise VoiceError(what, hint=hint)
        raise VoiceError(f'no Piper voice for "{language}" is here', hint=hint)

    def _find(self, variant: str) -> tuple[Model, str]:
        """The model that ``variant`` names, and the speaker it asks for. Raises VoiceError."""
        if _is_path(variant):
            name, speaker = _split(variant, home(variant).is_file())
            graph = present(home(name), "give the path of an .onnx model with its .onnx.json beside it")
            return read_model(graph, self._advice(graph.stem)), speaker
        here = self._here()
        name, speaker = _split(variant, variant in here)
        if name in here:
            return read_model(here[name], self._advice(name)), speaker
        known = {voice.variant: voice for voice in fetchable(self.name, self._setup)}
        if name in known:
            reason = lack(known[name], self._setup, damaged(known.values(), self._setup))
            raise VoiceError(f'the voice "piper:{name}" cannot be used', hint=reason)
        near = did_you_mean(name, [*here, *known], "")
        raise VoiceError(f'Piper has no voice "{name}"', hint=f"{near} metta voices lists all".lstrip())

    def _advice(self, name: str) -> str:
        if name in {voice.variant for voice in fetchable(self.name, self._setup)}:
            return f"fetch it again: metta voices remove piper:{name}, then metta voices get piper:{name}"
        return "copy the model and its .onnx.json again from where they came"


def _is_path(variant: str) -> bool:
    separators: Iterator[str] = filter(None, (os.sep, os.altsep, "/"))
    name = variant.partition("#")[0]
    return name.startswith(("~", ".")) or name.endswith(".onnx") or any(each in variant for each in separators)


def _split(variant: str, whole: bool) -> tuple[str, str]:
    """Name and speaker; a name that is there as a whole may have a # of its own."""
    name, mark, speaker = variant.rpartition("#")
    return (name, speaker) if mark and not whole else (variant, "")


def _default(model: Model) -> int:
    wanted = model.settings.get("default_speaker_id", 0)
    return wanted if isinstance(wanted, int) and 0 <= wanted < model.speakers else 0
