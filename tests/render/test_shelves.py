"""Shelves: first hit wins, nothing outside them is read, and what is missing is named with what is near."""

from __future__ import annotations

from pathlib import Path

import pytest

import metta_audio as metta
from metta_audio.errors import Place, ShelfError, SoundError
from metta_audio.settings import Settings
from metta_audio.shelves import Shelves, copy_practice, is_path, shipped_root

SHORT = "---\ntitle: {}\n---\nSit.\n"


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's project; nothing of this machine's user in sight."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("METTA_VOICE", "METTA_SCRIPTS", "METTA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    settings = put(tmp_path, "settings.toml", f"user = {str(tmp_path / 'user')!r}\n")
    monkeypatch.setenv("METTA_SETTINGS", str(settings))
    monkeypatch.chdir(folder)
    return folder


def title(name: str, scripts: Path | None = None) -> str:
    return Shelves.standard(scripts).find(name)[0].header.title


def test_the_first_shelf_wins(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = title("body-scan")
    put(tmp_path, "user/scripts/body-scan.md", SHORT.format("user"))
    assert title("body-scan") == "user"
    put(here, "scripts/deep/down/body-scan.md", SHORT.format("project"))
    assert title("body-scan") == "project"
    put(tmp_path, "set/body-scan.md", SHORT.format("setting"))
    monkeypatch.setenv("METTA_SCRIPTS", str(tmp_path / "set"))
    assert title("body-scan") == "setting"
    put(tmp_path, "given/body-scan.md", SHORT.format("given"))
    assert title("body-scan", tmp_path / "given") == "given"
    assert title(str(put(tmp_path, "path/body-scan.md", SHORT.format("path"))), tmp_path / "given") == "path"
    assert title("shipped:body-scan", tmp_path / "given") == shipped


def test_packs_parts_and_sounds_follow_the_same_order(here: Path) -> None:
    shelves = Shelves.standard()
    assert len(shelves.pack("four-wishes")) == 4
    put(here, "scripts/packs/four-wishes.yaml", "phrases: [mine]\n")
    assert shelves.pack("four-wishes") == ("mine",)
    put(here, "scripts/_parts/opening.md", "Project.")
    assert shelves.part("_parts/opening.md") == (str(Path("scripts/_parts/opening.md")), "Project.")
    put(here, "sounds/beds/rain.toml", "mine")
    assert shelves.bed("rain")[1] == "mine"
    assert "rain" in shelves.beds()
    beside = shelves.beside(put(here, "talk/t.md", SHORT.format("t")))
    put(here, "talk/packs/four-wishes.yaml", "phrases: [beside]\n")
    put(here, "talk/_parts/opening.md", "Beside.")
    put(here, "talk/sounds/bells/bowl.toml", "beside")
    assert beside.pack("four-wishes") == ("beside",)
    assert beside.part("_parts/opening.md")[1] == "Beside."
    assert beside.bell("bowl")[1] == "beside"
    assert shelves.pack("four-wishes") == ("mine",)


def test_packs_and_parts_are_no_practices(here: Path) -> None:
    put(here, "scripts/_parts/opening.md", "Sit.")
    put(here, "scripts/packs/readme.md", "Packs.")
    put(here, "scripts/mine.md", SHORT.format("mine"))
    practices = Shelves.standard().practices()
    assert "mine" in practices
    assert not {"opening", "readme"} & set(practices)
    assert list(practices) == sorted(practices)


def test_every_shipped_practice_is_found_and_filled() -> None:
    shelves = Shelves.standard(settings=Settings())
    assert shipped_root().is_dir()
    for name in shelves.practices():
        session = metta.fill(metta.load(f"shipped:{name}"))
        assert session.sections, name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("meta-classic", "metta-classic"),
        ("shipped:meta-classic", "metta-classic"),
        ("qqqqqqqq", "choose from: body-scan"),
    ],
)
def test_a_practice_that_is_not_there(name: str, words: str) -> None:
    with pytest.raises(ShelfError, match="no practice is called") as caught:
        Shelves.standard().find(name)
    assert words in caught.value.hint


def test_a_folder_of_scripts_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ShelfError, match="no such folder of scripts"):
        Shelves.standard(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", ["../x", "/etc/hostname", "a/b", "..", ".", "", "a" * 300, "a\0b", "ä", "packs/x", "x.yaml"]
)
def test_no_name_leads_out_of_a_shelf(here: Path, name: str) -> None:
    put(here, "x.yaml", "phrases: [out]\n")
    put(here, "x.md", "Out.")
    put(here, "x.toml", "out")
    (here / "scripts" / "packs").mkdir(parents=True)
    (here / "sounds" / "beds").mkdir(parents=True)
    shelves = Shelves.standard()
    for look in (shelves.pack, shelves.part, shelves.bed, shelves.bell, shelves.sound):
        with pytest.raises((ShelfError, SoundError)):
            look(name)


def test_a_link_leads_out_of_no_shelf_but_about_in_it(here: Path, tmp_path: Path) -> None:
    put(tmp_path, "out/secret.yaml", "phrases: [secret]\n")
    put(tmp_path, "out/secret.wav", "secret")
    put(here, "scripts/packs/real.yaml", "phrases: [real]\n")
    put(here, "sounds/real.wav", "real")
    (here / "scripts/packs/out.yaml").symlink_to(tmp_path / "out/secret.yaml")
    (here / "scripts/packs/in.yaml").symlink_to("real.yaml")
    (here / "sounds/out.wav").symlink_to(tmp_path / "out/secret.wav")
    (here / "sounds/in.wav").symlink_to("real.wav")
    shelves = Shelves.standard()
    assert shelves.pack("in") == ("real",)
    assert shelves.sound("in.wav").read_text() == "real"
    with pytest.raises(ShelfError, match="no phrase pack"):
        shelves.pack("out")
    with pytest.raises(SoundError, match=r'no sound "out\.wav"'):
        shelves.sound("out.wav")


def test_a_missing_sound_is_named_with_its_place_and_what_is_near(here: Path) -> None:
    put(here, "sounds/gong.wav", "x")
    with pytest.raises(SoundError) as caught:
        Shelves.standard().sound("gnog.wav", Place("t.md", 4, 2))
    assert str(caught.value) == 't.md:4:2: no sound "gnog.wav" on any shelf; did you mean "gong.wav"?'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("phrases: [a\n", "not valid YAML"),
        ("- a\n", "the pack is not a list of settings"),
        ("phrases: a\n", "needs phrases"),
        ("phrases: []\n", "needs phrases"),
        ("phrases: [1, 2]\n", "needs phrases"),
        ("phrasen: [a]\n", "needs phrases"),
        ("phrases: [a]\nphrases: [b]\n", "given twice"),
        ("a: &a [x, x]\nphrases: [*a, *a]\n", "aliases"),
        ("phrases: !!python/name:os.system\n", "tags"),
        ("[" * 100_000, "nested too deeply"),
        ("phrases: [" + "a, " * 600 + "]\n", "600 phrases"),
        ("phrases:\n" + "- a long phrase to be well and at ease\n" * 20_000, "larger than"),
        ("", "needs phrases"),
    ],
)  # fmt: skip
def test_a_pack_that_is_at_fault(here: Path, text: str, words: str) -> None:
    path = put(here, "scripts/packs/mine.yaml", text)
    with pytest.raises(ShelfError) as caught:
        Shelves.standard().pack("mine")
    assert words in str(caught.value)
    assert str(path.relative_to(here)) in str(caught.value)
    assert "front matter" not in str(caught.value)


def test_a_pack_of_any_editor(here: Path) -> None:
    put(here, "scripts/packs/mine.yaml", "\ufeffphrases:\r\n- möge es gut gehen\r\n- 42 times\r\n")
    assert Shelves.standard().pack("mine") == ("möge es gut gehen", "42 times")


def test_a_name_is_no_path_even_inside_the_shelf(here: Path) -> None:
    put(here, "scripts/packs/mine.yaml", "phrases: [mine]\n")
    put(here, "sounds/beds/mine.toml", "mine")
    shelves = Shelves.standard()
    for name in ("../packs/mine", "./mine", "x/../mine"):
        with pytest.raises(ShelfError):
            shelves.pack(name)
    with pytest.raises(SoundError):
        shelves.bed("../beds/mine")


def test_a_pack_that_is_not_text(here: Path) -> None:
    put(here, "scripts/packs/mine.yaml", "").write_bytes(b"\xff\xfe")
    with pytest.raises(ShelfError, match="cannot read"):
        Shelves.standard().pack("mine")


def test_a_copy_keeps_every_byte_and_no_older_file_is_touched(here: Path) -> None:
    source = put(here, "scripts/mine.md", "\ufeff---\r\ntitle: Ü\r\n---\r\nSit.\r\n")
    copy = copy_practice(Shelves.standard(), "mine", here / "a" / "b")
    assert copy == here / "a" / "b" / "mine.md"
    assert copy.read_bytes() == source.read_bytes()
    copy.write_text("edited")
    with pytest.raises(ShelfError, match="is there already"):
        copy_practice(Shelves.standard(), "mine", here / "a" / "b")
    assert copy.read_text() == "edited"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("body-scan", False),
        ("shipped:x", False),
        ("x.md", True),
        ("./x", True),
        ("a/x", True),
        ("", False),
        ("/", True),
    ],
)
def test_a_name_is_told_from_a_path(name: str, path: bool) -> None:
    assert is_path(name) is path
