"""How to get a natural voice, in one line, for who has none."""

from __future__ import annotations

from importlib.util import find_spec

from metta_audio.settings import read_settings
from metta_audio.speech.voice import speaks
from metta_audio.voices.catalogue import fetchable

EXTRAS = {"piper": "piper", "kokoro": "kokoro_onnx"}
"""Engines of natural voices with the module that each needs; the one whose voices are smaller to fetch comes first."""


def natural_voice(language: str) -> str:
    """The commands that bring a natural voice of ``language`` (BCP 47); empty where none is known."""
    setup = read_settings().setup()
    for engine, module in EXTRAS.items():
        fitting = [voice for voice in fetchable(engine, setup) if speaks(voice.languages, language)]
        if fitting:
            get = f"metta voices get {fitting[0].name}"
            return get if find_spec(module) else f'pip install "metta-audio[{engine}]" && {get}'
    return ""
