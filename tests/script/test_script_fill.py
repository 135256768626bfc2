"""From filled text to sections, lines, cues and gaps."""

from __future__ import annotations

import pytest

from metta_audio.errors import ScriptError
from metta_audio.script.model import BedChange, Bell, Breath, Line, Pause, Span


def shape(items) -> list[str]:
    """Lines as their text, gaps as their kind, the rest as its type."""
    return [i.text if isinstance(i, Line) else i.kind if isinstance(i, Pause) else type(i).__name__ for i in items]


def test_sentences_become_lines_with_exact_places(items_of, body_line):
    body = (
        "  Ägypten 😀 ist schön. Dr. Smith\nsat 3.5 hours. *Yes!* (No?)[slow] End\n- point one\n- Self: “point” two\n"
    )
    lines = [i for i in items_of(body) if isinstance(i, Line)]
    assert [(i.text, i.place.line - body_line + 1, i.place.column) for i in lines] == [
        ("Ägypten 😀 ist schön.", 1, 3),
        ("Dr. Smith sat 3.5 hours.", 1, 24),
        ("Yes!", 2, 17),
        ("No?", 2, 24),
        ("End", 2, 35),
        ("point one", 3, 3),
        ("“point” two", 4, 9),
    ]
    assert [i.role for i in lines] == ["guide"] * 6 + ["self"]


def test_places_hold_inside_loops_and_after_values_and_comments(items_of, body_line):
    body = "{% for r in rings %}\n  Dear {{ name }}, hi. <!-- a\nb --> Now {{ r }}. Go.\n{% endfor %}\nEnd."
    lines = [i for i in items_of(body, name="A\nlong one") if isinstance(i, Line)]
    assert [(i.text, i.place.line - body_line + 1, i.place.column) for i in lines] == [
        ("Dear A long one, hi.", 2, 3), ("Now self.", 3, 7), ("Go.", 3, 20),
        ("Dear A long one, hi.", 2, 3), ("Now friend.", 3, 7), ("Go.", 3, 20),
        ("End.", 5, 1),
    ]  # fmt: skip


def test_markup_becomes_spans_over_the_spoken_text(items_of):
    (line,) = items_of('The *very (slow)[slow; soft]* (lotus)[ipa:"ˈləʊtəs"], (5%)[sub:"five. Yes"] **all**.')
    assert line.text == "The very slow lotus, 5% all."
    assert [(line.text[s.start : s.end], s.kind, s.value) for s in line.spans] == [
        ("very slow", "emphasis", ""), ("slow", "slow", ""), ("slow", "soft", ""),
        ("lotus", "ipa", "ˈləʊtəs"), ("5%", "sub", "five. Yes"), ("all", "emphasis", ""),
    ]  # fmt: skip


def test_a_modifier_over_two_sentences_lies_on_both_but_a_substitute_is_not_torn(items_of):
    first, _, second = items_of("(One now. Two)[fast] then.")
    assert (first.spans, second.spans) == ((Span(0, 8, "fast"),), (Span(0, 3, "fast"),))
    (whole,) = items_of('(One now. Two now.)[sub:"x"]')
    assert whole.text == "One now. Two now."


def test_text_is_spoken_as_the_author_wrote_it(spoken):
    body = "R&B &amp; a < b <3 5 * 3 \\[x\\] \\*y\\* \\\\ (aside) {z} snake_case it's http://x.y no #1 é \\q"
    assert spoken(body) == ["R&B &amp; a < b <3 5 * 3 [x] *y* \\ (aside) {z} snake_case it's http://x.y no #1 é \\q"]


def test_a_number_at_the_start_of_a_line_can_be_escaped(spoken):
    assert " ".join(spoken("1990\\. That was the year.")) == "1990. That was the year."


def test_text_without_letters_is_passed_over(items_of):
    assert shape(items_of("Hi [pause 3s]. … [bell] — 🙂")) == ["Hi", "pause", "Bell"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A one. B two.", ["A one.", "sentence", "B two."]),
        ("A one.\nB two.", ["A one.", "sentence", "B two."]),
        ("A.\n\nB.", ["A.", "paragraph", "B."]),
        (
            "A one.\nSelf: B two.\nC three.\nCritic: D.",
            ["A one.", "paragraph", "B two.", "sentence", "C three.", "paragraph", "D."],
        ),
        ("A. [pause] B.", ["A.", "pause", "B."]),
        ("A.\n\n[pause]\n\nB.", ["A.", "pause", "B."]),
        ("A. [pause] [silence] B.", ["A.", "pause", "silence", "B."]),
        ("A one. [bed rain] B two.", ["A one.", "BedChange", "sentence", "B two."]),
        ("A.\n\n[bed rain]\n\nB.", ["A.", "BedChange", "paragraph", "B."]),
        ("A.\n\n[bed rain] B.", ["A.", "BedChange", "paragraph", "B."]),
        ("A. [bed rain] [pause] B.", ["A.", "BedChange", "pause", "B."]),
        ("A. [bell] B.", ["A.", "paragraph", "Bell", "B."]),
        ("A. [sound x.wav] B.", ["A.", "paragraph", "SoundCue", "paragraph", "B."]),
        ("A. [breath box x1] B.", ["A.", "paragraph", "Breath", "paragraph", "B."]),
        ("[breath box x1] [breath 5-5 x1] [bell]", ["Breath", "Breath", "Bell"]),
    ],
)
def test_gaps_are_implied_only_where_none_is_written(items_of, body, expected):
    assert shape(items_of(body)) == expected


def test_every_section_but_the_last_ends_in_a_gap(session_of):
    body = "# A\nOne.\n# B\nTwo. [pause]\n# C\n[bell]\n[bed off]\n# D {repeat=2}\nFour.\n"
    assert [shape(section.items)[-1] for section in session_of(body).sections] == [
        "section",
        "pause",
        "section",
        "section",
    ]
    assert shape(session_of("# A\nOne.").sections[0].items) == ["One."]


def test_every_gap_is_in_order(items_of):
    for item in items_of("A one. B two.\n\nC. [pause] D. [silence]\n\nE.\n# X\nF."):
        if isinstance(item, Pause):
            assert 0 < item.low <= item.preferred <= item.high
            assert item.weight > 0


def test_sections_carry_their_options(session_of, body_line):
    body = "Before.\n\n# Arriving *now* {share=18 optional repeat=1..3} <!-- note -->\nHi.\n\n# B \\{x\\}\nHo."
    first, second, third = session_of(body).sections
    assert (first.title, first.share, first.optional) == ("Practice", None, False)
    assert (second.title, second.share, second.optional, second.repeat_min, second.repeat_max) == (
        "Arriving now",
        18,
        True,
        1,
        3,
    )
    assert (second.place.line - body_line + 1, second.place.column) == (3, 1)
    assert (third.title, third.repeat_min, third.repeat_max) == ("B {x}", 1, 1)


def test_an_empty_section_is_dropped_and_its_bed_moves_on(session_of):
    body = "[bed rain]\n\n# A {share=90}\n\n{% if false %}Hi.{% endif %}\n\n# B {share=90}\nHo."
    (section,) = session_of(body).sections
    assert (section.title, shape(section.items)) == ("B", ["BedChange", "Ho."])


def test_cues_may_stand_anywhere(items_of):
    items = items_of("- [PAUSE\n 6s] *Rest [bell bowl] now* (still)[bed off] [breath 4-4-6 for 5m]")
    assert shape(items) == ["pause", "Rest", "paragraph", "Bell", "now (still)", "BedChange", "paragraph", "Breath"]
    assert items[0].preferred == 6
    assert next(i for i in items if isinstance(i, Breath)).cycles == 21


def test_roles_are_matched_by_name_or_title_in_any_case(items_of):
    lines = [
        i for i in items_of("SELF: a\ncritic: b\nInner-Critic: c\nGuide: d\n[bell] Self: e\n\nf") if isinstance(i, Line)
    ]
    assert [(i.role, i.text) for i in lines] == [
        ("self", "a"), ("inner-critic", "b"), ("inner-critic", "c"), ("guide", "d"), ("self", "e"), ("guide", "f"),
    ]  # fmt: skip


def test_a_space_before_the_colon_is_no_fault(items_of):
    lines = [i for i in items_of("Self : I see.\nRemember : rest.") if isinstance(i, Line)]
    assert [(i.role, i.text) for i in lines] == [("self", "I see."), ("self", "Remember : rest.")]


def test_a_sentence_of_the_longest_kind_is_spoken(spoken):
    assert spoken("word " * 100) == [("word " * 100).strip()]


def test_a_sentence_made_too_long_by_a_listener_is_refused_without_their_words(session_of):
    with pytest.raises(ScriptError, match="more than 100 words") as caught:
        session_of("{{ name }} {{ name }} {{ name }}", name="ana " * 40)
    assert "ana" not in str(caught.value)


def test_prose_with_a_colon_is_prose(spoken):
    for text in (
        "Notice three things: one.",
        "here it is: now.",
        "At 5: rest.",
        "Remember\\: rest.",
        "It was Self: yes.",
    ):
        assert spoken(text) == [text.replace("\\", "")]


@pytest.mark.parametrize(
    ("body", "line", "column", "says"),
    [
        ("Hi.\nSlef: hello", 2, 1, 'did you mean "Self:"'),
        ("slef: hello", 1, 1, 'did you mean "Self:"'),
        ("Inner critc: hello", 1, 1, 'did you mean "Inner-critic:"'),
        ("Remember: rest", 1, 1, "to speak it write Remember\\:"),
        ("**Self:** hi", 1, 1, "no asterisks"),
        ("**Self** : hi", 1, 1, "no asterisks"),
        ("## X\nhi", 1, 1, "sections have one level"),
        ("#X\nhi", 1, 1, "starts with #"),
        ("#\nhi", 1, 1, "no title"),
        ("# A [bell]\nhi", 1, 1, "holds no cues"),
        ("Hi\n===", 1, 1, "makes no section"),
        ("Hi\n---", 1, 1, "makes no section"),
        ("# X {shre=3}\nhi", 1, 6, 'did you mean "share"'),
        ("# X {optional share=0}\nhi", 1, 15, "not a share"),
        ("# X {share=101}\nhi", 1, 6, "not a share"),
        ("# X {share}\nhi", 1, 6, "not a share"),
        ("# X {repeat=3..1}\nhi", 1, 6, "write repeat=1..3"),
        ("# X {repeat=0..1}\nhi", 1, 6, "write optional"),
        ("# X {optional=no}\nhi", 1, 6, "takes no value"),
        ("# X {share=1 share=2}\nhi", 1, 14, "given twice"),
        ("# X {share=1\nhi", 1, 5, "no partner"),
        ("# X {share=60}\nhi\n\n# Y {share=50}\nhi", 4, 1, "add up to 110 %"),
        ("a\n\n---\n\nb", 3, 1, "a rule has no meaning"),
        ("1. one", 1, 1, "numbers in front of a list"),
        ("> a", 1, 1, "quotation"),
        ("```\na\n```", 1, 1, "block of code"),
        ("|a|b|\n|-|-|\n|1|2|", 1, 1, "table"),
        ("- a\n  - b", 2, 3, "list inside a list"),
        ("a `b`", 1, 3, "code has no meaning"),
        ("a <b>c</b>", 1, 3, "<b> is HTML"),
        ("a <https://x.y>", 1, 3, "HTML"),
        ("a ![x](y)", 1, 4, "link cannot be heard"),
        ("a\n[x](y)", 2, 1, "link cannot be heard"),
        ("a [pause", 1, 3, "never closed"),
        ("a [pause\n\n5s]", 1, 3, "never closed"),
        ("a [pause [bell]]", 1, 3, "never closed"),
        ("a ] b", 1, 3, "closes nothing"),
        ("a [] b", 1, 3, "brackets are empty"),
        ("(a)[slw]", 1, 4, 'did you mean "slow"'),
        ("(a)[ipa]", 1, 4, "ipa needs a value"),
        ('(a)[slow:"x"]', 1, 4, "takes no value"),
        ("(a)[slow; fast]", 1, 4, "exclude each other"),
        ("()[slow]", 1, 1, "no text"),
        ("(a)[slow", 1, 4, "never closed"),
        ("a\n <!-- b", 2, 2, "comment is never closed"),
        ("…", 1, 1, "nothing is left to hear"),
        ("{% if false %}Hi{% endif %}", 1, 1, "nothing is left to hear"),
        ("Self:\n\nI see.", 1, 1, "this role says nothing"),
        ("Hi.\nSelf: <!-- a -->\nCritic: b", 2, 1, "this role says nothing"),
        ("Go on. " + "word " * 101, 1, 8, "more than 100 words: nobody can follow it; end it sooner"),
        ("x" * 1_001, 1, 1, "more than 1,000 characters"),
        ('(x)[sub:"' + "y" * 1_001 + '"]', 1, 2, "more than 1,000 characters"),
        ("a. " * 7_000, 1, None, "20,000 characters"),
        ("# A\na\n" * 201, 401, 1, "more than 200 sections"),
        ("Yes. Ah!\n\n" * 2_501, 5001, 1, "more than 5,000 sentences"),
        ("[bell]" * 20_001, 1, 120_001, "more than 20,000 lines and cues"),
    ],
)
def test_what_cannot_be_heard_is_refused_at_its_place(session_of, body_line, body, line, column, says):
    with pytest.raises(ScriptError) as caught:
        session_of(body)
    error = caught.value
    assert says in str(error)
    assert error.place.line - body_line + 1 == line, str(error)
    assert column is None or error.place.column == column, str(error)


def test_the_session_says_what_it_was_made_of(session_of):
    session = session_of("Hi.", name="Ana", minutes=12, seed=4)
    assert (session.name, session.minutes, session.seed) == ("practice", 12, 4)
    assert session.params == {"name": "Ana", "n": 3, "area": "feet", "rings": ("self", "friend"), "touch": True}
    assert session.private == {"name"}
    assert len(session.script_sha256) == 64
    assert session == session_of("Hi.", name="Ana", minutes=12, seed=4)


def test_items_keep_the_kind_of_their_cue(items_of):
    kinds = [type(item) for item in items_of("[bell] [bed off] [breath box x1]")]
    assert kinds == [Bell, BedChange, Breath]
