"""What a person recorded, line by line: from one long recording, or from a file for each line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from metta_audio.errors import SoundError
from metta_audio.sound.wave import Wave
from metta_audio.takes.envelope import LEAST_DISTANCE
from metta_audio.takes.hearing import Ear, Flaw
from metta_audio.takes.lines import SheetLine, usual_lengths
from metta_audio.takes.match import Match, Matched, match, of_known_lines
from metta_audio.takes.recording import Recording
from metta_audio.takes.split import EDGE, Piece, pieces, spoken
from metta_audio.units import Samples, Seconds, WordsPerMinute

SURE = 0.95
"""Of all ways to read a recording, the share that must agree on a match that its sound leaves open. By order and length
alone, with 3 % of lines left out and 8 % read again, one match in 100 above it is wrong, and a third of the lines are
below. With sound, in 56 readings put together from voices that are not those they are compared with, with lines left
out, read again, swapped, cut and begun twice, none of 4,000 matches that were believed was another line."""

_SURE_SMOOTH = 0.9
"""The same where every line was read once and nothing else was heard: then there is less to be mistaken about."""

_ASTRAY = 0.7
"""Share of lines in doubt, or of sounds that are no line, beyond which no match is believed. With many slips half of
the lines are in doubt; with another script, or with the second half read first, nearly all."""

_LEAST_LINES = 8
"""Lines under which such shares mean nothing."""

_WRONG_SCRIPT = (
    "is this the right script, read in order? The recording fits its lines badly, so all takes are doubtful: compare "
    "it with the sheet, and import it with the --minutes, --set and --seed of that sheet"
)

_NO_READING = "the recording fits this script badly"

_FLAWS: Mapping[Flaw, str] = {
    "no beginning": "its beginning seems to be missing",
    "no end": "its end seems to be missing",
    "begun twice": "it seems to begin twice",
}

_EARLIER = ("it was read again",)

_UNKNOWN = WordsPerMinute(0.0)


@dataclass(frozen=True, slots=True)
class Found:
    """A line in a recording: samples ``[start, end)``, in which somebody speaks for ``spoken`` of ``expected`` seconds.

    ``recording`` is its number among those given, from 0; ``readings`` counts how often it was read there, ``doubts``
    are sentences. ``certainty`` runs from 0 to 1. ``earlier`` are the readings before this one, the first first, and
    ``file`` is the name of its file, where each line has its own.
    """

    line: SheetLine
    recording: int
    start: Samples
    end: Samples
    rate: int
    spoken: Seconds
    expected: Seconds
    certainty: float = 1.0
    readings: int = 1
    doubts: tuple[str, ...] = ()
    earlier: tuple[Found, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sound that is no line: which recording it is in, and its seconds there."""

    recording: int
    start: Seconds
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was found: at most one take of each line, what was left out, and sentences for people.

    ``rate`` is the speaker's, in words of average length a minute; 0 where unknown.
    """

    found: tuple[Found, ...]
    left_out: tuple[LeftOut, ...] = ()
    rate: WordsPerMinute = _UNKNOWN
    notes: tuple[str, ...] = ()


def read_through(
    recordings: Sequence[Recording],
    lines: Sequence[SheetLine],
    said: Sequence[Wave] | None = None,
    *,
    known: Collection[int] = (),
    pace: float = 0.0,
) -> Reading:
    """Find ``lines`` in long ``recordings``, which continue one another.

    ``said`` is each line in a synthetic voice, to compare with; without it, order and length alone decide. Lines whose
    numbers are ``known`` are not looked for: what sounds like one of them is passed over. ``pace`` is what this person
    usually takes for a word, in seconds; 0 where unknown.
    Raises SoundError for a recording without pauses.
    """
    cut: list[Piece] = []
    notes = []
    for number, recording in enumerate(recordings):
        recording.must_have_pauses()
        cut += pieces(recording, number)
        notes += [f"{recording.name}: {note}" for note in recording.notes]

    def sound(piece: Piece) -> Wave:
        return recordings[piece.recording].wave(piece.start, piece.end)

    if known and said:
        at_hand = [at for at, line in enumerate(lines) if line.number in known]
        passed = of_known_lines(cut, [line.words for line in lines], at_hand, Ear(cut, sound, said), pace)
        cut = [piece for at, piece in enumerate(cut) if at not in passed]
    said = said and [wave for wave, line in zip(said, lines, strict=True) if line.number not in known]
    lines = [line for line in lines if line.number not in known]
    matched = match(cut, [line.words for line in lines], Ear(cut, sound, said) if said and cut else None, pace)
    sure = _SURE_SMOOTH if matched.smooth else SURE
    found = tuple(_found(lines[each.line], each, cut, recordings, sure) for each in matched.matches if each.readings)
    left = tuple(_left_out(cut[number]) for number in matched.left_out)
    if (matched.heard is False and not known) or _astray(found, len(left)):
        found = tuple(replace(each, doubts=each.doubts or (_NO_READING,)) for each in found)
        notes.append(_WRONG_SCRIPT)
    notes += [*_elsewhere(matched, lines), *_proportion(len(cut), len(lines), len(found))]
    return Reading(found, left, matched.rate, tuple(notes))


def read_files(files: Mapping[int, Sequence[Path | Wave]], lines: Sequence[SheetLine], pace: float = 0.0) -> Reading:
    """Take each of ``files``, which are numbered as the lines are, as one line; of several, the last counts.

    ``Found.recording`` counts them all, in the order of the lines.
    ``pace`` is what this person usually takes for a word, in seconds; 0 where unknown: then these files tell.
    Raises SoundError for a number that no line has.
    """
    by_number = {line.number: line for line in lines}
    for number in files:
        if number not in by_number:
            last = max(by_number, default=0)
            raise SoundError(f"no line has the number {number}", hint=f"the sheet has lines 1 to {last}")
    found, notes = [], []
    number = 0
    for at, sources in sorted(files.items()):
        every = []
        for source in sources:
            with Recording(source) as recording:
                every.append(_whole(by_number[at], recording, number))
                notes += [f"{recording.name}: {note}" for note in recording.notes]
            number += 1
        earlier = tuple(replace(each, doubts=_EARLIER) for each in every[:-1])
        found.append(replace(every[-1], readings=len(every), earlier=earlier))
    usual = pace or float(np.median([each.spoken / each.line.words for each in found] or [0.0]))
    return Reading(tuple(_paced(each, usual) for each in found), (), _rate(usual), tuple(notes))


def _astray(found: Sequence[Found], left: int) -> bool:
    """Whether the pieces fit the lines so badly that it may be another script, or another order."""
    if len(found) < _LEAST_LINES:
        return False
    doubtful = sum(bool(each.doubts) for each in found) / len(found)
    return max(doubtful, left / (left + len(found))) > _ASTRAY


def _found(line: SheetLine, found: Match, cut: Sequence[Piece], recordings: Sequence[Recording], sure: float) -> Found:
    doubts = [*_off(found.seconds, found.expected, line.words)]
    if found.heard.flaw:
        doubts.append(_FLAWS[found.heard.flaw])
    # What sounds like this line and no other is this line, whatever else order and length would allow.
    if found.heard.other or (found.certainty < sure and not found.heard.clear):
        doubts.append("it could be another line, too")
    every = []
    for first, after in found.readings:
        recording = recordings[cut[first].recording]
        start, end = _edges(cut, first, after, recording)
        seconds = Seconds(sum(piece.seconds for piece in cut[first:after]))
        every.append(
            Found(
                line,
                cut[first].recording,
                start,
                end,
                recording.rate,
                seconds,
                Seconds(found.expected),
                doubts=_EARLIER,
            )
        )
    return replace(
        every[-1],
        certainty=found.certainty,
        readings=len(every),
        doubts=tuple(doubts),
        earlier=tuple(every[:-1]),
    )


def _edges(cut: Sequence[Piece], first: int, after: int, recording: Recording) -> tuple[Samples, Samples]:
    """From a little before the first of some pieces to a little after the last, at most half way to the others."""
    edge = round(EDGE * recording.rate)
    start, end = cut[first].start, cut[after - 1].end
    before = cut[first - 1].end if first and cut[first - 1].recording == cut[first].recording else 0
    last = len(cut) > after and cut[after].recording == cut[first].recording
    behind = cut[after].start if last else recording.frames
    low = start - min(edge, (start - before) // 2 if before else start)
    high = end + min(edge, (behind - end) // 2 if last else behind - end)
    return Samples(low), Samples(high)


def _whole(line: SheetLine, recording: Recording, number: int) -> Found:
    """A file that holds one line; where nothing in it is quiet, all of it."""
    cut = spoken(pieces(recording))
    start, end, sounding = 0, recording.frames, recording.seconds
    if cut and recording.levels.voice - recording.levels.room >= LEAST_DISTANCE:
        edge = round(EDGE * recording.rate)
        start, end = max(0, cut[0].start - edge), min(recording.frames, cut[-1].end + edge)
        sounding = Seconds(sum(piece.seconds for piece in cut))
    return Found(
        line, number, Samples(start), Samples(end), recording.rate, sounding, Seconds(0.0), file=recording.name
    )


def _paced(found: Found, pace: float) -> Found:
    expected = Seconds(found.line.words * pace)
    return replace(found, expected=expected, doubts=_off(found.spoken, expected, found.line.words))


def _off(seconds: float, expected: float, words: float) -> tuple[str, ...]:
    if seconds <= 0 or expected <= 0:
        return ()
    shortest, longest = usual_lengths(words)
    if shortest <= seconds / expected <= longest:
        return ()
    return (f"it is {'longer' if seconds > expected else 'shorter'} than its words",)


def _left_out(piece: Piece) -> LeftOut:
    return LeftOut(piece.recording, Seconds(piece.start / piece.rate), piece.seconds)


def _elsewhere(matched: Matched, lines: Sequence[SheetLine]) -> tuple[str, ...]:
    """Say so where lines were found in another place."""
    if not matched.elsewhere:
        return ()
    numbers = ", ".join(str(lines[at].number) for at in matched.elsewhere)
    return (f"read in another place than on the sheet, and found by their sound: {numbers}",)


def _proportion(cut: int, lines: int, found: int) -> tuple[str, ...]:
    """Say so where a recording cannot well be of these lines."""
    if found < lines / 2:
        return (f"only {found} of {lines} lines were found: is this the whole recording, and this script?",)
    if cut > 3 * lines:
        return (f"{cut} sounds between silences for {lines} lines: read each line without long pauses in it",)
    return ()


def _rate(pace: float) -> WordsPerMinute:
    return WordsPerMinute(60 / pace if pace else 0.0)
