"""Pictures of beds and bells."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from metta_audio.errors import EncodeError, SettingsError
from metta_audio.rendering.sound_plot import envelope, plot_sound, slope, spectrum
from metta_audio.sound.wave import Wave
from metta_audio.units import RATE

pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))


class Noise:
    """A bed: noise that falls by ``tilt`` dB per octave and swells by ``swell`` dB about every ten seconds."""

    def __init__(self, tilt: float = 0.0, swell: float = 0.0) -> None:
        lines = np.fft.rfft(np.random.default_rng(1).normal(0, 1, (20 * RATE, 2)), axis=0)
        hertz = np.maximum(np.arange(len(lines)) / 20, 20)[:, None]
        sound = np.fft.irfft(lines * hertz ** (tilt / 6.0206), axis=0)
        time = np.arange(len(sound))[:, None] / RATE
        sound *= 0.02 / sound.std() * 10 ** (swell / 40 * np.sin(2 * np.pi * time / 10))
        self.sound = sound.astype(np.float32)
        self.asked = 0

    def read(self, start: int, frames: int) -> np.ndarray:
        self.asked = max(self.asked, start + frames)
        return self.sound[(start + np.arange(frames)) % len(self.sound)]


def bell(seconds: float = 6.0, decay: float = 3.0, hertz: float = 432.0) -> Wave:
    """Falls by 60 dB in ``decay`` seconds."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = 0.3 * 10 ** (-3 * time / decay) * np.sin(2 * np.pi * hertz * time)
    return Wave(np.repeat(tone[:, None], 2, axis=1).astype(np.float32))


def words(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("tilt", [0.0, -3.0, -6.0])
def test_the_slope_is_measured(tilt: float) -> None:
    assert slope(*spectrum(Wave(Noise(tilt).sound))) == pytest.approx(tilt, abs=0.1)


def test_the_spectrum_is_a_density_and_smooth() -> None:
    """White noise of RMS r has r² / (rate / 2) in every hertz."""
    hertz, level = spectrum(Wave(Noise().sound))
    assert hertz[0] == 20
    assert hertz[-1] == pytest.approx(20_000, rel=0.06)
    assert np.diff(np.log2(hertz)) == pytest.approx(1 / 12)
    wanted = 20 * np.log10(0.02) - 10 * np.log10(RATE / 2)
    assert level[hertz > 100] == pytest.approx(wanted, abs=0.6)


def test_a_tone_stands_where_it_is() -> None:
    hertz, level = spectrum(bell(hertz=1000))
    assert hertz[level.argmax()] == pytest.approx(1000, rel=0.06)


def test_the_envelope_is_the_rms_of_50_ms() -> None:
    wave = bell(decay=3.0)
    seconds, level = envelope(wave)
    assert np.diff(seconds) == pytest.approx(0.05)
    assert level == pytest.approx(20 * np.log10(0.3 / 2**0.5) - 20 * seconds, abs=0.1)


@pytest.mark.parametrize("suffix", ["png", "svg"])
@pytest.mark.parametrize("source", [Noise(-3.0), bell()])
def test_the_same_sound_gives_the_same_bytes(tmp_path: Path, suffix: str, source: Noise | Wave) -> None:
    first, second = (tmp_path / f"{number}.{suffix}" for number in "ab")
    assert plot_sound(source, title="rain", path=first, seconds=5) == first
    plot_sound(source, title="rain", path=second, seconds=5)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == [first.name, second.name]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    with Image.open(plot_sound(Noise(-3.0), title="pink", path=tmp_path / "pink.png", seconds=5)) as picture:
        assert picture.size == (1100, 704)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20


@pytest.mark.parametrize(
    ("tilt", "swell", "says"),
    [
        (0.0, 0.0, ("0 dB per octave", "bright, as white noise", "steady")),
        (-3.0, 4.0, ("−3.0 dB per octave", "even, as pink noise", "within 4 dB (it breathes gently)")),
        (-6.0, 10.0, ("−6.0 dB per octave", "dark, as brown noise", "(it swells)")),
        (-10.0, 16.0, ("−10.", "darker than brown noise", "(it comes and goes)")),
        (3.0, 0.0, ("+3.0 dB per octave", "brighter than white noise")),
    ],
)
def test_a_bed_is_told_in_words(tmp_path: Path, tilt: float, swell: float, says: tuple[str, ...]) -> None:
    bed = Noise(tilt, swell)
    text = words(plot_sound(bed, title="The <sea> & $x$", path=tmp_path / "bed.svg", seconds=20))
    for each in (*says, "The &lt;sea&gt; &amp; $x$", "nine tenths of 0:20", "Hz"):
        assert each in text
    assert bed.asked == 20 * RATE


def test_a_bell_is_told_in_words_until_it_has_died_away(tmp_path: Path) -> None:
    text = words(plot_sound(bell(decay=3.0), title="bell", path=tmp_path / "bell.svg"))
    assert "strongest at 432 Hz" in text
    found = re.search(r"12 dB softer after (\S+) s, 60 dB after (\S+) s", text)
    assert found
    assert [float(each) for each in found.groups()] == pytest.approx([0.6, 3.0], abs=0.1)
    axis = [part.partition("<")[0].rpartition(">")[2] for part in text.split("<text")]
    assert "4" not in axis  # three seconds fill the picture; the silence after it is left out


@pytest.mark.parametrize("rate", [8000, 96_000])
def test_a_mono_sound_at_any_rate_is_drawn(tmp_path: Path, rate: int) -> None:
    text = words(plot_sound(Wave(bell().samples[:, :1], rate), title="bell", path=tmp_path / "bell.svg"))
    found = re.search(r"strongest at ([\d,.]+) Hz", text)
    assert found
    assert float(found[1].replace(",", "")) == pytest.approx(432 * rate / RATE, rel=0.05)


def test_a_click_is_drawn(tmp_path: Path) -> None:
    samples = np.zeros((40, 1), np.float32)
    samples[3] = 0.5
    drawn = plot_sound(Wave(samples), title="click", path=tmp_path / "click.png")
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert drawn.stat().st_size > 1000


def test_what_cannot_be_drawn_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r'cannot plot into "bed\.jpg"'):
        plot_sound(bell(), title="x", path=tmp_path / "bed.jpg")
    for seconds in (0, -1, float("nan"), 1e9):
        with pytest.raises(SettingsError, match="cannot plot"):
            plot_sound(Noise(), title="x", path=tmp_path / "bed.png", seconds=seconds)
    for silent in (Wave(np.zeros((0, 2), np.float32)), Wave(np.zeros((RATE, 2), np.float32))):
        with pytest.raises(SettingsError, match='"x" is silent'):
            plot_sound(silent, title="x", path=tmp_path / "bed.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(EncodeError, match="is a folder"):
        plot_sound(bell(), title="x", path=tmp_path / "folder.png")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SettingsError, match="plots need matplotlib; install it with"):
        plot_sound(bell(), title="x", path=tmp_path / "bed.png")
    assert not (tmp_path / "bed.png").exists()


def test_an_older_picture_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "bed.png"
    path.write_text("older")

    class Broken(Noise):
        def read(self, start: int, frames: int) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plot_sound(Broken(), title="x", path=path)
    assert path.read_text() == "older"
