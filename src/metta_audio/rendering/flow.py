"""load → fill → plan → render: each step takes one thing and gives the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.rendering.counting import COUNTER, counting_lines
from metta_audio.rendering.mastering import Mastering
from metta_audio.rendering.options import Options, Progress, bell_cue, interval, silent_progress
from metta_audio.rendering.palette import Palette
from metta_audio.rendering.sources import Sources
from metta_audio.script import fill as filling
from metta_audio.script.model import GUIDE, Bell, Line, Script, Session, SoundCue
from metta_audio.settings import Settings, read_settings
from metta_audio.shelves import Shelves
from metta_audio.speech.activity import onset
from metta_audio.speech.cache import ClipStore, open_store
from metta_audio.speech.speak import Spoken, speak
from metta_audio.speech.voice import Voice
from metta_audio.timeline.bells import ring_every, without_closing_bell, without_opening_bell
from metta_audio.timeline.model import Timeline, Word
from metta_audio.timeline.place import Extent, place
from metta_audio.units import Samples, WordsPerMinute, clock, to_samples, to_seconds
from metta_audio.voices.registry import cast_roles, open_voice


@dataclass(frozen=True, slots=True)
class Plan:
    """A session laid out in time. Without a voice (``estimated``) it can be printed, not rendered.

    ``onsets`` says where in their clips the words of counted breaths begin. ``notes`` are for the person who will hear
    it: headphones, what was excluded, where a bell found no room.
    """

    session: Session
    options: Options
    timeline: Timeline
    palette: Palette
    spoken: Mapping[Line, Spoken]
    voices: Mapping[str, Voice]
    store: ClipStore | None
    mastering: Mastering
    onsets: Mapping[Line, Samples]
    notes: tuple[str, ...] = ()

    @property
    def estimated(self) -> bool:
        """Whether line lengths were estimated from the words a minute."""
        return self.store is None

    def rate(self, role: str) -> WordsPerMinute:
        """How fast a role speaks."""
        return _rate(self.session, self.options, role)

    @property
    def words(self) -> dict[Line, tuple[Word, ...]]:
        """Word onsets of every line, in samples from its start."""
        return {line: spoken.words for line, spoken in self.spoken.items()}


def load(practice: str | Path, *, scripts: Path | None = None) -> Script:
    """The practice of that name, or the script at that path.

    ``scripts`` is a shelf that is looked at first. Raises ShelfError or ScriptError.
    """
    return Shelves.standard(scripts).find(str(practice))[0]


def fill(
    script: Script,
    *,
    minutes: float | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    scripts: Path | None = None,
) -> Session:
    """Fill the script in for one listener. ``minutes`` left out means the practice's own default.

    Raises ScriptError where the text is at fault, SettingsError where a parameter is.
    """
    library = Sources(Shelves.standard(scripts).beside(Path(script.file)))
    session = filling.fill(script, library=library, minutes=minutes, params=params, seed=seed)
    return replace(session, file=script.file, sources=library.read)


def plan(
    session: Session,
    options: Options | None = None,
    *,
    estimate: bool = False,
    progress: Progress = silent_progress,
) -> Plan:
    """Speak every line (or, to ``estimate``, count its words), and lay all out in exactly the asked length.

    Raises VoiceError, SoundError, SettingsError, or PacingError where the length cannot be met.
    """
    options = options or Options()
    settings = read_settings()
    shelves = Shelves.standard(options.scripts, settings)
    session = _with_own_bells(session, options)
    palette = Palette(
        session, options, shelves.beside(Path(session.file)) if session.file else shelves, settings.exclude
    )
    mastering = Mastering.of(options, settings)
    voiced = _Voiced() if estimate else _voiced(session, options, settings, progress)
    timeline, missed = _laid_out(session, options, palette, voiced.spoken)
    return Plan(
        session,
        options,
        timeline,
        palette,
        voiced.spoken,
        voiced.voices,
        voiced.store,
        mastering,
        voiced.onsets,
        (*palette.notes, *missed),
    )


@dataclass(frozen=True, slots=True)
class _Voiced:
    """All that was spoken, and by whom; nothing for an estimate."""

    spoken: Mapping[Line, Spoken] = field(default_factory=dict)
    voices: Mapping[str, Voice] = field(default_factory=dict)
    store: ClipStore | None = None
    onsets: Mapping[Line, Samples] = field(default_factory=dict)


def _voiced(session: Session, options: Options, settings: Settings, progress: Progress) -> _Voiced:
    counted = counting_lines(session, options)
    lines = [item for section in session.sections for item in section.items if isinstance(item, Line)] + counted
    voices = _open_voices(session, options, lines)
    store = open_store(settings.clips)
    done = iter(range(1, len(lines) + 1))
    clips = speak(
        lines,
        voices,
        partial(_rate, session, options),
        store,
        lambda: progress("speaking", next(done), len(lines)),
        plain=options.plain,
    )
    spoken = dict(zip(lines, clips, strict=True))
    heard = ((line, store.get(spoken[line].key)) for line in counted)
    return _Voiced(spoken, voices, store, {line: onset(clip.wave) for line, clip in heard if clip is not None})


def _laid_out(
    session: Session, options: Options, palette: Palette, spoken: Mapping[Line, Spoken]
) -> tuple[Timeline, tuple[str, ...]]:
    """The timeline with all bells, and what to say where one found no room."""

    def measure(item: Line | Bell | SoundCue) -> Extent:
        if not isinstance(item, Line):
            return palette.extent(item)
        length = (
            spoken[item].length
            if spoken
            else to_samples(len(item.text.split()) * 60 / _rate(session, options, item.role))
        )
        return Extent(length, Samples(length))

    timeline = place(
        session,
        measure,
        to_samples(session.minutes * 60),
        opening=bell_cue(options.start_bell),
        closing=bell_cue(options.end_bell),
    )
    wanted = interval(options.interval_bell)
    if wanted is None or palette.bell(wanted[1]) is None:
        return timeline, ()
    every, bell = wanted
    rung = ring_every(timeline, to_samples(every), bell, palette.extent(bell))
    if not rung.missed:
        return rung.timeline, ()
    times = ", ".join(clock(to_seconds(time)).partition(".")[0] for time in rung.missed)
    return rung.timeline, (f"no interval bell at {times}: no pause near has room for it",)


def _with_own_bells(session: Session, options: Options) -> Session:
    """Without the script's bells at the ends where the listener chose others, or none."""
    if options.start_bell is not None:
        session = without_opening_bell(session)
    if options.end_bell is not None:
        session = without_closing_bell(session)
    return session


def _rate(session: Session, options: Options, role: str) -> WordsPerMinute:
    """What the listener asks for, else what the script says of the role, else what it says of all."""
    declared = session.header.roles.get(role)
    return WordsPerMinute(options.rate or (declared and declared.rate) or session.header.wpm)


def _open_voices(session: Session, options: Options, lines: list[Line]) -> dict[str, Voice]:
    """A voice for every role that speaks; roles in the order in which the script declares them."""
    declared = [GUIDE, *(role for role in session.header.roles if role != GUIDE)]
    if COUNTER not in declared and any(line.role == COUNTER for line in lines):
        declared.append(COUNTER)
    for role in options.roles:
        if role not in declared:
            raise VoiceError(f'the script has no role "{role}"', hint=did_you_mean(role, declared))
    written = {name: role.voice for name, role in session.header.roles.items() if role.voice}
    lead = options.voice or read_settings().voice
    cast = cast_roles(lead, session.header.language, declared, {**written, **options.roles})
    speaking = {line.role for line in lines}
    return {role: open_voice(name, session.header.language) for role, name in cast.items() if role in speaking}
