"""Piper: natural neural voices that run on any processor, offline."""

from __future__ import annotations

from metta_audio.voices.piper.engine import PiperEngine

__all__ = ["PiperEngine"]
