"""One value for one parameter, from Python and from the command line."""

from __future__ import annotations

import math

import pytest

from metta_audio.errors import SettingsError

FRONT = """---
params:
  name: {type: text, default: ""}
  who: {type: text}
  n: {type: number, default: 2, min: 1, max: 4}
  m: {type: number, default: 0}
  area: {type: choice, choices: [feet, hands], default: feet}
  rings: {type: list, choices: [self, friend], default: [self]}
  touch: {type: flag, default: yes}
  count: {type: choice, choices: [4, 8], default: 8}
---
Hi.
"""


@pytest.fixture
def params(session_of):
    return lambda **given: session_of("", front=FRONT, **{"who": "Bo", **given}).params


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "Ana"}, "Ana"),
        ({"n": "3"}, 3.0),
        ({"n": 2.5}, 2.5),
        ({"m": "-1e3"}, -1000.0),
        ({"area": "hands"}, "hands"),
        ({"rings": "self, friend"}, ("self", "friend")),
        ({"rings": ["friend"]}, ("friend",)),
        ({"rings": ""}, ()),
        ({"touch": "no"}, False),
        ({"touch": "TRUE"}, True),
        ({"touch": False}, False),
        ({"count": "4"}, "4"),
        ({"n": None}, 2.0),
    ],
)
def test_a_fitting_value_is_taken(params, given, expected):
    (key,) = given
    assert params(**given)[key] == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"nmae": "x"}, 'did you mean "name"'),
        ({"name": 3}, "a number is not text"),
        ({"name": "a" * 301}, "301 characters, more than 300"),
        ({"name": "\ud800"}, "not valid Unicode"),
        ({"n": "five"}, '"five" is not a number'),
        ({"n": True}, "yes or no is not a number"),
        ({"n": math.nan}, "not a number"),
        ({"n": "inf"}, "not a number"),
        ({"n": 5}, "from 1 to 4"),
        ({"area": "fet"}, 'did you mean "feet"'),
        ({"area": 3}, "choose from: feet, hands"),
        ({"rings": "self,frend"}, 'did you mean "friend"'),
        ({"rings": 3}, "is not a list"),
        ({"touch": "maybe"}, "write yes or no"),
        ({"touch": []}, "write yes or no"),
    ],
)
def test_an_unfit_value_is_refused_with_what_is_wanted(params, given, says):
    with pytest.raises(SettingsError) as caught:
        params(**given)
    assert says in str(caught.value)


def test_every_missing_parameter_is_listed(session_of):
    front = "---\nparams: {a: {type: number}, b: {type: choice, choices: [x, y]}, c: {type: flag, default: no}}\n---\n"
    with pytest.raises(SettingsError, match=r"needs a, b; .*--set a=1"):
        session_of("Hi.", front=front)


def test_no_error_repeats_a_free_text(params):
    with pytest.raises(SettingsError) as caught:
        params(name="secret" * 5_000)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("minutes", [2.9, 61, math.nan, -1])
def test_a_length_the_script_is_not_written_for_is_refused(session_of, minutes):
    with pytest.raises(SettingsError, match="written for 3 to 60 minutes"):
        session_of("Hi.", minutes=minutes)


def test_minutes_left_out_are_the_default(session_of):
    assert session_of("Hi.").minutes == 10
    assert session_of("Hi.", minutes=12.5).minutes == 12.5
