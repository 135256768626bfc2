"""One value for one parameter: is it of the right kind? The same check serves defaults, Python and ``--set``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from metta_audio.errors import SettingsError, did_you_mean
from metta_audio.script.model import Header, Parameter, ParamValue

TEXT_LIMIT = 300
"""Characters of one free text: a name, a phrase or a short sentence of about 50 words, spoken as part of another."""

NUMBER_LIMIT = 1e9
"""No count or length in a practice comes near; beyond it a number is a typing error."""

_YES = frozenset({"yes", "true", "on", "1"})
_NO = frozenset({"no", "false", "off", "0"})


class BadValue(ValueError):  # noqa: N818 - it is a verdict that the callers turn into their own error
    """A value does not fit its parameter. ``hint`` says what would."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def check_value(param: Parameter, raw: object) -> ParamValue:
    """Read ``raw`` (a Python value, or a string as typed after ``--set``) as a value of ``param``.

    Raises ``BadValue``. Values of free text never appear in its message.
    """
    match param.type:
        case "text":
            return _text(raw)
        case "number":
            return _number(param, raw)
        case "flag":
            return _flag(raw)
        case "choice":
            return _choice(param, raw)
        case "list":
            items = raw.split(",") if isinstance(raw, str) else raw
            if not isinstance(items, Sequence):
                raise BadValue(f"{_kind(raw)} is not a list", "write them with commas between: a,b,c")
            words = (item.strip() if isinstance(item, str) else item for item in items)
            return tuple(_choice(param, item) for item in words if item != "")


def choose_params(header: Header, given: Mapping[str, object]) -> dict[str, ParamValue]:
    """Every parameter of ``header`` with its value. Raises ``SettingsError`` for what is unknown, unfit or missing."""
    for name in given:
        if name not in header.params:
            known = did_you_mean(name, header.params) or "this practice has no parameters"
            raise SettingsError(f'there is no parameter "{name}"', hint=known)
    missing = [name for name, param in header.params.items() if param.default is None and given.get(name) is None]
    if missing:
        example = f"{missing[0]}={_example(header.params[missing[0]])}"
        raise SettingsError(
            f"this practice needs {', '.join(missing)}", hint=f"give a value, for example --set {example}"
        )
    chosen: dict[str, ParamValue] = {}
    for name, param in header.params.items():
        raw = given.get(name)
        if raw is None:
            assert param.default is not None  # noqa: S101 - "missing" above holds every other case
            chosen[name] = param.default
            continue
        try:
            chosen[name] = check_value(param, raw)
        except BadValue as fault:
            raise SettingsError(f"parameter {name}: {fault}", hint=fault.hint) from None
    return chosen


def _example(param: Parameter) -> str:
    examples = {"text": "…", "number": str(int(param.min or 1)), "flag": "yes"}
    return examples.get(param.type) or param.choices[0]


def _kind(raw: object) -> str:
    """Name a value for a message; strings are not repeated beyond a few words."""
    if isinstance(raw, str):
        return f'"{raw[:40]}"'
    names = {bool: "yes or no", int: "a number", float: "a number", list: "a list", tuple: "a list", dict: "a mapping"}
    return "nothing" if raw is None else names.get(type(raw), type(raw).__name__)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise BadValue(f"{_kind(raw)} is not text", "put it in quotes")
    if len(raw) > TEXT_LIMIT:
        raise BadValue(f"the text has {len(raw):,} characters, more than {TEXT_LIMIT:,}")
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise BadValue("the text is not valid Unicode", "type it again, or save its source as UTF-8") from None
    return raw


def _number(param: Parameter, raw: object) -> float:
    try:
        number = math.nan if isinstance(raw, bool) or not isinstance(raw, int | float | str) else float(raw)
    except (ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= NUMBER_LIMIT:
        raise BadValue(f"{_kind(raw)} is not a number", "write for example 3 or 2.5")
    low, high = param.min, param.max
    if (low is not None and number < low) or (high is not None and number > high):
        if low is None or high is None:
            wanted = f"at most {high:g}" if low is None else f"at least {low:g}"
        else:
            wanted = f"from {low:g} to {high:g}"
        raise BadValue(f"{number:g} is out of range", f"choose a number {wanted}")
    return number


def _flag(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise BadValue(f"{_kind(raw)} is neither yes nor no", "write yes or no")


def _choice(param: Parameter, raw: object) -> str:
    word = raw.strip() if isinstance(raw, str) else raw
    if not isinstance(word, str):
        raise BadValue(f"{_kind(raw)} is not one of the choices", did_you_mean("", param.choices))
    if word not in param.choices:
        raise BadValue(f'"{word[:40]}" is not one of the choices', did_you_mean(word, param.choices))
    return word
