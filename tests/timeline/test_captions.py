"""Captions are read back with other people's readers."""

from __future__ import annotations

import io
import re
from html import unescape

import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import Place
from metta_audio.script.model import GUIDE, Header, Line, Minutes, Pause, Role, Section, Session
from metta_audio.timeline.captions import SRT_LINE, VTT_LINE, Caption, captions, to_srt, to_vtt, transcript
from metta_audio.timeline.model import Word
from metta_audio.timeline.place import Extent, place
from metta_audio.units import RATE, Samples, Seconds, to_samples

AT = Place("mine.md", 1)
GAP = Pause(Seconds(1), Seconds(2), Seconds(100), "sentence", AT)


def made(*lines: Line) -> tuple[Session, object]:
    roles = {"self": Role("self"), "part": Role("part", title="The Worrier")}
    items = [item for line in lines for item in (line, GAP)]
    session = Session(
        "mine",
        Header("Ease", "", Minutes(1, 1, 9), {}, roles),
        (Section("Only <one>", tuple(items), AT),),
        1,
        {},
        0,
        "",
    )
    return session, place(session, lambda _: Extent(to_samples(3), to_samples(3)), to_samples(30 + 5 * len(lines)))


def spread(line: Line) -> list[Word]:
    words, at = [], 0
    for number, text in enumerate(line.text.split()):
        at = line.text.index(text, at)
        words.append(Word(at, at + len(text), Samples(number * RATE // 4)))
        at += len(text)
    return words


LONG = Line(
    GUIDE, "However you are sitting is fine, with your eyes open, half open or closed, as you like it today.", AT
)
SAID = Line("part", "Rain & <wind> --> I keep watch.", AT)


def test_vtt_has_a_cue_a_sentence_with_speaker_words_and_short_lines() -> None:
    session, plan = made(LONG, SAID)
    cues = captions(plan, session, {LONG: spread(LONG), SAID: spread(SAID)})
    text = to_vtt(cues)
    read = webvtt.from_buffer(io.StringIO(text))
    assert len(read) == 2
    assert [cue.voice for cue in read] == ["Guide", "The Worrier"]
    assert " ".join(read[0].text.split()) == LONG.text
    assert all(len(line) <= VTT_LINE for cue in read for line in cue.text.splitlines())
    assert unescape(" ".join(read[1].text.split())) == SAID.text
    assert text.count("-->") == 2
    lines = [event for event in plan.events if event.kind == "line"]
    for cue, event in zip(read, lines, strict=True):
        assert abs(seconds(cue.start) - event.start / RATE) < 0.001
        assert abs(seconds(cue.end) - event.end / RATE) < 0.001


def seconds(stamp: str) -> float:
    hours, minutes, rest = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_word_stamps_lie_inside_their_cue_in_order_and_stand_before_their_word() -> None:
    session, plan = made(LONG)
    cues = captions(plan, session, {LONG: spread(LONG)})
    onsets = [onset for _, onset in cues[0].words]
    assert [text for text, _ in cues[0].words] == LONG.text.split()
    assert onsets == sorted(onsets)
    assert cues[0].start <= onsets[0]
    assert onsets[-1] < cues[0].end
    seconds = onsets[1] // 1000
    assert f"<00:00:{seconds:02d}.{onsets[1] % 1000:03d}>you" in to_vtt(cues)


def test_srt_never_exceeds_two_lines_of_32_and_cues_follow_the_words() -> None:
    session, plan = made(LONG, SAID)
    read = list(srt.parse(to_srt(captions(plan, session, {LONG: spread(LONG), SAID: spread(SAID)}))))
    assert len(read) > 2
    assert all(len(cue.content.splitlines()) <= 2 for cue in read)
    assert all(len(line) <= SRT_LINE for cue in read for line in cue.content.splitlines())
    assert " ".join(" ".join(cue.content.split()) for cue in read) == f"{LONG.text} {in_srt(SAID.text)}"
    starts = [cue.start for cue in read]
    assert starts == sorted(set(starts))
    assert all(cue.start < cue.end for cue in read)


words_of_any_script = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)


@given(st.lists(words_of_any_script, min_size=1, max_size=40), st.booleans())
def test_any_text_comes_back_whole(words: list[str], timed: bool) -> None:
    line = Line(GUIDE, " ".join(words), AT)
    session, plan = made(line)
    cues = captions(plan, session, {line: spread(line)} if timed else {})
    assert [unescape(" ".join(cue.text.split())) for cue in webvtt.from_buffer(io.StringIO(to_vtt(cues)))] == [
        line.text
    ]
    assert " ".join(" ".join(cue.content.split()) for cue in srt.parse(to_srt(cues))) == in_srt(line.text)


def in_srt(text: str) -> str:
    return text.replace("-->", "→")


@given(st.lists(st.tuples(st.sampled_from(["May", "12", "&", "-->", "1 2"]), st.integers(0, 3)), min_size=1))
def test_stamps_rise_strictly_from_the_cues_start_and_stand_before_what_is_spoken(
    said: list[tuple[str, int]],
) -> None:
    words = tuple((text, 1000 + onset) for text, onset in said)
    text = to_vtt([Caption(1000, 9000, "Guide", " ".join(text for text, _ in said), words)])
    stamps = [round(seconds(stamp) * 1000) for stamp in re.findall(r"<(\d\d:[\d:.]+)>", text)]
    assert stamps == sorted(set(stamps))
    assert all(stamp > 1000 for stamp in stamps)
    assert set(re.findall(r"<\d\d:[\d:.]+>(\S+?)(?=\s|</v>)", text)) <= {"May", "12", "1", "2"}
    spoken = [onset for text, onset in words if text not in ("&", "-->")]
    assert (max(spoken, default=0) > 1000) == bool(stamps)


def test_an_arrow_in_the_text_never_looks_like_the_times_of_an_srt_cue() -> None:
    session, plan = made(SAID, Line(GUIDE, "One --->two.", AT))
    text = to_srt(captions(plan, session, {}))
    assert text.count("-->") == len(list(srt.parse(text)))
    assert "One -→two." in text


def test_the_transcript_names_sections_and_whoever_is_not_the_guide() -> None:
    session, plan = made(LONG, SAID)
    text = transcript(plan, session)
    assert text.startswith("Ease\n====\n")
    assert "\nOnly <one>\n----------\n" in text
    assert f"\n{LONG.text}\n\nThe Worrier: {SAID.text}\n" in text
