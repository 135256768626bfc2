"""How the whole is brought to its loudness, and how the bed gives way to the voice."""

from __future__ import annotations

from dataclasses import dataclass, replace

from metta_audio.rendering.options import Options, loudness_target
from metta_audio.settings import Settings
from metta_audio.sound.duck import Ducking, Stretch
from metta_audio.sound.levels import SPEECH
from metta_audio.units import Decibels, Lufs


@dataclass(frozen=True, slots=True)
class Mastering:
    """``name`` is what the target was asked for by, ``target`` its LUFS; ``ducking`` has no speech in it yet."""

    name: str
    target: Lufs
    ducking: Ducking

    @classmethod
    def of(cls, options: Options, settings: Settings) -> Mastering:
        """What the listener asks for, else what the settings say. Raises SettingsError."""
        if options.loudness is not None:
            name, target = str(options.loudness), loudness_target(options.loudness)
        else:
            with settings.blamed("loudness"):
                name, target = str(settings.loudness), loudness_target(settings.loudness)
        with settings.blamed("duck"):
            ducking = Ducking(**{key: float(value) for key, value in settings.duck.items()})  # type: ignore[arg-type]
        return cls(name, target, ducking)

    @property
    def gain(self) -> Decibels:
        """What every sound of the mix is moved by, in dB: distances between them stay."""
        return Decibels(self.target - SPEECH)

    def ducked(self, speech: tuple[Stretch, ...], led: tuple[Stretch, ...]) -> Ducking:
        """The bed's gain around ``speech``, and where a breath is ``led``."""
        return replace(self.ducking, speech=speech, led=led)
