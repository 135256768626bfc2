"""The cue grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import Place, ScriptError
from metta_audio.script.cues import read_cue
from metta_audio.script.model import BREATH_SOUNDS, BedChange, Bell, Breath, Item, Pause, SoundCue
from metta_audio.shelves import Shelves, shipped_root

HERE = Place("x.md", 3, 7)
SHELVES = Shelves((shipped_root() / "scripts",), ())
HOLDS = ("belly", "box", "relax")


def cue(text: str) -> Item:
    return read_cue(text, HERE, library=SHELVES)


def breath(text: str) -> Breath:
    read = cue(f"breath {text}")
    assert isinstance(read, Breath)
    return read


@pytest.mark.parametrize(
    ("text", "kind", "bounds"),
    [
        ("pause", "pause", (3, 5, 10)),
        ("pause 6s", "pause", (3, 6, 12)),
        ("PAUSE 6S", "pause", (3, 6, 12)),
        ("pause 1m30s", "pause", (45, 90, 180)),
        ("pause 250ms", "pause", (0.125, 0.25, 0.5)),
        ("pause 4s..9s", "pause", (4, 6, 9)),
        ("pause 4s .. 9s", "pause", (4, 6, 9)),
        ("pause 4s..5s..12s", "pause", (4, 5, 12)),
        ("pause =6s", "pause", (6, 6, 6)),
        ("pause 5s..5s", "pause", (5, 5, 5)),
        ("pause 3h", "pause", (5400, 10800, 10800)),
        ("silence", "silence", (15, 30, 60)),
        ("silence 1m", "silence", (30, 60, 120)),
        ("silence 20s..3m", "silence", (20, 60, 180)),
        ("silence =1m", "silence", (60, 60, 60)),
    ],
)
def test_gaps(text, kind, bounds):
    read = cue(text)
    assert isinstance(read, Pause)
    assert (read.kind, read.place) == (kind, HERE)
    assert (read.low, read.preferred, read.high) == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bell", Bell("", 1, HERE)),
        ("bell x3", Bell("", 3, HERE)),
        ("bell bowl", Bell("bowl", 1, HERE)),
        ("Bell bowl X3", Bell("bowl", 3, HERE)),
        ("bed rain", BedChange("rain", 0, HERE)),
        ("bed off", BedChange("off", 0, HERE)),
        ("bed OFF", BedChange("off", 0, HERE)),
        ("bed -6dB", BedChange("", -6, HERE)),
        ("bed −6 db", BedChange("", -6, HERE)),
        ("bed +3dB", BedChange("", 3, HERE)),
        ("bed my-bed.flac", BedChange("my-bed.flac", 0, HERE)),
        ("sound gong.wav", SoundCue("gong.wav", HERE)),
        ("sound bells/big gong.wav", SoundCue("bells/big gong.wav", HERE)),
    ],
)
def test_other_cues(text, expected):
    assert cue(text) == expected


@pytest.mark.parametrize(
    ("text", "phases", "cycles"),
    [
        ("4-4-6 x10", (4, 4, 6, 0), 10),
        ("5.5-5.5 ×2", (5.5, 0, 5.5, 0), 2),
        ("5.5 x10", (5.5, 0, 5.5, 0), 10),
        ("4–6 x 10", (4, 0, 6, 0), 10),
        ("4-4-6 for 5m", (4, 4, 6, 0), 21),
        ("4-4-6 for 10m", (4, 4, 6, 0), 42),
        ("box for 2m", (4, 4, 4, 4), 7),
        ("Box FOR 2m", (4, 4, 4, 4), 7),
        ("0.1-0.2 for 3s", (0.1, 0, 0.2, 0), 10),
        ("4-0-6-0 x1", (4, 0, 6, 0), 1),
    ],
)
def test_breaths(text, phases, cycles):
    read = breath(text)
    assert (read.phases, read.cycles, read.place, read.sound) == (phases, cycles, HERE, "")


def test_named_breaths_are_the_patterns_practices_know():
    assert {name: SHELVES.breath(name).phases for name in SHELVES.breaths()} == {
        "belly": (4, 4, 6, 0), "box": (4, 4, 4, 4), "calm": (4, 0, 6, 0), "coherent": (5.5, 0, 5.5, 0),
        "even": (6, 0, 6, 0), "relax": (4, 7, 8, 0), "sigh": (2.5, 0, 4, 0),
    }  # fmt: skip
    assert {name for name in SHELVES.breaths() if SHELVES.breath(name).phases[1]} == set(HOLDS)
    assert (breath("sigh x3").sip, breath("box x3").sip) == (0.5, 0)
    assert (breath("sigh x3").pattern, breath("2.5-4 x3").pattern, breath("2.5-4 x3").sip) == ("sigh", "", 0)


@pytest.mark.parametrize("sound", BREATH_SOUNDS)
@pytest.mark.parametrize("before", ["4-4-6 x10", "box for 2m", "calm x 3"])
def test_the_last_word_of_a_breath_is_its_sound(before, sound):
    plain, led = breath(before), breath(f"{before} {sound.upper()}")
    assert led.sound == sound
    assert (led.phases, led.cycles, led.cautions) == (plain.phases, plain.cycles, plain.cautions)


@pytest.mark.parametrize("name", SHELVES.breaths())
def test_every_pattern_has_its_caution_and_holds_have_another_without(name):
    pattern = SHELVES.breath(name)
    assert pattern.title
    assert pattern.summary
    assert "breathe normally" in pattern.caution
    assert breath(f"{name} x1").cautions == (pattern.caution,)
    for ill in ("pregnant", "surgery", "heart", "blood pressure", "lung", "eye", "neurological", "panic"):
        assert (ill in pattern.caution) == (name in HOLDS)
    if pattern.phases[1]:
        assert SHELVES.breath(pattern.no_hold).phases[1::2] == (0, 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("relax x4", None),
        ("relax x5", "4 breaths of relax at most while it is new; this cue has 5"),
        ("relax x8", "4 breaths of relax at most while it is new; this cue has 8"),
        ("relax x20", "8 breaths of relax at most; this cue has 20"),
        ("4-7-8 x20", "8 breaths of 4-7-8 at most; this cue has 20"),
        ("4-7-8-0 for 10m", "8 breaths of 4-7-8-0 at most; this cue has 31"),
        ("box for 2m", None),
        ("box for 3m", "2 minutes of box at most while it is new; this cue has 2.9"),
        ("4-4-4-4 for 8m", "5 minutes of 4-4-4-4 at most; this cue has 8.0"),
        ("sigh for 5m", None),
        ("sigh for 6m", "5 minutes of sigh at most; this cue has 6.0"),
        ("belly for 10m", None),
        ("calm for 1h", None),
    ],
)
def test_caps_are_told_and_never_raised(text, says):
    caution, *caps = breath(text).cautions
    assert "breathe normally" in caution
    assert caps == ([says] if says else [])


def test_numbers_that_no_pattern_has_carry_no_caution():
    assert breath("4-1-5 x300").cautions == ()


def test_without_a_library_numbers_are_all_there_is():
    assert read_cue("breath 4-7-8 x20", HERE) == Breath((4, 7, 8, 0), 20, HERE)
    with pytest.raises(ScriptError, match="is not a breathing pattern"):
        read_cue("breath box x3", HERE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "brackets are empty"),
        ("pauze 5s", 'did you mean "pause"'),
        ("pause6s", "write [pause 6s]"),
        ("pause=6s", "write [pause 6s]"),
        ("pause 5 s", "write [pause 5s]"),
        ("pause 1m 30s", "write [pause 1m30s]"),
        ("pause .5s", "write [pause 0.5s]"),
        ("pause 4s...12s", "write [pause 4s..12s]"),
        ("pause .5s...5s", "write [pause 0.5s..5s]"),
        ("pauze 6s", 'did you mean "pause"? to speak'),
        ("bed ../x", "such as rain"),
        ("pause: 3s", "write [pause 3s]"),
        ("pause:3", "write [pause 3]"),
        ("pause 5", "no unit: write 5s"),
        ("pause 5..10s", "no unit: write 5s"),
        ("pause 5 min", "write [pause 5m]"),
        ("pause 9s..3s", "write [pause 3s..9s]"),
        ("pause 4s..3s..9s", "reversed"),
        ("pause 4s..9s..6s", "reversed"),
        ("pause 4s-9s", "write [pause 4s..9s]"),
        ("pause 0s", "no time at all"),
        ("pause 0s..5s", "no time at all"),
        ("pause -5s", "cannot be negative"),
        ("pause =", "is not a duration"),
        ("pause 4s..", "is not a length"),
        ("pause 1s..2s..3s..4s", "is not a length"),
        ("pause 9h", "longer than 3 hours"),
        ("silence long", "is not a duration"),
        ("bell bowl three", "takes a name and a count"),
        ("bell 3", "takes a name and a count"),
        ("bell x0", "count from x1"),
        ("bell x999", "more than 108"),
        ("breath", "needs a pattern"),
        ("breath 4-4-6", "needs a count or a length"),
        ("breath bx x3", 'did you mean "box"'),
        ("breath boxx for 2m tick", 'did you mean "box"'),
        ("breath _ x3", "is not a breathing pattern"),
        ("breath box x4 tik", 'did you mean "tick"?'),
        ("breath box for 2m nois", 'did you mean "noise"?'),
        ("breath box x4 drum", "choose from: bed, count, noise, silence, tick, tone"),
        ("breath box tick x4", "write [breath box x4 tick]"),
        ("breath box tick", "needs a count or a length"),
        ("breath box x4 tick tick", "needs a count or a length"),
        ("breath box for 2 m", "is not a duration"),
        ("breath 4-4-4-4-4 x3", "is not a breathing pattern"),
        ("breath 0-4 x3", "both take time"),
        ("breath 4-400 x1", "too long for one breath"),
        ("breath box for 10s", "shorter than one breath of 16s"),
        ("breath box for 10", "no unit"),
        ("breath box x9999", "longer than 3 hours"),
        ("bed", "needs a name"),
        ("bed -6", "write [bed -6dB]"),
        ("bed rain -6dB", "write [bed rain] [bed -6dB]"),
        ("bed -600dB", "out of range"),
        ("bed /dev/zero", "comes from a sounds shelf"),
        ("sound", "needs the name"),
        ("sound ../secret.wav", "comes from a sounds shelf"),
        ("sound a/../b.wav", "comes from a sounds shelf"),
        ("sound /etc/passwd", "comes from a sounds shelf"),
        ("sound ~/x.wav", "comes from a sounds shelf"),
        ("sound C:\\x.wav", "comes from a sounds shelf"),
        ("sound file:x", "comes from a sounds shelf"),
        ("close your eyes", "this is not a cue"),
        ("Ana", "choose from: bed, bell, breath, pause, silence, sound"),
    ],
)
def test_what_is_not_understood_says_what_to_write(text, says):
    with pytest.raises(ScriptError) as caught:
        cue(text)
    assert says in str(caught.value)
    assert caught.value.place == HERE
    assert caught.value.hint or "write" in caught.value.what or "longer" in caught.value.what


numbers = st.decimals(min_value="0.001", max_value=3600, places=3).map(lambda d: f"{d}s")


@given(st.lists(numbers, min_size=1, max_size=3), st.booleans(), st.sampled_from(["pause", "silence"]))
def test_bounds_always_hold_the_preferred_length(lengths, exact, name):
    text = f"{name} {'=' * exact}{'..'.join(lengths)}"
    try:
        read = cue(text)
    except ScriptError:
        return
    assert isinstance(read, Pause)
    assert 0 < read.low <= read.preferred <= read.high
    if exact:
        assert read.low == read.high


@given(st.text(max_size=60), st.sampled_from(["", "pause ", "silence ", "bell ", "breath ", "bed ", "sound "]))
def test_any_text_is_a_cue_or_an_error_at_the_bracket(text, name):
    try:
        read = cue(name + text)
    except ScriptError as error:
        assert error.place == HERE  # noqa: PT017 - there may be no error at all
    else:
        assert read.place == HERE
        if isinstance(read, SoundCue | BedChange):
            assert ".." not in read.name.split("/")
            assert not read.name.startswith(("/", "~", "\\"))
