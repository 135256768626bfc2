"""What filling one script may spend, counted rather than timed: the same script always stops at the same place."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from markupsafe import Markup

STEP_LIMIT = 500_000
"""Steps in one filling: each turn of a loop and each call takes as many as its body has expressions and tags, and each
operation as many as its values weigh. The longest practice (5,000 lines) takes under 150,000; the dearest steps take
about 4 µs, so that the limit is reached within two seconds."""

STEP_CHARACTERS = 100
"""Characters that count as one step: the slowest text operation (capitals outside ASCII) takes about 1 µs for them."""

CHARACTER_LIMIT = 1_000_000
"""Characters printed and passed through. Three hours of speech are 160,000; with cues and marks, under half of this."""

STRING_LIMIT = 10_000
"""Characters of one value: ten times the longest sentence, thirty times the longest text of a listener."""

LIST_LIMIT = 1_000
"""Values in one list, those of its inner lists included: no practice goes through more."""

NUMBER_LIMIT = 1e12
"""Far past any count, and still exact."""

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}


class Overspent(Exception):  # noqa: N818 - a signal inside the package; authors see a ScriptError
    """The script asks for more than a practice can need. The message is fit for an author."""


class Budget:
    """Counts down while a script is filled."""

    def __init__(self) -> None:
        self._steps = STEP_LIMIT
        self._characters = CHARACTER_LIMIT

    def step(self, count: int = 1) -> None:
        """Take ``count`` steps."""
        self._steps -= count
        if self._steps < 0:
            raise Overspent(f"the loops and calls of this script take more than {STEP_LIMIT:,} steps")

    def print(self, characters: int) -> None:
        """Print that many characters."""
        self._characters -= characters
        if self._characters < 0:
            raise Overspent(f"this script writes more than {CHARACTER_LIMIT:,} characters")


def bounded(value: Any) -> Any:
    """``value`` itself, if it is not too large; the text of macros and set-blocks is bounded by what it may print."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        if len(value) > STRING_LIMIT:
            raise Overspent(f"a text grows past {STRING_LIMIT:,} characters")
    elif isinstance(value, list | tuple | dict) and _leaves(value, LIST_LIMIT) > LIST_LIMIT:
        raise Overspent(f"a list grows past {LIST_LIMIT:,} values")
    elif isinstance(value, int | float) and not abs(value) <= NUMBER_LIMIT:
        raise Overspent(f"a number grows past {NUMBER_LIMIT:g}")
    return value


def weight(*values: Any) -> int:
    """Steps that one operation on ``values`` takes, by their size; one at least for each."""
    steps = 0
    for value in values:
        if isinstance(value, str):
            steps += 1 + len(value) // STEP_CHARACTERS
        elif isinstance(value, dict):
            steps += 1 + weight(*value.keys(), *value.values())
        else:
            steps += 1 + (weight(*value) if isinstance(value, list | tuple) else 0)
    return steps


def _leaves(value: Any, limit: int) -> int:
    """Count the values in nested lists, no further than just past ``limit``; an empty list counts as one."""
    if not isinstance(value, list | tuple | dict):
        return 1
    count = 0
    for item in value.values() if isinstance(value, dict) else value:
        count += _leaves(item, limit - count)
        if count > limit:
            break
    return max(count, 1)


def calculate(sign: str, left: Any, right: Any) -> Any:
    """``left sign right`` for numbers, and ``+`` for lists; refuses what could grow without bound."""
    if sign == "+" and isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return bounded([*left, *right])
    for side in (left, right):
        if not isinstance(side, int | float):
            raise TypeError(f"{sign} is for numbers; join text with ~")
    if sign == "**" and (abs(left) > 1_000 or abs(right) > 16):
        raise Overspent("this power is too large")
    result = _ARITHMETIC[sign](left, right)
    if isinstance(result, complex):
        raise TypeError("this power has no real value")
    return bounded(result)
