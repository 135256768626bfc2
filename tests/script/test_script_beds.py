"""How a bed is asked for."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.script.beds import LEVELS, MOST_LAYERS, BadBed, BedLayer, read_bed


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("rain", [BedLayer("rain")]),
        ("ocean:-3+drone", [BedLayer("ocean", -3), BedLayer("drone")]),
        (" ocean : −3 dB + drone:+2.5 ", [BedLayer("ocean", -3), BedLayer("drone", 2.5)]),
        ("pad@D3", [BedLayer("pad", 0, "D3")]),
        ("pad@Bb2,just:-6", [BedLayer("pad", -6, "Bb2", "just")]),
        ("hum@108+binaural@200.5", [BedLayer("hum", 0, "108"), BedLayer("binaural", 0, "200.5")]),
        ("my waves.wav:-3", [BedLayer("my waves.wav", -3)]),
        ("C:\\sounds\\sea.wav", [BedLayer("C:\\sounds\\sea.wav")]),
    ],
)
def test_what_is_asked_for_is_read(text: str, layers: list[BedLayer]) -> None:
    assert list(read_bed(text)) == layers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a layer without a name"),
        ("rain+", "a layer without a name"),
        ("+rain", "a layer without a name"),
        (":-3", "a layer without a name"),
        ("rain:+13", "out of range"),
        ("rain:-61", "out of range"),
        ("rain:-500", "out of range"),
        ("rain:x", "no level that can be read"),
        ("rain:nan+ocean", "no level that can be read"),
        ("rain:-3:-4", "no level that can be read"),
        ("none+rain", "cannot be a layer"),
        ("rain+random", "cannot be a layer"),
        ("pad@", "names no root"),
        ("pad@H3", "names no root"),
        ("+".join(["rain"] * (MOST_LAYERS + 1)), "layers"),
    ],
)
def test_what_cannot_be_is_said(text: str, words: str) -> None:
    with pytest.raises(BadBed, match=words) as caught:
        read_bed(text)
    assert caught.value.hint


@given(st.lists(st.tuples(st.sampled_from(["rain", "drone", "x-1"]), st.integers(-600, 120)), min_size=1, max_size=8))
def test_levels_come_back(layers: list[tuple[str, int]]) -> None:
    text = "+".join(f"{name}:{tenths / 10:+g}" for name, tenths in layers)
    assert [(layer.name, layer.level) for layer in read_bed(text)] == [(n, tenths / 10) for n, tenths in layers]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(BadBed):
        assert all(layer.name and LEVELS[0] <= layer.level <= LEVELS[1] for layer in read_bed(text))
