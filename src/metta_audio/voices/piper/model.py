"""A Piper model on the disk: the graph, and the JSON beside it that says how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metta_audio.errors import VoiceError, did_you_mean

_KINDS = ("espeak", "text")
"""Kinds of phonemes that piper-tts makes by itself. Its others need further packages or fetch models unasked."""

_RATES = (8_000, 96_000)
"""Hertz of a voice's sound. Piper's voices have 16,000 or 22,050; below telephones nothing is understood, and no
loudspeaker plays more than twice 48,000. A rate beyond that is a slip, and would ask for gigabytes."""

_INFERENCE = ("noise_scale", "length_scale", "noise_w")
"""Numbers that piper-tts reads of the table ``inference``."""

_LARGEST = 2**63 - 1
"""Of the numbers that a graph takes: 64 bits, with a sign."""


@dataclass(frozen=True, slots=True)
class Model:
    """A voice's two files and what its configuration says.

    ``language`` is BCP 47 in lower case, empty where it names none. ``speakers`` counts them from 1, ``named`` has the
    numbers of those with a name. ``kind`` is the kind of its phonemes.
    """

    graph: Path
    config: Path
    language: str
    speakers: int
    named: Mapping[str, int]
    kind: str
    settings: Mapping[str, Any]

    @property
    def problem(self) -> str:
        """Why it cannot speak here; empty when it can."""
        if self.kind in _KINDS:
            return ""
        return f'it takes phonemes of the kind "{self.kind}", which cannot be made here without further packages'

    @property
    def bytes(self) -> int:
        """What its files take on the disk."""
        return self.graph.stat().st_size + self.config.stat().st_size

    def speaker(self, wanted: str) -> int:
        """The number of the speaker with that number or name. Raises VoiceError."""
        if wanted in self.named:
            return self.named[wanted]
        if wanted.isascii() and wanted.isdigit() and int(wanted) < self.speakers:
            return int(wanted)
        if self.speakers == 1:
            raise VoiceError(f"{self.graph.name} has one speaker only", hint=f'leave out "#{wanted}"')
        hint = did_you_mean(wanted, self.named, f"give a number from 0 to {self.speakers - 1}")
        raise VoiceError(f'{self.graph.name} has no speaker "{wanted}"', hint=hint)


def read_model(graph: Path, advice: str) -> Model:
    """Read what stands beside ``graph``: ``NAME.onnx.json``, or ``NAME.json``. ``advice`` is what to do about it.

    Raises VoiceError where there is none, or it is no configuration of a Piper voice.
    """
    beside = [graph.with_name(graph.name + ".json"), graph.with_suffix(".json")]
    config = next((path for path in beside if path.is_file()), None)
    if config is None:
        raise VoiceError(f"{beside[0].name} is missing beside {graph}", hint=advice)
    try:
        settings = json.loads(config.read_text(encoding="utf-8-sig"))
        return _model(graph, config, settings)
    except OSError as error:
        raise VoiceError(f"cannot read {config}: {error.strerror}", hint=advice) from error
    except RecursionError as error:
        raise VoiceError(f"{config} is nested too deeply", hint=advice) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # ValueError covers what is no JSON and no UTF-8; the others are JSON of another shape.
        raise not_a_configuration(config, advice) from error


def not_a_configuration(config: Path, advice: str) -> VoiceError:
    """Give the error for a JSON that does not say how a voice is used."""
    return VoiceError(f"{config} is no configuration of a Piper voice", hint=advice)


def _model(graph: Path, config: Path, settings: Any) -> Model:
    espeak = settings["espeak"]["voice"]
    code = settings.get("language", {}).get("code", "") or espeak
    named = settings.get("speaker_id_map") or {}
    speakers, rate, symbols = settings["num_speakers"], settings["audio"]["sample_rate"], settings["phoneme_id_map"]
    inference = settings.get("inference", {})
    fits = (
        isinstance(espeak, str)
        and isinstance(code, str)
        and _is_number(rate, *_RATES)
        and _is_number(settings["num_symbols"], 1)
        and _is_number(speakers)
        and all(isinstance(name, str) and _is_number(number) for name, number in named.items())
        and all(isinstance(inference.get(key, 0), int | float) for key in _INFERENCE)
        and bool(symbols)
        and all(isinstance(ids, list) and all(map(_is_number, ids)) for ids in symbols.values())
        and {"_", "^", "$"} <= set(symbols)
    )
    if not fits:
        raise ValueError("a value of another kind")
    language = code.lower().replace("_", "-")
    kind = settings.get("phoneme_type") or "espeak"
    return Model(graph, config, language, max(1, speakers), named, str(kind), settings)


def _is_number(value: Any, low: int = 0, high: int = _LARGEST) -> bool:
    return isinstance(value, int) and low <= value <= high
