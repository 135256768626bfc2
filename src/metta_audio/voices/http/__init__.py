"""Voices behind an address: any server that speaks like OpenAI's ``/v1/audio/speech``, on this machine or elsewhere."""

from __future__ import annotations

from metta_audio.voices.http.engine import HttpEngine

__all__ = ["HttpEngine"]
