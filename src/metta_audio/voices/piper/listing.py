"""What is said of Piper's voices in a listing."""

from __future__ import annotations

from pathlib import Path

from metta_audio.errors import VoiceError
from metta_audio.speech.voice import VoiceInfo
from metta_audio.voices.catalogue import Fetchable
from metta_audio.voices.neural import onnx_file
from metta_audio.voices.piper.model import read_model


def _fault(graph: Path) -> str:
    try:
        return read_model(onnx_file(graph, "fetch it again"), "fetch it again").problem
    except VoiceError as error:
        return str(error)


def graph_file(voice: Fetchable) -> str:
    """Name of the file with its graph; empty where the catalogue has none."""
    return next((each.file for each in voice.downloads if each.file.endswith(".onnx")), "")


def fetched_info(voice: Fetchable, graph: Path | None, problem: str, lacking: str) -> VoiceInfo:
    """What a listing says of a voice to fetch; ``problem`` is the engine's, ``lacking`` why it is not here."""
    reason = problem or (_fault(graph) if graph else lacking)
    return VoiceInfo(
        voice.name,
        voice.languages,
        "natural",
        voice.licence,
        voice.bytes,
        installed=graph is not None,
        problem=reason,
        summary=voice.summary,
    )


def own_info(name: str, graph: Path, problem: str) -> VoiceInfo:
    """What a listing says of a model of the user's own; ``problem`` is the engine's."""
    summary = "a model of your own"
    try:
        model = read_model(onnx_file(graph, "put another there"), "put it there")
        languages = (model.language,) if model.language else ()
        if model.speakers > 1:
            summary += f", {model.speakers} speakers: piper:{name}#NUMBER"
        reason = problem or model.problem
        return VoiceInfo(f"piper:{name}", languages, "natural", bytes=model.bytes, problem=reason, summary=summary)
    except (VoiceError, OSError) as error:
        return VoiceInfo(f"piper:{name}", (), "natural", problem=problem or str(error), summary=summary)
