"""The fonts of pictures: which letters each has, and where those for Chinese, Japanese and Korean come from."""

import importlib.resources
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from bodydouble_mockserver.pictures import PictureSpec, Render, SourceImage, draw, fonts
from bodydouble_mockserver.pictures.fonts import Face, code_points, face_for, faces, is_east_asian, language_of, load
from bodydouble_mockserver.pictures.text import Lettering, cells_of
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

TEXTS = {
    "SC": "把背景换成海边的日落，夏日问候",
    "JP": "背景を桜の公園に変えて「春」ーッ",
    "KR": "배경을 바닷가로 바꾸고",
}


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("NotoSans[", 0x20, 0x600), ("NotoSansThai[", 0xE00, 0xE80), ("NotoEmoji[", 0x1F300, 0x1F700)],
)
def test_a_code_point_is_listed_when_pillow_draws_more_than_the_missing_glyph(name: str, first: int, last: int) -> None:
    face = next(face for face in faces() if face.path is not None and face.path.name.startswith(name))
    font = load(face, 24, ImageFont.Layout.BASIC)

    def drawn(code: int) -> tuple[float, bytes]:
        image = Image.new("L", (64, 48))
        ImageDraw.Draw(image).text((16, 8), chr(code), fill=255, font=font)
        return font.getlength(chr(code)), image.tobytes()

    missing = drawn(0xFFFE)
    assert {code for code in range(first, last) if drawn(code) != missing} == {
        code for code in code_points(face) if first <= code < last
    }


@given(st.characters(exclude_categories=()))
def test_every_cell_of_a_font_is_in_that_font(character: str) -> None:
    for cell in cells_of(character):
        assert cell.face is None or ord(cell.text) in code_points(cell.face)


@pytest.mark.parametrize("language", TEXTS)
def test_chinese_japanese_and_korean_are_written_in_their_own_forms(language: str) -> None:
    cells = [cell for cell in cells_of(TEXTS[language]) if is_east_asian(cell.text)]
    families = {load(cell.face, 20).getname() for cell in cells if cell.face is not None}
    assert language_of(TEXTS[language]) == language
    assert all(cell.face is not None for cell in cells)
    assert families == {(f"Noto Sans CJK {language}", "Regular")}


Forget = Callable[..., None]


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forget]:
    """Return a function that takes packages of fonts away, and the fonts of the system."""
    cached = (faces, fonts._cjk_faces, code_points)  # pyright: ignore[reportPrivateUsage] - its cache is of the fonts
    find = importlib.resources.files

    def take_away(*packages: str, folders: tuple[Path, ...] = ()) -> None:
        def files(name: str) -> object:
            if name in packages:
                raise ModuleNotFoundError(name)
            return find(name)

        monkeypatch.setattr("importlib.resources.files", files)
        monkeypatch.setattr(fonts, "_system_folders", lambda: list(folders))
        clear()

    def clear() -> None:
        for function in cached:
            function.cache_clear()

    yield take_away
    monkeypatch.undo()
    clear()


def test_without_the_package_of_fonts_letters_beyond_ascii_are_boxes(forget: Forget) -> None:
    forget("manimgx_fonts", "manimgx_fonts_cjk")
    assert [cell.face for cell in cells_of("aZ9Ж")] == [Face(None), Face(None), Face(None), None]
    assert Lettering(20).line("hat Ж", 500).cells[0].face == Face(None)
    assert Image.open(BytesIO(draw(PictureSpec(256, 256, "a hat Ж", (), 0, 1, "m", 1)))).size == (256, 256)


def test_without_a_font_for_chinese_the_picture_tells_how_to_get_one(
    forget: Forget, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written: list[str] = []
    line = Lettering.line

    def record(self: Lettering, text: str, width: float) -> object:
        written.append(text)
        return line(self, text, width)

    forget("manimgx_fonts_cjk")
    monkeypatch.setattr(Lettering, "line", record)
    file = (SourceImage("写真.png", None),)
    for prompt, sources, render in (
        ("写真", (), Render.CARDS),
        ("a photo", file, Render.CARDS),
        ("写真", (), Render.DEMO),
    ):
        written.clear()
        draw(PictureSpec(512, 512, prompt, sources, 0, 1, "m", 1, render))
        assert [text for text in written if "pip install 'bodydouble[cjk]'" in text] != []
    assert "pip install 'bodydouble[cjk]'" in caplog.text
    written.clear()
    draw(PictureSpec(512, 512, "a photo \ue000", (), 0, 1, "m", 1))
    assert [text for text in written if "pip" in text] == []


@pytest.mark.parametrize("damage", [b"", b"no font at all", b"cut"])
def test_a_damaged_font_of_the_system_is_left_out(forget: Forget, tmp_path: Path, damage: bytes) -> None:
    whole = Path(str(importlib.resources.files("manimgx_fonts"))) / "NotoSansThai[wght].ttf"
    (tmp_path / "wqy-zenhei.ttc").write_bytes(whole.read_bytes()[:300] if damage == b"cut" else damage)
    forget("manimgx_fonts_cjk", folders=(tmp_path,))
    assert [cell.face for cell in cells_of("中")] == [None]


def test_a_font_of_the_system_is_used_where_the_extra_is_missing(forget: Forget, tmp_path: Path) -> None:
    (tmp_path / "noto").mkdir()
    installed = Path(str(importlib.resources.files("manimgx_fonts_cjk"))) / "NotoSansCJK-VF.otf.ttc"
    (tmp_path / "noto" / "NotoSansCJK-Regular.ttc").symlink_to(installed)
    forget("manimgx_fonts_cjk", folders=(tmp_path / "none", tmp_path))
    face = face_for("中", "KR")
    assert face == Face(tmp_path / "noto" / "NotoSansCJK-Regular.ttc", 1)
