"""load → fill → plan → render: each step takes one thing and gives the next."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from metta_audio.errors import SettingsError, VoiceError, did_you_mean
from metta_audio.rendering.counting import COUNTER, counting_lines
from metta_audio.rendering.mastering import Mastering
from metta_audio.rendering.options import Options, Progress, bell_cue, interval, silent_progress
from metta_audio.rendering.palette import Palette
from metta_audio.rendering.sources import Sources
from metta_audio.script import fill as filling
from metta_audio.script.model import GUIDE, Bell, Line, Script, Session, SoundCue
from metta_audio.settings import Settings, read_settings
from metta_audio.shelves import Shelves
from metta_audio.speech.cache import Clips, PassingClips, open_store
from metta_audio.speech.clip import Clip
from metta_audio.speech.setup import AUTO
from metta_audio.speech.speak import Speaker, Spoken
from metta_audio.speech.voice import Engine, Voice
from metta_audio.timeline.bells import ring_every, without_closing_bell, without_opening_bell
from metta_audio.timeline.model import Timeline, Word
from metta_audio.timeline.place import Extent, place
from metta_audio.units import Samples, WordsPerMinute, clock, to_samples, to_seconds
from metta_audio.voices.registry import best_voice, cast_roles, find_engines, open_voice


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
    speaker: Speaker | None
    mastering: Mastering
    onsets: Mapping[Line, Samples]
    notes: tuple[str, ...] = ()

    @property
    def estimated(self) -> bool:
        """Whether line lengths were estimated from the words a minute."""
        return self.speaker is None

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voice of every role that speaks."""
        return self.speaker.voices if self.speaker else {}

    def clip(self, line: Line) -> Clip:
        """The sound of a line. Raises SettingsError for an estimated plan."""
        if self.speaker is None:
            raise SettingsError("an estimated plan has no voice", hint="plan without estimate to render")
        return self.speaker.clip(line, self.spoken[line])

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
    if session.file:
        shelves = shelves.beside(Path(session.file))
    session = _with_own_bells(session, options)
    palette = Palette(session, options, shelves, settings)
    mastering = Mastering.of(options, settings)
    voiced = _Voiced() if estimate else _voiced(session, options, settings, shelves, progress)
    timeline, missed = _laid_out(session, options, palette, voiced.spoken)
    return Plan(
        session,
        options,
        timeline,
        palette,
        voiced.spoken,
        voiced.speaker,
        mastering,
        voiced.onsets,
        (*voiced.notes, *palette.notes, *missed),
    )


@dataclass(frozen=True, slots=True)
class _Voiced:
    """All that was spoken, and how; nothing for an estimate."""

    spoken: Mapping[Line, Spoken] = field(default_factory=dict)
    speaker: Speaker | None = None
    onsets: Mapping[Line, Samples] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _voiced(session: Session, options: Options, settings: Settings, shelves: Shelves, progress: Progress) -> _Voiced:
    counted = counting_lines(session, options)
    lines = [item for section in session.sections for item in section.items if isinstance(item, Line)] + counted
    speaker = _speaker(session, options, settings, shelves, lines)
    done = iter(range(1, len(lines) + 1))
    clips = speaker.speak(lines, lambda: progress("speaking", next(done), len(lines)))
    spoken = dict(zip(lines, clips, strict=True))
    onsets = {line: spoken[line].onset for line in counted}
    return _Voiced(spoken, speaker, onsets, _said_otherwise(speaker, spoken))


def _said_otherwise(speaker: Speaker, spoken: Mapping[Line, Spoken]) -> tuple[str, ...]:
    """What to say of lines that the fallback spoke."""
    others = [line for line, clip in spoken.items() if clip.by != speaker.voices[line.role].name]
    if not others:
        return ()
    count = f"{len({line.text for line in others})} of {len({line.text for line in spoken})}"
    return (f"{count} lines are spoken by {spoken[others[0]].by}: nobody has recorded them",)


def _store(options: Options, settings: Settings) -> Clips:
    """Where clips wait; for private work, where they leave no trace."""
    if options.private or settings.private:
        return PassingClips()
    return open_store(settings.clips, settings.secret, settings.cache_bytes)


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


def _speaker(session: Session, options: Options, settings: Settings, shelves: Shelves, lines: list[Line]) -> Speaker:
    """A voice for every role that speaks; roles in the order in which the script declares them."""
    declared = [GUIDE, *(role for role in session.header.roles if role != GUIDE)]
    if COUNTER not in declared and any(line.role == COUNTER for line in lines):
        declared.append(COUNTER)
    for role in options.roles:
        if role not in declared:
            raise VoiceError(f'the script has no role "{role}"', hint=did_you_mean(role, declared))
    language = session.header.language
    engines = find_engines(settings.setup(private=options.private or says_own_words(session)))
    written = {name: role.voice for name, role in session.header.roles.items() if role.voice}
    for role, name in written.items():
        if ".onnx" in name.lower():
            # A script is untrusted: which files are read is for the listener to say.
            what = f'the script gives the role "{role}" a voice by its file'
            raise VoiceError(what, hint=f"if you trust it, say so yourself: --role {role}={name}")
    chosen = {**written, **options.roles}
    # What the settings name and the listener did not: an error says where it stands.
    ours = nullcontext if options.voice else partial(settings.blamed, "voice")
    with ours() if set(declared) - set(chosen) else nullcontext():
        cast = cast_roles(engines, options.voice or settings.voice, language, declared, chosen)
    speaking = {line.role for line in lines}
    voices = {}
    for role, name in cast.items():
        if role in speaking:
            with nullcontext() if role in chosen else ours():
                voices[role] = open_voice(engines, name, language)
    return Speaker(
        voices=voices,
        rate_for=partial(_rate, session, options),
        store=_store(options, settings),
        language=language,
        lexicon=shelves.lexicon(session.header),
        fallback=_fallback(engines, options, settings, language),
        plain=options.plain,
    )


def _fallback(engines: Mapping[str, Engine], options: Options, settings: Settings, language: str) -> Voice | None:
    name = options.fallback or settings.fallback
    with nullcontext() if options.fallback else settings.blamed("fallback"):
        return open_voice(engines, best_voice(engines, language) if name == AUTO else name, language) if name else None


def says_own_words(session: Session) -> bool:
    """Whether a listener's own words are spoken: a text parameter, such as a name, that is not as the script has it."""
    params = session.header.params
    return any(session.params[name] != (params[name].default or "") for name in session.private if name in params)
