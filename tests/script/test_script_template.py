"""The template language: what it offers, what it refuses, and where an error points."""

from __future__ import annotations

import re

import pytest

from metta_audio.errors import MettaError, ScriptError, ShelfError
from metta_audio.script.model import BedChange, Breath, Line, Pause


@pytest.fixture
def fault(session_of):
    """The error of a body, with its place relative to the body."""

    def of(body, **options):
        with pytest.raises(MettaError) as caught:
            session_of(body, **options)
        assert caught.value.place is not None
        return caught.value

    return of


def test_parameters_packs_and_loops(spoken):
    body = '{% for w in pack("four-wishes") %}\nMay {{ name }} {{ w }}. [pause]\n{% endfor %}\n{{ rings | join(", ") }}'
    assert spoken(body, name="Ana") == ["May Ana be safe.", "May Ana be well.", "self, friend"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("n", "3"),
        ("n / 2", "1.5"),
        ("0.1 + 0.2", "0.3"),
        ("-0.5", "-0.5"),
        ("1e6", "1000000"),
        ("touch", "yes"),
        ("title", "Practice"),
        ("minutes", "10"),
        ("'a\\ud800b\\ufdd0c\\x00d'", "abc d"),
        ("'R&B' ~ ' <3'", "R&B <3"),
        ("name | upper", "ANA"),
        ("name.lower()", "ana"),
        ("'a b'.split(' ') | last", "b"),
        ("rings | length", "2"),
        ("rings[0]", "self"),
        ("(rings | reverse | first)", "friend"),
        ("[3, 1, 2] | sort | join('-')", "1-2-3"),
        ("{'a': 5}.a", "5"),
        ("{'a': 5}.get('b', 6)", "6"),
        ("nothing | default('else')", "else"),
        ("'x' if nothing is defined else 'y'", "y"),
        ("range(3) | join", "012"),
        ("2 ** 10 % 7 // 1", "2"),
        ("'a-b' | replace('-', '+')", "a+b"),
        ("2.567 | round(1)", "2.6"),
    ],
)
def test_expressions_print_as_they_are_spoken(spoken, expression, expected):
    assert spoken(f"It is {{{{ {expression} }}}} here.", name="Ana") == [f"It is {expected} here."]


def test_values_inside_cues_work(items_of):
    items = items_of("[pause {{ n }}s] [breath {{ n }}-{{ n + 1.5 }} x{{ n }}] [bed {{ area }}]")
    assert [type(item) for item in items] == [Pause, Breath, BedChange]
    assert items[0].preferred == 3
    assert (items[1].phases, items[1].cycles) == ((3, 0, 4.5, 0), 3)
    assert items[2].name == "feet"


def test_macros_and_set_blocks_hold_cues(items_of):
    body = (
        "{% macro wish(who, length) %}\nMay {{ who }} be well. [pause {{ length }}s]\n{% endmacro %}\n"
        "{% set close %}Rest. [silence 1m]{% endset %}\n{{ wish(name, 4) }}\n{{ close }} {{ wish('all', 5) ~ name }}"
    )
    items = items_of(body, name="[bell]")
    assert [i.text for i in items if isinstance(i, Line)] == [
        "May bell be well.",
        "Rest.",
        "May all be well.",
        "bell",
    ]
    assert [i.preferred for i in items if isinstance(i, Pause) and i.kind in {"pause", "silence"}] == [4, 60, 5]


def test_a_line_of_tags_leaves_no_trace_and_words_are_never_glued(spoken):
    body = "One{% if n %} two{% endif %}\nthree.\n  {% if n %}  {% set q = 4 %}  \nFour {{ q }}\n{% endif %}\n"
    body += "{# no\nno #}\nfive.\n"
    assert spoken(body) == ["One two three.", "Four 4 five."]
    assert spoken("A {{- n }}.") == ["A3."]
    assert spoken("A{{- n -}} b.\n\n{%- if n %}\nC.\n{% endif %}") == ["A3b.", "C."]


def test_a_part_without_a_last_line_end_is_not_glued_to_the_next_line(spoken):
    assert spoken('{% include "_parts/a.md" %}\nand two', parts={"_parts/a.md": "One"}) == ["One and two"]


def test_a_part_is_included_and_its_lines_keep_their_own_places(items_of):
    body = 'Hello.\n{% include "_parts/opening.md" %}\nBye.'
    items = [i for i in items_of(body, parts={"_parts/opening.md": "One.\r\n\r\nTwo {{ n }}."}) if isinstance(i, Line)]
    assert [(i.text, i.place.file, i.place.line) for i in items[1:3]] == [
        ("One.", "shelf/_parts/opening.md", 1),
        ("Two 3.", "shelf/_parts/opening.md", 3),
    ]
    assert items[3].text == "Bye."


def test_an_error_in_a_part_points_into_the_part(fault):
    error = fault('{% include "_parts/a.md" %}', parts={"_parts/a.md": "Fine.\n\nSo {{ nmae }}."})
    assert str(error.place) == "shelf/_parts/a.md:3:7"
    for text, place in (("x\n [pauze]", "2:2"), ("x\n{% endif %}", "2:1")):
        error = fault('{% include "_parts/a.md" %}', parts={"_parts/a.md": text})
        assert str(error.place) == f"shelf/_parts/a.md:{place}"


def test_a_list_parameter_is_a_list(spoken):
    assert spoken("{% if rings == ['self', 'friend'] %}Same{% endif %}") == ["Same"]


def test_the_same_seed_gives_the_same_choice(spoken):
    body = "{{ choose(range(50)) }} {{ shuffled(range(20)) | join(' ') }} x"
    assert spoken(body, seed=1) == spoken(body, seed=1)
    assert len({spoken(body, seed=seed)[0] for seed in range(5)}) == 5
    assert sorted(spoken("{{ shuffled(range(20)) | join(' ') }}")[0].split()) == sorted(map(str, range(20)))


@pytest.mark.parametrize(
    ("body", "line", "column", "says"),
    [
        ("{{ nmae }}", 1, 4, '"nmae" is not defined; did you mean "name"?'),
        ("\n\nfoo {{ n }} {{ nmae | upper }}", 3, 16, "nmae"),
        ("{% for x in rings %}\n\nA {{ y }}.\n{% endfor %}", 3, 6, '"y" is not defined'),
        ("{% if nmae %}x{% endif %}", 1, 7, "nmae"),
        ("{% for x in nmae %}x{% endfor %}", 1, 13, "nmae"),
        ("a\n{% for x in rings %}\nfoo", 2, 1, "{% for %} is never closed; write {% endfor %}"),
        ("{% if n %}\n{% for x in rings %}{% endif %}{% endfor %}", 2, 1, "{% for %} is never closed"),
        ("{% set x %}\nfoo", 1, 1, "{% set %} is never closed"),
        ("a {% endfor %}", 1, 3, "{% endfor %} closes nothing"),
        ("a {% foor x in y %}", 1, 3, 'did you mean "for"'),
        ("a {{ n | uper }}", 1, 10, 'no filter uper; did you mean "upper"'),
        ("a {{ n is oddd }}", 1, 11, 'no test oddd; did you mean "odd"'),
        ("{{ name.uper() }}", 1, 1, 'did you mean "upper"'),
        ("a {{ n", 1, 3, "close it with }}"),
        ("a {% if n", 1, 3, "close it with %}"),
        ("a {% endif %}", 1, 3, "write {% if … %} above it"),
        ("a {{ name | int }}", 1, 3, "this text is not a number"),
        ("a {# x", 1, 3, "Missing end of comment"),
        ("{{ rings }}", 1, 1, "a list cannot be spoken"),
        ("{{ none }}", 1, 1, "nothing to say"),
        ("{{ pack }}", 1, 1, "put () behind its name"),
        ("{{ 1 / 0 }}", 1, 1, "division by zero; divide only inside"),
        ("{{ 'a' + 'b' }}", 1, 1, "join text with ~"),
        ("{% for x in n %}{% endfor %}", 1, 1, "a number cannot be looped over"),
        ("{{ choose([]) }}", 1, 1, "nothing to choose from"),
        ("{% for i in range(2) %}\nText {{ i }}.\n [pauze]\n{% endfor %}", 3, 2, 'did you mean "pause"'),
    ],
)
def test_a_fault_is_found_at_the_authors_line_and_column(fault, body_line, body, line, column, says):
    error = fault(body)
    assert says in str(error)
    assert (error.place.line - body_line + 1, error.place.column) == (line, column), str(error)


def test_an_unknown_pack_or_part_points_at_where_it_was_asked_for(fault, body_line):
    error = fault('a\n{% for w in pack("for-wishes") %}{% endfor %}')
    assert isinstance(error, ShelfError)
    assert (error.place.line, error.hint) == (body_line + 1, 'did you mean "four-wishes"?')
    assert isinstance(fault('{% include "_parts/x.md" %}'), ShelfError)


@pytest.mark.parametrize(
    "body",
    [
        "{{ name.__class__.__mro__ }}",
        "{{ name['__class__'] }}",
        "{{ ''.format(name) }}",
        "{{ '%s' % name }}",
        "{{ range.__globals__ }}",
        "{{ pack.__closure__ }}",
        "{{ choose.__globals__ }}",
        "{{ loop.__init__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ namespace.__init__ }}",
        "{{ name | attr('x') }}",
        "{{ rings.append('x') }}",
        "{{ {}.update(a=1) }}",
        "{{ cycler('a') }}",
        "{{ lipsum() }}",
        "{{ name.encode() }}",
        "{{ name.translate({}) }}",
        "{% include '/etc/passwd' %}",
        "{% include '../secret.md' %}",
        "{% include '_parts/../../secret.md' %}",
        "{% include name %}",
        "{% include ['_parts/a.md', name] %}",
        "{% include '_parts/a.md' ignore missing %}",
        "{% import '_parts/a.md' as a %}",
        "{% from '_parts/a.md' import a %}",
        "{% extends '_parts/a.md' %}",
        "{% block a %}{% endblock %}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{% filter upper %}a{% endfilter %}",
        "{% set x | default(name, true) %}{% endset %}{{ x }}",
        "{% for x in rings recursive %}{{ loop(rings) }}{% endfor %}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
    ],
)
def test_there_is_no_way_out_of_the_sandbox(fault, body):
    assert isinstance(fault("Text. " + body, name="[bell]"), ScriptError)


BOMBS = {
    "nested empty loops": "{% for a in range(900) %}{% for b in range(900) %}{% endfor %}{% endfor %}",
    "big range": "{{ range(10 ** 9) | length }}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "nesting tuple": "{% set ns = namespace(x=1) %}{% for i in range(99) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}",
    "deep modifiers": "(" * 500 + "x" + ")[slow]" * 500,
    "repeat text": "{{ 'a' * 10 ** 9 }}",
    "repeat list": "{{ [1] * 10 ** 9 }}",
    "doubling text": "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubling list": "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "nesting list": "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
    "{{ ns.x == 1 }}",
    "nesting mapping": "{% set ns = namespace(x=1) %}"
    "{% for i in range(99) %}{% set ns.x = {1: ns.x, 2: ns.x} %}{% endfor %}"
    "{{ ns.x }}",
    "deep list": "{% set ns = namespace(x=1) %}{% for i in range(999) %}{% for j in range(9) %}"
    "{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}x",
    "doubling block": "{% set x %}ab{% endset %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 60 + "{{ x }}",
    "doubling macros": "{% macro a0() %}{% endmacro %}"
    + "".join(f"{{% macro a{i + 1}() %}}{{{{ a{i}() }}}}{{{{ a{i}() }}}}{{% endmacro %}}" for i in range(40))
    + "{{ a40() }}",
    "macro calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "macros call each other": "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    "part includes itself": '{% include "_parts/r.md" %}',
    "doubling parts": '{% include "_parts/d0.md" %}',
    "long data in a loop": "{% macro m() %}{% for i in range(900) %}"
    + "x" * 50_000
    + "{% endfor %}{% endmacro %}{{ m() }}",
    "long block in a loop": "{% for i in range(900) %}{% set x %}" + "x" * 50_000 + "{% endset %}{% endfor %}",
    "long value in a loop": "{% for i in range(900) %}" + "{{ name }}" * 9 + "{% endfor %}",
    "replace": "{% set ns = namespace(x='aaaa') %}"
    "{% for i in range(30) %}{% set ns.x = ns.x | replace('a', 'aa') %}{% endfor %}",
    "deep brackets": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "long sum": "{{ 1" + " + 1" * 50_000 + " }}",
    "deep ifs": "{% if n %}" * 500 + "x" + "{% endif %}" * 500,
    "many tags": "{{ n }}" * 100_000,
    "huge integer": "{{ " + "9" * 10_000 + " }}",
    "infinite": "{{ 1e999 }}",
    "filters in nested loops": "{% for a in range(18) %}{% for b in range(1000) %}"
    + "{% set x = 'abc' | upper | lower %}" * 4_000
    + "{% endfor %}{% endfor %}x",
    "filters in a called macro": "{% macro m() %}"
    + "{% set x = 'abc' | upper | lower %}" * 4_000
    + "{% endmacro %}{% for b in range(1000) %}{% set y = m() %}{% endfor %}x",
    "loop test": "{% for a in range(1000) if " + " or ".join(["a < 0"] * 900) + " %}{% endfor %}x",
    "filter on a long text": "{% set x = '"
    + "é" * 9_999
    + "' %}{% for a in range(1000) %}"
    + "{% set y = x | upper %}" * 20
    + "{% endfor %}x",
    "split of a long literal": "{% for a in range(900) %}{% set x = '"
    + "a " * 400_000
    + "'.split(' ') %}{% endfor %}x",
    "split into many": "{% set x = '" + "a " * 4_000 + "'.split(' ') %}x",
    "search in a long text": "{% set x = '"
    + "a" * 9_999
    + "' %}{% for a in range(1000) %}"
    + "{% if (x ~ 'b') in x %}{% endif %}" * 20
    + "{% endfor %}x",
    "comparing blocks": "{% set x %}"
    + "a" * 400_000
    + "{% endset %}{% for a in range(1000) %}"
    + "{% if x == x[1:] %}{% endif %}" * 9
    + "{% endfor %}x",
    "sorting lists": "{% set x = range(1000) | reverse %}{% for a in range(1000) %}"
    + "{% set y = x | sort %}" * 9
    + "{% endfor %}x",
    "making lists": "{% for a in range(1000) %}" + "{% set y = range(1000) %}" * 9 + "{% endfor %}x",
    "printing nothing": "{% for a in range(1000) %}" + "{% set y %}{{ '' }}{% endset %}" * 1_000 + "{% endfor %}x",
    "not nots": "{% if " + "not " * 5_000 + "n %}x{% endif %}",
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
def test_no_script_can_exhaust_the_machine(fault, body):
    parts = {"_parts/r.md": 'x{% include "_parts/r.md" %}', "_parts/d40.md": "x"}
    parts |= {f"_parts/d{i}.md": f'{{% include "_parts/d{i + 1}.md" %}}' * 2 for i in range(40)}
    error = fault(body, name="n" * 300, parts=parts)
    assert isinstance(error, ScriptError), error
    assert not re.search("nothing is left|without a cue", str(error)), "it ran to its end"


def test_a_listeners_words_stay_out_of_titles(session_of, fault):
    for title in (
        "{{ name }}",
        "For {{ name | upper }}",
        "{{ name[0] }}",
        "{{ 'Dear ' ~ name }}",
        "{{ [name] | join }}",
    ):
        assert "titles become chapters" in str(fault(f"# {title}\nHi.", name="Ana"))
    for body in (
        "{% set x %}{{ name }}{% endset %}# {{ x }}\nHi.",
        "{% macro m(x) %}{{ x }}{% endmacro %}# {{ m(name) }}\nHi.",
    ):
        assert "titles become chapters" in str(fault(body, name="Ana"))
    assert session_of("# On your {{ area | title }}{{ name }}\nHi.", name="").sections[0].title == "On your Feet"


def test_errors_do_not_repeat_a_listeners_words(fault):
    for body in (
        "[pause {{ name }}]",
        "[{{ name }}]",
        "(x)[{{ name }}]",
        "{{ name | int }}",
        "{{ {}[name] }}",
        "{{ range(name) }}",
    ):
        assert "Ana" not in str(fault(body, name="Ana"))


def test_a_practice_of_the_longest_kind_fits_the_budget(session_of):
    body = "{% macro wish(who, gap) %}\nMay {{ who | lower }} be well. [pause {{ [gap, 3] | max }}s]\n{% endmacro %}\n"
    body += "{% for a in range(4) %}\n{% for b in range(900) %}\n{{ wish(area, b + a) }}\n{% endfor %}\n{% endfor %}"
    assert len(session_of(body).sections[0].items) == 7_200


def test_packs_and_parts_are_read_once(items_of, fake_library, monkeypatch):
    asked = []
    for kind in ("pack", "part"):
        read = getattr(fake_library, kind)
        monkeypatch.setattr(fake_library, kind, lambda self, name, read=read: asked.append(name) or read(self, name))
    body = "{% for a in range(9) %}\n{{ pack('four-wishes') | first }}.\n{% include '_parts/a.md' %}\n{% endfor %}"
    items_of(body, parts={"_parts/a.md": "Go."})
    assert sorted(asked) == ["_parts/a.md", "four-wishes"]


def test_a_pack_is_named_in_errors_only_by_the_author(fault):
    error = fault("{{ pack(name) | first }}", name="Ana")
    assert isinstance(error, ShelfError)
    assert "Ana" not in str(error)
    assert 'no pack is called "…"' in str(error)


@pytest.mark.parametrize("phrase", ["be safe [pause 2s]", "*be*", "be `x`", "(be)[slow]", "a <b>"])
def test_a_phrase_of_a_pack_holds_no_markup(fault, phrase, body_line):
    error = fault("Hi.\n{% for w in pack('p') %}\nMay I {{ w }}.\n{% endfor %}", packs={"p": ("be well", phrase)})
    assert f'the pack "p" holds markup, which would be spoken: "{phrase}"' in str(error)
    assert error.place.line == body_line + 1
    assert "write the cue in the script" in error.hint


def test_a_printed_value_is_never_a_cue(fault, spoken):
    assert "a printed value is never a cue" in str(fault("{% set c = '[pause 3s]' %}A. {{ c }} B."))
    assert spoken("Hello {{ name }}, hi.", name=" [pause 9h] a[b]c [") == ["Hello pause 9h a b c , hi."]


def test_parts_have_one_form(fault):
    assert '{% include "_parts/NAME.md" %}' in fault('{% include "parts/a.md" %}').hint
