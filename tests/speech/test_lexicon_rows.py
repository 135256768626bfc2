"""The quick way through a lexicon gives what the careful one gives, or nothing."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import ScriptError
from metta_audio.script.ipa import bad_symbol
from metta_audio.script.pronunciation import read_entries
from metta_audio.shelves import LEXICON, shipped_root
from metta_audio.speech.lexicon_rows import rows

PLAIN = 'language = "en"\n\n[words]\n# a comment\nmetta = {ipa = "ˈmɛtɑː", say = "mettah"}\n'

KEYS = [
    "metta",
    "Metta",
    '"metta"',
    '"Thich Nhat Hanh"',
    "loving-kindness",
    '"to a close"',
    "IFS",
    '"mettā"',
    "a.b",
    '""',
]
VALUES = [
    '{ipa = "ˈmɛtɑː", say = "mettah"}',
    '{ipa = "kl ə", say = "clo", at = "end"}',
    '{ipa = "ˈmɛtɑː"}',
    '{ipa = "\\u02C8mɛtɑː"}',
    '{ipa = " mɛtɑː"}',
    '{ipa = "ã"}',
    '{ipa = "a\u0303"}',
    '{ipa = "\u0303a"}',
    '{ipa = "3"}',
    '{ipa = "ː"}',
    '{say = "mettah"}',
    '{say = "mettah", ipa = "a"}',
    '"met tah"',
    '"met  tah"',
    '"off"',
    '"offer"',
    '""',
    "false",
    "true",
    "[]",
    "{}",
]
ENDS = ["", " ", "  # so", "\r", " # \x07"]


def carefully(text: str) -> object:
    """Language and entries by way of TOML's reader; None where either way finds a fault."""
    try:
        data = tomllib.loads(text)
        return data.get("language", ""), read_entries(data["words"], lambda *_: None)  # type: ignore[arg-type,return-value]
    except (ScriptError, ValueError, KeyError):
        return None


entries = st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES), st.sampled_from(ENDS))
lines = st.one_of(
    entries.map(lambda parts: f"{parts[0]} = {parts[1]}{parts[2]}"),
    st.sampled_from(["", "# said so", "#\x07", "[words]", "[more]", "stray", 'language = "en"', 'language = "de"']),
)


@given(
    st.lists(lines, max_size=6),
    st.sampled_from(['language = "en"\n[words]\n', "[words]\n", "", 'language = "e"\n[words]\n']),
)
def test_it_gives_what_the_careful_way_gives_or_nothing(written: list[str], head: str) -> None:
    text = head + "".join(f"{line}\n" for line in written)
    found = rows(text)
    if found is not None:
        assert (found[0], dict(found[1])) == carefully(text)


@given(st.lists(st.sampled_from("ˈmɛtɑː kəʰ̃.aʔŋ͡"), min_size=1, max_size=8).map("".join))
def test_ipa_that_it_takes_has_no_bad_symbol(ipa: str) -> None:
    found = rows(f'[words]\nmetta = {{ipa = "{ipa}"}}\n')
    if found is not None:
        assert bad_symbol(ipa) is None
        assert carefully(f'[words]\nmetta = {{ipa = "{ipa}"}}\n') == (found[0], dict(found[1]))


def test_the_shipped_lexicon_goes_this_way() -> None:
    text = (shipped_root() / "scripts" / LEXICON).read_text(encoding="utf-8")
    found = rows(text)
    assert found is not None
    assert (found[0], dict(found[1])) == carefully(text)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN + 'Metta = "again"\n',
        PLAIN + 'metta = {ipa = "m", at = "end"}\n',
        PLAIN + '"metta" = {ipa = "m", at = "end"}\n',
        PLAIN.replace("ˈmɛtɑː", "'metta"),
        PLAIN.replace("mettah", "off"),
        PLAIN.replace("metta =", f"{'m' * 201} ="),
        PLAIN.replace("metta =", '"one two three four five six seven eight nine" ='),
        PLAIN.rstrip("\n"),
        f"[words]\n{'a' * 200_000}\n",
        "\n" * 200_000,
    ],
)
def test_whatever_is_not_plainly_right_is_left_to_the_careful_way(text: str) -> None:
    assert rows(text) is None
