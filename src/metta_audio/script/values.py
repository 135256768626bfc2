"""What expressions work with: a listener's text, how a value is spoken, and the filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2.runtime import LoopContext, Undefined
from jinja2.utils import Namespace
from markupsafe import Markup

from metta_audio.script.budget import bounded

_REPLACE_LIMIT = 1_000_000
"""Length of a text times the length of what is put in: bounds the work of a replacement before it is done."""


class Private(str):
    """A listener's free text. What is made from it stays private."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Private:
        return Private(str.__getitem__(self, key))

    def __iter__(self) -> Any:
        return (Private(letter) for letter in str.__iter__(self))

    def lower(self) -> Private:
        """All small letters."""
        return Private(str.lower(self))

    def upper(self) -> Private:
        """All capitals."""
        return Private(str.upper(self))

    def title(self) -> Private:
        """Each word with a capital."""
        return Private(str.title(self))

    def capitalize(self) -> Private:
        """The first letter a capital, the rest small."""
        return Private(str.capitalize(self))

    def strip(self, chars: str | None = None, /) -> Private:
        """Without the spaces (or ``chars``) around it."""
        return Private(str.strip(self, chars))

    def split(self, sep: str | None = None, maxsplit: Any = -1) -> list[Any]:
        """The pieces between separators."""
        return [Private(piece) for piece in str.split(self, sep, maxsplit)]


def kind(value: object) -> str:
    """Name the kind of ``value`` for a message."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "yes or no"),
        ((int, float), "a number"),
        (str, "a text"),
        ((list, tuple, range), "a list"),
        (dict, "a mapping"),
        (LoopContext, "loop"),
        (Namespace, "a namespace"),
    )
    return next((name for types, name in names if isinstance(value, types)), "this")


def plain(value: Any) -> str:
    """Write a value as it is spoken: numbers without a trailing ``.0``, flags as yes and no."""
    if isinstance(value, Undefined):
        str(value)  # raises: an unknown name must not be printed
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else f"{round(value, 6):.6f}".rstrip("0")
    if isinstance(value, list | tuple):
        raise TypeError("a list cannot be spoken: write {{ " + "the_list | join(', ') }}")
    if callable(value):
        raise TypeError("this has to be called: put () behind its name")
    raise TypeError("this expression has nothing to say")


def private(*values: Any) -> bool:
    """Tell whether any of ``values`` is a listener's free text, or a list that holds some."""
    return any(isinstance(v, Private) or (isinstance(v, list | tuple) and private(*v)) for v in values)


def _text(value: Any) -> str:
    if isinstance(value, Markup):
        raise TypeError("this filter is for values, not for the text of a macro or a set block")
    return value if isinstance(value, Private) else plain(value)


def _list(value: Any) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{kind(value)} is not a list")
    return list(value)


def _join(value: Any, between: str = "") -> str:
    items = [_text(item) for item in _list(value)]
    text = bounded(_text(between).join(items))
    return Private(text) if private(between, *items) else str(text)


def _default(value: Any, fallback: Any = "", empty_too: bool = False) -> Any:
    if isinstance(value, Undefined) or (empty_too and not value):
        return fallback
    return value


def _replace(value: Any, old: str, new: str) -> str:
    before = _text(value)
    if len(before) * (len(_text(new)) + 1) > _REPLACE_LIMIT or not old:
        raise TypeError("this replacement is too large")
    text = bounded(str.replace(before, _text(old), _text(new)))
    return Private(text) if private(value, new) else str(text)


def _round(value: Any, digits: int = 0) -> float:
    return round(float(value), int(digits))


def _number(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        try:
            return read(value)
        except ValueError:
            raise TypeError("this text is not a number: ask for it with a parameter of type number") from None

    return of


def _element(pick: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        items = list(value) if isinstance(value, str) else _list(value)
        if not items:
            raise TypeError("the list is empty")
        return pick(items)

    return of


FILTERS: Mapping[str, Callable[..., Any]] = {
    "lower": lambda value: _text(value).lower(),
    "upper": lambda value: _text(value).upper(),
    "title": lambda value: _text(value).title(),
    "capitalize": lambda value: _text(value).capitalize(),
    "trim": lambda value: _text(value).strip(),
    "replace": _replace,
    "join": _join,
    "default": _default,
    "d": _default,
    "first": _element(lambda items: items[0]),
    "last": _element(lambda items: items[-1]),
    "length": len,
    "count": len,
    "list": _list,
    "reverse": lambda value: _list(value)[::-1],
    "sort": lambda value: sorted(_list(value)),
    "int": _number(int),
    "float": _number(float),
    "abs": abs,
    "round": _round,
    "min": lambda value: min(_list(value)),
    "max": lambda value: max(_list(value)),
    "sum": lambda value: bounded(sum(_list(value))),
}
"""Few, ours, and on text, numbers and lists only."""
