"""Options are checked where they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metta_audio as metta
from metta_audio.errors import SettingsError
from metta_audio.sound.audio_segment import to_segment

WAVE = metta.Wave(np.zeros((10, 2), np.float32))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bed_level": "x"}, "bed level cannot be of type str"),
        ({"bed_level": None}, "bed level cannot be of type NoneType"),
        ({"bed_level": True}, "bed level cannot be of type bool"),
        ({"bed_level": 1}, "bed level of 1 dB is out of range; choose from -60 to 0 dB"),
        ({"bed_level": float("nan")}, "out of range"),
        ({"rate": "fast"}, "a rate cannot be of type str"),
        ({"rate": 0}, "a rate of 0 words a minute is out of range; choose from 60 to 200"),
        ({"rate": 201}, "out of range"),
        ({"bed": 3}, "the option bed cannot be of type int; give a name, a file, or a sound"),
        ({"bell": 3}, "the option bell"),
        ({"voice": b"espeak"}, "the option voice"),
        ({"roles": "self=espeak"}, "the option roles"),
        ({"roles": {"self": 3}}, "the option roles"),
        ({"scripts": "here"}, "the option scripts"),
    ],
)
def test_what_is_wrong_is_a_clear_error(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        metta.Options(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize("bed", ["rain", Path("rain.wav"), "none", WAVE, to_segment(WAVE), None])
def test_every_kind_of_bed_is_welcome(bed: Any) -> None:
    assert metta.Options(bed=bed, bed_level=-60, rate=200, roles={"self": "tone"}, scripts=Path()).bed is bed
