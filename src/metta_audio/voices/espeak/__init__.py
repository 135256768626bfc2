"""eSpeak NG, called in process: small, fast, free, and there on every machine."""

from __future__ import annotations

from metta_audio.voices.espeak.engine import EspeakEngine

__all__ = ["EspeakEngine"]
