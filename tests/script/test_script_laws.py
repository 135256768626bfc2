"""What holds for every script and every value."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from metta_audio.errors import MettaError, ScriptError
from metta_audio.script.model import Line, Pause, Session

NAME_BODY = """Hello {{ name }}, welcome. Sit down.

*Dear {{ name }}* and you. [pause {{ n }}s]
Self: Hi {{ name }}. (So, {{ name }} now)[slow] rest.
{% set greeting %}
Well, {{ name }}: [bell] go on.
{% endset %}
{{ greeting }}
- {{ name }} too
"""


def structure(session: Session) -> list[object]:
    return [
        [
            (type(item).__name__, item.role, item.place) if isinstance(item, Line) else item
            for item in section.items
        ]
        for section in session.sections
    ]  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("[pause 9h]")
@example("# x")
@example("Self: hi")
@example("*a*")
@example("{{x}} {% endif %} {# #}")
@example("a\n\nb\n# c\r\n- d")
@example("\\ \\[ `x` <b> <!-- --> R&B &amp;")
@example("Dr. Who? Yes! No. “Hm.” ")
@example("\ufdd0\ufdd1\ufde0\ufdd2\ufdd3\u2028\x85\x00")
@example("(a)[slow]")
@settings(max_examples=150)
def test_a_value_is_text_and_never_markup(session_of, name):
    session = session_of(NAME_BODY, name=name)
    unspeakable = re.sub(r"[\ufdd0-\ufdef]", "", name)
    unspeakable = re.sub(r"[\[\]]", "", re.sub(r"(?<=\w)[\[\]]+(?=\w)", " ", unspeakable.strip()))
    heard = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", unspeakable).split())
    lines = [item.text for section in session.sections for item in section.items if isinstance(item, Line)]
    assert lines[0] == " ".join(f"Hello {heard}, welcome.".split()) if heard else lines[0].startswith("Hello")
    assert heard in lines[0]
    assert sum(heard in line for line in lines) >= 6
    if any(char.isalnum() for char in heard):
        assert structure(session) == structure(session_of(NAME_BODY, name="Ana"))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]\\<`\n\r\ufdd3"), max_size=30))
@settings(max_examples=150)
def test_what_stands_in_brackets_is_never_spoken(session_of, inside):
    assume("{{" not in inside and "{%" not in inside and "{#" not in inside)
    secret = f"{inside}zqx"
    for body in (f"Before [{secret}] after.", f"*Before [pause 5s {secret}]* after.", f"- (Before)[{secret}] after."):
        try:
            session = session_of(body)
        except MettaError:
            continue
        for section in session.sections:
            assert not any("zqx" in item.text for item in section.items if isinstance(item, Line))


@given(
    filler=st.lists(st.sampled_from(["", "<!-- note -->", "{# note #}", "{% set a = 1 %}", "  "]), max_size=12),
    fault=st.sampled_from(["[pauze]", "{{ nmae }}", "Slef: hi", "]", "a `b`", "(a)[slw]", "[pause 5]", "1. x"]),
    ends=st.sampled_from(["\n", "\r\n"]),
)
def test_an_error_is_on_its_own_line_whatever_stands_above(session_of, body_line, filler, fault, ends):
    body = ends.join(["First.", "", *filler, "", fault, "", "Last."])
    with pytest.raises(ScriptError) as caught:
        session_of(body)
    assert caught.value.place is not None
    assert caught.value.place.line == body_line + 2 + len(filler) + 1


MARKUP = """a|Word. | |[|]|(|)|*|**|_|`|<|<!--|-->|>|#|{|}|{{|}}|{%|%}|{#|#}|{{ name }}|{{ n }}|{% if n %}|{% endif %}
{% else %}|{% for x in rings %}|{% endfor %}|{{ x }}|{% set y %}|{% endset %}|{{ y }}|{% macro m() %}
{% endmacro %}|{{ m() }}|{%- | -%}|{{- n -}}|{% raw %}|{% endraw %}|[pause]|[pause 5s]|[breath box x2]
[slow]|(a)[slow]|[bed rain]|[bell]|Self: |Critic:|Foo: |- |1. ||> |    |…|é|😀|{share=5}|{optional}|&amp;|~
'|"|:|=|..|5s"""
CONTROLS = [
    "\n",
    "\n\n",
    "\\",
    "# T\n",
    "---\n",
    "===\n",
    "|a|b|\n",
    "|-|-|\n",
    "|",
    "\t",
    "\u2028",
    "\x00",
    "\ufdd0",
    "\u200d",
    "\x0c",
]
PIECES = st.sampled_from([*MARKUP.replace("\n", "|").split("|"), *CONTROLS])


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=400)
def test_any_text_is_a_session_or_an_error_with_a_place(session_of, body):
    try:
        session = session_of(body, name="*[x]*")
    except MettaError as error:
        assert error.place is not None  # noqa: PT017 - there may be no error at all
        assert min(error.place.line, error.place.column) >= 1  # noqa: PT017
        return
    for section in session.sections:
        assert section.items
        for item in section.items:
            if isinstance(item, Pause):
                assert 0 < item.low <= item.preferred <= item.high
            if isinstance(item, Line):
                assert item.text == " ".join(item.text.split())
                assert any(char.isalnum() for char in item.text)
                assert not re.search(r"[\ufdd0-\ufdef]", item.text)
                assert all(0 <= span.start < span.end <= len(item.text) for span in item.spans)


@given(
    st.lists(
        st.sampled_from(["One", "two", "é😀", "three.", "Four!", "(x)", "*y*", "“z”", "Dr.", "5.5"]),
        min_size=1,
        max_size=30,
    )
)
def test_no_word_is_lost_and_each_line_starts_where_it_stands(session_of, words):
    body = "".join(word + ("\n" if index % 5 == 4 else " ") for index, word in enumerate(words))
    session = session_of(body)
    lines = [item for item in session.sections[0].items if isinstance(item, Line)]
    assert " ".join(line.text for line in lines) == " ".join(body.replace("*", "").split())
    source = body.split("\n")
    first = min(line.place.line for line in lines)
    for line in lines:
        written = source[line.place.line - first][line.place.column - 1 :]
        assert written.replace("*", "").startswith(line.text[: len(written.replace("*", "").rstrip())][:4])
