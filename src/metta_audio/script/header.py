"""The front matter, checked: its shape by pydantic, its meaning here, every fault at the author's own line."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from metta_audio.errors import Place, ScriptError, did_you_mean
from metta_audio.script.front_matter import FrontMatter, Path, read_front_matter
from metta_audio.script.model import (
    ARTICULATION,
    BREATH_SOUNDS,
    GUIDE,
    LEVELS,
    RATES,
    Header,
    Minutes,
    Parameter,
    Role,
)
from metta_audio.script.params import BadValue, check_value
from metta_audio.script.pronunciation import read_entries
from metta_audio.units import WordsPerMinute

DEFAULT_MINUTES = Minutes(default=10.0, min=3.0, max=60.0)
"""For a script that names no length: with novices ten minutes did as well as twenty; most practices span 3–60."""

LONGEST_MINUTES = 180.0
"""Three hours, the limit of every duration in this program."""

RESERVED_NAMES = frozenset(
    {"minutes", "title", "pack", "choose", "shuffled", "range", "namespace", "loop", "self", "caller"}
)
"""Names a script can already use; a parameter of that name would hide them."""

_PARAM_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ROLE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_KEYWORDS = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "elif", "for", "true", "false", "none", "recursive"}
)


def _word(value: object) -> object:
    """Let numbers stand where a word is wanted (``choices: [4, 8]``), and nothing for no words (``summary:``)."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _empty(value: object) -> object:
    """A key with nothing behind it (``self:``) takes all its defaults."""
    return {} if value is None else value


Text = Annotated[str, BeforeValidator(_word)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Minutes(_Shape):
    default: float | None = Field(default=None, gt=0, le=LONGEST_MINUTES)
    min: float | None = Field(default=None, gt=0, le=LONGEST_MINUTES)
    max: float | None = Field(default=None, gt=0, le=LONGEST_MINUTES)


class _Param(_Shape):
    type: Literal["text", "number", "choice", "list", "flag"]
    default: Any = None
    help: Text = ""
    choices: list[Text] = []
    min: float | None = None
    max: float | None = None


class _Role(_Shape):
    title: Text = ""
    pan: float = Field(0.0, ge=-1, le=1)
    voice: Text = ""
    rate: float | None = Field(default=None, ge=RATES[0], le=RATES[1])
    level: float = Field(0.0, ge=LEVELS[0], le=LEVELS[1])
    room: float = Field(0.0, ge=0, le=1)


class _FrontMatter(_Shape):
    title: Text = ""
    summary: Text = ""
    minutes: Annotated[
        _Minutes, BeforeValidator(lambda v: {"default": v} if isinstance(v, int | float) else _empty(v))
    ] = _Minutes()
    params: Annotated[dict[str, _Param], BeforeValidator(_empty)] = {}
    roles: Annotated[dict[str, Annotated[_Role, BeforeValidator(_empty)]], BeforeValidator(_empty)] = {}
    language: str = Field("en-us", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    wpm: float = Field(ARTICULATION, ge=RATES[0], le=RATES[1])
    bed: Text | None = None
    bell: Text | None = None
    breath: Text | None = None
    author: Text = ""
    album: Text = ""
    date: Text = ""
    genre: Text = ""
    description: Text = ""
    lexicon: Annotated[dict[str, Any], BeforeValidator(_empty)] = {}


def read_header(text: str, *, name: str, file: str, first_line: int) -> Header:
    """Check the front matter ``text``, whose first line is line ``first_line`` of ``file``. Raises ``ScriptError``."""
    front = read_front_matter(text, file=file, first_line=first_line)
    try:
        shape = _FrontMatter.model_validate(front.data)
    except ValidationError as fault:
        _raise(fault, front)
    return Header(
        title=" ".join(shape.title.split())
        or name.replace("-", " ").replace("_", " ").strip().capitalize()
        or "Untitled",
        summary=shape.summary.strip(),
        minutes=_minutes(shape.minutes, front),
        params={key: _parameter(key, param, front) for key, param in shape.params.items()},
        roles=_roles(shape.roles, front),
        language=shape.language.lower(),
        wpm=WordsPerMinute(shape.wpm),
        bed=shape.bed or None,
        bell=shape.bell or None,
        breath=_breath(shape.breath, front),
        places={key: front.place((key,)) for key in ("bed", "bell") if front.data and key in front.data},
        author=shape.author,
        album=shape.album,
        date=shape.date,
        genre=shape.genre,
        description=shape.description.strip(),
        lexicon=read_entries(shape.lexicon, partial(_place_in_lexicon, front, text.split("\n"))),
    )


def _place_in_lexicon(
    front: FrontMatter, lines: list[str], word: str, key: str = "", value: str = "", index: int = 0, /
) -> Place:
    """As ``script.pronunciation.At``: where a value is written as it is, its character; else its key."""
    place = front.place(("lexicon", word, *([key] if key else [])))
    line = lines[place.line - front.place(()).line]
    found = line.find(value, place.column - 1) if value else -1
    return Place(place.file, place.line, found + index + 1) if found >= 0 else place


def _breath(word: str | None, front: FrontMatter) -> str:
    if word and word not in BREATH_SOUNDS:
        hint = did_you_mean(word, BREATH_SOUNDS)
        raise ScriptError(f'"{word}" is no sound that leads a breath', place=front.place(("breath",)), hint=hint)
    return word or ""


def _minutes(shape: _Minutes, front: FrontMatter) -> Minutes:
    usual = DEFAULT_MINUTES
    default = shape.default if shape.default is not None else None
    low = shape.min if shape.min is not None else min(usual.min, default or usual.min, shape.max or usual.min)
    high = shape.max if shape.max is not None else max(usual.max, default or usual.max, low)
    if default is None:
        default = min(max(usual.default, low), high)
    if low > high:
        what = f"minutes: min {low:g} is above max {high:g}"
        raise ScriptError(what, place=front.place(("minutes", "min")), hint="exchange them")
    if not low <= default <= high:
        what = f"minutes: the default {default:g} is not between min {low:g} and max {high:g}"
        raise ScriptError(what, place=front.place(("minutes", "default")), hint="min ≤ default ≤ max")
    return Minutes(default=default, min=low, max=high)


def _parameter(name: str, shape: _Param, front: FrontMatter) -> Parameter:
    path: Path = ("params", name)
    place = front.place(path)
    if not _PARAM_NAME.fullmatch(name) or name in _KEYWORDS:
        raise ScriptError(
            f'"{name}" cannot name a parameter', place=place, hint="use small letters, digits and _, such as first_name"
        )
    if name in RESERVED_NAMES:
        raise ScriptError(f'"{name}" already means something in a script', place=place, hint=f"call it my_{name}")
    wants_choices = shape.type in {"choice", "list"}
    if wants_choices and not shape.choices:
        raise ScriptError(f"{name} is a {shape.type} without choices", place=place, hint="add choices: [one, two]")
    if not wants_choices and shape.choices:
        raise ScriptError(
            f"{name} is a {shape.type}: it takes no choices", place=place, hint="make its type choice or list"
        )
    for choice in shape.choices:
        if not choice.strip() or choice != choice.strip() or "," in choice:
            raise ScriptError(
                f'{name}: "{choice}" cannot be a choice', place=place, hint="use words without commas around or inside"
            )
    if shape.type != "number" and (shape.min is not None or shape.max is not None):
        raise ScriptError(f"{name} is a {shape.type}: min and max are for numbers", place=place, hint="leave them out")
    if shape.min is not None and shape.max is not None and shape.min > shape.max:
        raise ScriptError(f"{name}: min {shape.min:g} is above max {shape.max:g}", place=place, hint="exchange them")
    param = Parameter(name, shape.type, None, shape.help, tuple(shape.choices), shape.min, shape.max, place)
    if shape.default is None:
        return param
    raw = _word(shape.default) if shape.type == "choice" else shape.default
    if shape.type == "list" and isinstance(raw, list):
        raw = [_word(item) for item in raw]
    try:
        default = check_value(param, raw)
    except BadValue as fault:
        where = front.place((*path, "default"))
        raise ScriptError(f"the default of {name}: {fault}", place=where, hint=fault.hint) from None
    return Parameter(name, shape.type, default, shape.help, param.choices, shape.min, shape.max, place)


def _roles(shapes: dict[str, _Role], front: FrontMatter) -> dict[str, Role]:
    roles = {GUIDE: Role(GUIDE, title="Guide")}
    spoken_for: dict[str, str] = {}
    for name, shape in shapes.items():
        place = front.place(("roles", name))
        if not _ROLE_NAME.fullmatch(name):
            raise ScriptError(
                f'"{name}" cannot name a role', place=place, hint="use small letters, digits and -, such as inner-child"
            )
        title = " ".join(shape.title.split()) or name.replace("_", " ").replace("-", " ").title()
        for label in {name, title.lower()}:
            if spoken_for.setdefault(label, name) != name:
                raise ScriptError(f'two roles are called "{label}"', place=place, hint="rename one of them")
        rate = WordsPerMinute(shape.rate) if shape.rate is not None else None
        roles[name] = Role(name, title, shape.pan, shape.voice, rate, shape.level, shape.room)
    return roles


_WANTED = {
    "string_type": "text is wanted here",
    "float_type": "a number is wanted here",
    "float_parsing": "a number is wanted here",
    "dict_type": "settings are wanted here, as key: value",
    "model_type": "settings are wanted here, as key: value",
    "list_type": "a list is wanted here, as [one, two]",
}


def _raise(fault: ValidationError, front: FrontMatter) -> NoReturn:
    """Say pydantic's first finding (in the order of the file) in an author's words."""
    found = [(error, _path(error["loc"], front)) for error in fault.errors(include_url=False)]
    error, path = min(found, key=lambda pair: front.place(pair[1]))
    place, key, kind = front.place(path), str(path[-1]) if path else "", error["type"]
    if kind == "extra_forbidden":
        raise ScriptError(f'there is no setting "{key}" here', place=place, hint=did_you_mean(key, _known_keys(path)))
    if kind == "missing":
        raise ScriptError(f'"{path[-2]}" has no {key}', place=place, hint=f"add {key}: to it")
    if kind == "literal_error":
        word = str(error["input"])[:40]
        raise ScriptError(f'"{word}" is no {key}', place=place, hint=did_you_mean(word, _param_types()))
    if kind == "string_pattern_mismatch":
        raise ScriptError(f"{key} is not a language code", place=place, hint="write for example en-us or de")
    message = str(error["msg"]).replace("Input should be", "it should be")
    raise ScriptError(f"{key}: {_WANTED.get(kind, message)}", place=place)


def _path(loc: tuple[int | str, ...], front: FrontMatter) -> Path:
    """Pydantic's path, whose last step may be missing from the file."""
    return tuple(loc) if loc[:-1] in front.places or len(loc) < 2 else tuple(loc[:-1])


def _known_keys(path: Path) -> list[str]:
    match path:
        case ("minutes", _):
            shape: type[_Shape] = _Minutes
        case ("params", _, _):
            shape = _Param
        case ("roles", _, _):
            shape = _Role
        case _:
            shape = _FrontMatter
    return list(shape.model_fields)


def _param_types() -> list[str]:
    return ["choice", "flag", "list", "number", "text"]
