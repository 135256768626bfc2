"""What neural voices share: a graph that repeats itself, measured rates, pronunciation and word times.

A voice speaks each line on one core; lines are spoken side by side by threads, with one loaded graph.
"""

from __future__ import annotations

from metta_audio.voices.neural.files import digest, home, onnx_file, own_paths, present, version
from metta_audio.voices.neural.graph import Graph
from metta_audio.voices.neural.voice import Heard, NeuralVoice, mono

__all__ = ["Graph", "Heard", "NeuralVoice", "digest", "home", "mono", "onnx_file", "own_paths", "present", "version"]
