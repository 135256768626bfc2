"""What no listener should hear is found at its sample, and nothing that belongs there is taken for it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from metta_audio.shelves import Shelves
from metta_audio.sound.bed import load_bed, open_bed
from metta_audio.sound.bell import load_bell
from metta_audio.sound.clicks import FaultFinder, Faults
from metta_audio.speech.clip import make_clip
from metta_audio.speech.voice import Setup, Utterance
from metta_audio.units import RATE, WordsPerMinute, gain
from metta_audio.voices.registry import find_engines, open_voice

Sound = NDArray[np.float32]
SECONDS = 2


def found(sound: NDArray[np.floating], *, block: int | None = None, seams: tuple[int, ...] = ()) -> Faults:
    shaped = sound if sound.ndim == 2 else sound[:, None]
    stereo = np.ascontiguousarray(np.broadcast_to(shaped, (len(sound), 2)), np.float32)
    finder = FaultFinder(2, seams)
    for start in range(0, len(stereo), block or max(1, len(stereo))):
        finder.add(stereo[start : start + block] if block else stereo)
    return finder.result()


def times(seconds: float = SECONDS) -> NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def faded(sound: NDArray[np.floating], edge: float = 0.01) -> NDArray[np.floating]:
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(round(edge * RATE)) / round(edge * RATE))
    shape = np.ones(len(sound))
    shape[: len(ramp)] = ramp
    shape[-len(ramp) :] = ramp[::-1]
    return (sound.T * shape).T


@cache
def speech() -> Sound:
    """A sentence with every kind of sound in it, by the voice that comes with the package."""
    text = "Six soft steps: let the breath, and its edges, be just as short as they are."
    spoken = open_voice(find_engines(Setup()), "espeak", "en-us").speak(Utterance(text), WordsPerMinute(110))
    return make_clip(spoken).wave.samples[:, 0]


def bells() -> list[tuple[str, NDArray[np.float32]]]:
    shelves = Shelves.standard(None)
    names = [path.stem for path in sorted(Path(shelves.bell("bowl")[0]).parent.glob("*.toml"))]
    return [(name, load_bell(shelves.bell(name)[1], name=name, file=name).strike(3, 0).samples) for name in names]


def beds() -> list[str]:
    return [path.stem for path in sorted(Path(Shelves.standard(None).bed("rain")[0]).parent.glob("*.toml"))]


def test_speech_does_not_click() -> None:
    assert np.abs(speech()).max() > 0.1
    assert found(speech()) == Faults()


def test_no_bell_clicks() -> None:
    for name, samples in bells():
        assert found(np.concatenate([np.zeros((RATE, 2), np.float32), samples])).clicks == 0, name


@pytest.mark.parametrize("name", beds())
def test_no_bed_clicks(name: str) -> None:
    file, text = Shelves.standard(None).bed(name)
    bed = open_bed(load_bed(text, name=name, file=file), 5)
    faults = found(bed.read(RATE * 7, RATE * 4))
    # The bed begins and ends at once where it is cut; nothing in between.
    inside = [place for place in faults.places if 100 < place < RATE * 4 - 100]
    assert (inside, faults.dropouts, faults.clipped) == ([], 0, 0)


def test_drops_and_crackles_do_not_click() -> None:
    rng = np.random.default_rng(4)
    sound = np.zeros(SECONDS * RATE)
    for attack in (0.0008, 0.002):  # rain; a soft crackle
        for at in rng.integers(1000, len(sound) - 2000, 60):
            time = times(0.03)
            shape = np.minimum(time / attack, 1) * np.exp(-time * 200)
            sound[at : at + len(time)] += 0.2 * shape * rng.normal(size=len(time))
            sound[at : at + len(time)] += 0.2 * shape * np.sin(2 * np.pi * rng.uniform(500, 5000) * time)
    assert found(sound).clicks == 0


@pytest.mark.parametrize("colour", ["white", "brown"])
def test_noise_of_any_colour_does_not_click(colour: str) -> None:
    noise = np.random.default_rng(9).normal(size=(20 * RATE, 2)) * 0.1
    if colour == "brown":
        noise = faded(np.cumsum(noise[:, 0])) / 500
    inside = [place for place in found(noise).places if 100 < place < len(noise) - 100]
    assert inside == []


@settings(max_examples=25)
@given(st.integers(0, SECONDS * RATE - 1), st.booleans(), st.sampled_from([-60.0, -45.0, -20.0, 0.0]))
def test_a_click_in_quiet_is_found_at_its_sample(at: int, down: bool, level: float) -> None:
    sound = np.random.default_rng(1).normal(size=SECONDS * RATE) * gain(-90)  # the noise of 16 bits
    sound[at] += gain(level) * (-1 if down else 1)
    assert found(sound).places == (at,)
    assert found(sound).clicks == 1


@settings(max_examples=25)
@given(st.integers(2000, SECONDS * RATE - 2000))
def test_a_click_in_a_bell_is_found(at: int) -> None:
    sound = faded(0.2 * np.sin(2 * np.pi * 320 * times()) + 0.1 * np.sin(2 * np.pi * 870 * times()))
    sound[at] += gain(-60)
    assert found(sound).places == (at,)


def test_most_clicks_of_minus_40_beside_speech_are_found() -> None:
    sound = speech()
    places = np.random.default_rng(2).integers(1000, len(sound) - 1000, 40)
    heard = 0
    for at in places.tolist():
        clicked = sound.copy()
        clicked[at] += gain(-40)
        faults = found(clicked)
        assert set(faults.places) <= {at}
        heard += faults.clicks
    # Some fall into an s or an f, which is noise as they are.
    assert heard >= 32


def test_a_click_in_one_channel_is_found_though_the_other_hisses() -> None:
    sound = np.zeros((RATE, 2), np.float32)
    sound[:, 1] = np.random.default_rng(1).normal(size=RATE) * 0.1
    sound[20_000, 0] = 0.01
    assert found(sound).places == (20_000,)


def test_what_clicks_left_and_right_within_a_millisecond_is_one_click() -> None:
    sound = np.zeros((RATE, 2), np.float32)
    sound[20_000, 0] = sound[20_020, 1] = 0.01
    sound[30_000, 0] = sound[30_200, 1] = 0.01
    assert found(sound).clicks == 3


@settings(max_examples=25)
@given(st.integers(1, RATE), st.floats(0.004, 0.5))
def test_a_step_is_found_where_it_is(at: int, height: float) -> None:
    sound = faded(0.2 * np.sin(2 * np.pi * 200 * times()), 1)
    sound[at:] += height * np.exp(-times()[: len(sound) - at] * 20)
    places = found(sound).places
    assert len(places) == 1
    assert abs(places[0] - at) <= 1


@settings(max_examples=15)
@given(st.integers(RATE // 2, RATE), st.integers(64, 20_000))
def test_a_hole_in_sound_is_a_dropout(at: int, frames: int) -> None:
    sound = faded(np.random.default_rng(3).normal(size=SECONDS * RATE) * 0.1)
    sound[at : at + frames] = 0
    faults = found(sound)
    assert faults.dropouts == 1
    assert at in faults.places


def test_a_pause_is_no_dropout() -> None:
    noise = np.random.default_rng(3).normal(size=RATE) * 0.1
    for gap in (np.zeros(100), np.zeros(RATE // 4), np.zeros(RATE)):
        assert found(np.concatenate([faded(noise), gap, faded(noise)])).dropouts == 0
    assert found(np.concatenate([faded(noise), np.zeros(RATE), noise])).dropouts == 0
    assert found(np.zeros(SECONDS * RATE)) == Faults()


def test_clipped_samples_are_counted_and_peaks_are_not() -> None:
    sound = faded(0.5 * np.sin(2 * np.pi * 100 * times()))
    sound[50_000] = 1.0
    assert found(sound).clipped == 0
    hard = np.clip(faded(1.2 * np.sin(2 * np.pi * 100 * times()), 1), -1, 1)
    stereo = np.stack([hard, np.zeros_like(hard)], axis=1)
    assert found(stereo).clipped == np.count_nonzero(np.abs(hard) == 1)
    assert found(0.999 * hard).clipped == 0


def test_seams_are_judged_by_their_surroundings() -> None:
    seams = (RATE // 2, RATE, 3 * RATE // 2)
    smooth = faded(0.3 * np.sin(2 * np.pi * 300 * times()))
    faults = found(smooth, seams=seams)
    assert (faults.seams, faults.worst_seam) == (3, 0.0)
    torn = smooth.copy()
    torn[RATE:] *= 0.5
    torn[RATE:] += 0.02
    faults = found(torn, seams=seams)
    assert faults.worst_seam_at == RATE
    assert faults.worst_seam is not None
    assert faults.worst_seam > 20
    loud = np.random.default_rng(1).normal(size=SECONDS * RATE) * 0.2
    hidden = found(loud + np.where(times() < 1, 0, 0.01), seams=seams)
    assert hidden.worst_seam is not None
    assert hidden.worst_seam < 6
    assert found(smooth).worst_seam is None
    assert found(smooth, seams=(10 * SECONDS * RATE,)).seams == 0


@settings(max_examples=25)
@given(st.integers(500, 40_000), st.integers(0, 1000))
def test_chunked_is_whole(block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = np.clip(faded(rng.normal(size=(90_000, 2)) * rng.choice([1e-4, 0.1, 0.5])), -0.9, 1)
    for at in rng.integers(0, 90_000, 8).tolist():
        sound[at : at + int(rng.choice([1, 300]))] = rng.choice([0, 0, 1])
    seams = tuple(rng.integers(0, 90_000, 5).tolist())
    assert found(sound, block=block, seams=seams) == found(sound, seams=seams)
    assert found(sound, seams=seams) != Faults()


def test_memory_does_not_grow_with_the_number_of_faults() -> None:
    sound = np.zeros(20 * RATE)
    sound[500::500] = 0.5
    faults = found(sound)
    assert faults.clicks == len(sound[500::500])
    assert len(faults.places) == 20


@pytest.mark.parametrize("frames", [0, 1, 5, 100, 16_384, 16_385])
def test_any_length_can_be_looked_at(frames: int) -> None:
    assert found(np.zeros(frames)) == Faults()
    assert found(np.full(frames, 0.5)).clipped == 0
    assert found(np.ones(frames)).clipped == (2 * frames if frames > 1 else 0)
