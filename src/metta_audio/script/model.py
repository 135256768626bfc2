"""What a script is, and what a session is: frozen data, no behaviour beyond reading itself.

A ``Script`` is the author's file, its front matter read and its body still a template. A ``Session`` is that
script filled for one listener: parameters chosen, templates unrolled, every gap a thing of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from metta_audio.errors import Place
from metta_audio.units import Decibels, Seconds, WordsPerMinute

ParamType = Literal["text", "number", "choice", "list", "flag"]
ParamValue = str | float | bool | tuple[str, ...]
GapKind = Literal["sentence", "paragraph", "section", "pause", "silence"]
SpanKind = Literal["emphasis", "ipa", "slow", "fast", "soft", "loud", "sub"]

GUIDE = "guide"
"""The role that speaks every line that names no other."""

ARTICULATION = WordsPerMinute(110.0)
"""Words a minute while someone speaks, unless a script says otherwise: guided recordings articulate at 101–144."""


RATES = (60.0, 200.0)
"""Articulation in words a minute that may be asked for. Below 60 words drag apart; 90 to 125 suits guided practice,
ordinary speech has 150, and above 200 no one follows with closed eyes."""


BREATH_SOUNDS = ("tone", "noise", "bed", "tick", "count", "silence")
"""What may lead a breath. The first is the default: it is heard on any loudspeaker and under any bed."""


NO_SIP = Seconds(0.0)
"""One breath in, not two."""


LEVELS = (-6.0, 3.0)
"""Decibels that a role may lie from the others. Quieter than -6, and its words are lost in a car or on a phone; louder
than 3, and it startles closed eyes."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing a listener may choose. ``default`` None means it must be given."""

    name: str
    type: ParamType
    default: ParamValue | None
    help: str = ""
    choices: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """Who speaks, and where they seem to be; ``voice`` empty lets the renderer cast one.

    ``pan`` runs from -1 (left) to 1 (right), ``room`` from 0 (near) to 1 (far); ``level`` is in dB against the other
    voices, -6 to 3.
    """

    name: str
    title: str = ""
    pan: float = 0.0
    voice: str = ""
    rate: WordsPerMinute | None = None
    level: float = 0.0
    room: float = 0.0


@dataclass(frozen=True, slots=True)
class Minutes:
    """The lengths a practice is written for, in minutes."""

    default: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """How a word is said: in IPA, and spelt as it sounds for voices that read none. Both empty: as the voice has it."""

    ipa: str = ""
    say: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """The front matter, checked. ``places`` says where the names of bed and bell stand."""

    title: str
    summary: str
    minutes: Minutes
    params: Mapping[str, Parameter]
    roles: Mapping[str, Role]
    language: str = "en-us"
    wpm: WordsPerMinute = ARTICULATION
    bed: str | None = None
    bell: str | None = None
    breath: str = ""
    author: str = ""
    album: str = ""
    date: str = ""
    genre: str = ""
    description: str = ""
    lexicon: Mapping[str, Pronunciation] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed file: header checked, body a template whose first line is ``body_line`` of the file.

    ``sha256`` is of the file's bytes. ``file`` is the path as the user knows it, for error messages.
    """

    name: str
    file: str
    header: Header
    body: str
    body_line: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Span:
    """Markup over ``text[start:end]`` of a line. ``value`` is the IPA string or the substitute, where there is one."""

    start: int
    end: int
    kind: SpanKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence spoken by one role: what becomes one clip. ``text`` is as read, without markup.

    ``private`` are the parts ``text[start:end]`` that come from a listener's free text, in order.
    """

    role: str
    text: str
    place: Place
    spans: tuple[Span, ...] = ()
    private: tuple[tuple[int, int], ...] = ()

    @property
    def shown(self) -> str:
        """``text`` as anybody may read it: "…" for what comes from a listener."""
        text = self.text
        for start, end in reversed(self.private):
            text = f"{text[:start]}…{text[end:]}"
        return text


@dataclass(frozen=True, slots=True)
class Pause:
    """A gap. ``low <= preferred <= high`` in seconds; equal bounds make it exact. ``weight`` > 0."""

    low: Seconds
    preferred: Seconds
    high: Seconds
    kind: GapKind
    place: Place
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Bell:
    """``strikes`` of the bell ``name`` (empty: the session's own bell)."""

    name: str
    strikes: int
    place: Place


@dataclass(frozen=True, slots=True)
class Breath:
    """``cycles`` of in, hold, out, rest (seconds each, 0 where there is none), rigid to the sample.

    The last ``sip`` seconds of the in-phase are a second breath in. ``sound`` is one of ``BREATH_SOUNDS``, empty for
    the session's own. ``pattern`` is the name that the cue gives, and ``cautions`` are sentences for the report.
    """

    phases: tuple[Seconds, Seconds, Seconds, Seconds]
    cycles: int
    place: Place
    sip: Seconds = NO_SIP
    sound: str = ""
    pattern: str = ""
    cautions: tuple[str, ...] = ()

    @property
    def cycle(self) -> Seconds:
        """Length of one cycle in seconds."""
        return Seconds(sum(self.phases))


@dataclass(frozen=True, slots=True)
class BedChange:
    """From here: another bed (``name``), silence (``name`` "off"), or a shift of ``level`` dB (``name`` empty)."""

    name: str
    level: Decibels
    place: Place


@dataclass(frozen=True, slots=True)
class SoundCue:
    """Play the file ``name`` from a sounds shelf, whole."""

    name: str
    place: Place


Item = Line | Pause | Bell | Breath | BedChange | SoundCue


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part; a chapter later. ``share`` is a soft percentage of the whole, None where not given."""

    title: str
    items: tuple[Item, ...]
    place: Place
    share: float | None = None
    optional: bool = False
    repeat_min: int = 1
    repeat_max: int = 1


@dataclass(frozen=True, slots=True)
class Session:
    """A script filled for one listener.

    ``private`` names the parameters of type text: their values never leave the speech, captions and transcript.
    ``file`` is the script's path: sounds and packs beside it may be used. ``sources`` are the packs and parts that
    filled it, as kind and name → sha256.
    """

    name: str
    header: Header
    sections: tuple[Section, ...]
    minutes: float
    params: Mapping[str, ParamValue]
    seed: int
    script_sha256: str
    private: frozenset[str] = field(default_factory=frozenset)
    file: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
