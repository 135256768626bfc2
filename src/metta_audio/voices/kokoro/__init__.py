"""Kokoro: natural neural voices, one model for all of them, through kokoro-onnx."""

from __future__ import annotations

from metta_audio.voices.kokoro.engine import KokoroEngine

__all__ = ["KokoroEngine"]
