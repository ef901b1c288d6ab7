"""Class names in any script are legible in every plot, and never drawn as boxes."""

from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from automl.evaluation.plots import draw_all
from automl.evaluation.plots.fonts import drawn_with, legible_names
from automl.evaluation.plots.roc import roc_curves
from automl.records import Goal
from automl.serving.predict import RULES
from tests.automl.evaluation.plotted import CURVES, drawn_texts, pictures, score, trial

NAMES = ("_background_", "$5", "玫瑰", "a_b^c $x$")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    legible_names.cache_clear()


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font_manager, "findSystemFonts", list)


def made_font(folder: Path, letters: str, family: str) -> str:
    """A font whose letters are squares."""
    names = {ord(letter): f"u{ord(letter):X}" for letter in letters}
    pen = TTGlyphPen(None)
    for point in ((0, 0), (0, 700), (700, 700), (700, 0)):
        (pen.moveTo if point == (0, 0) else pen.lineTo)(point)
    pen.closePath()
    glyphs = dict.fromkeys([".notdef", *names.values()], pen.glyph())
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(names)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (800, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800)
    builder.setupPost()
    path = folder / f"{family}.ttf"
    builder.save(path)
    return str(path)


@pytest.mark.usefixtures("no_fonts")
def test_without_a_font_the_number_stands_for_the_class_and_it_is_said_what_to_install() -> None:
    legible = legible_names(NAMES)
    assert legible.names == ("_background_", "$5", "#\u00a03", "a_b^c $x$")
    assert "'玫瑰'" in legible.note and "#\u00a03" in legible.note and "fonts-noto-cjk" in legible.note


@pytest.mark.usefixtures("no_fonts")
def test_many_names_without_a_font_are_listed_with_their_numbers() -> None:
    note = legible_names(("玫瑰", "tulip", "गुलाब")).note
    assert "2 class names" in note and "#\u00a01 is '玫瑰', #\u00a03 is 'गुलाब'" in note
    assert "fonts-noto-cjk fonts-noto-core" in note
    assert "and so on" in legible_names(tuple("玫瑰郁金香向日葵蒲公英")).note


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("name", ["rose", "Löwenzahn", "роза", "τριαντάφυλλο", "وردة", "a\u200db\ufe0f"])
def test_letters_that_matplotlib_brings_need_no_search(name: str) -> None:
    legible = legible_names((name, "b"))
    assert legible.note == "" and "#" not in legible.names[0]


def test_the_fonts_of_the_machine_are_searched_by_their_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    paths = [made_font(tmp_path, "玫", "Half"), made_font(tmp_path, "玫瑰", "Whole"), str(tmp_path / "broken.ttf")]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: paths)
    legible = legible_names(NAMES)
    assert (legible.names, legible.families, legible.note) == (NAMES, ("DejaVu Sans", "Whole"), "")
    with drawn_with(legible.families):
        figure = Figure()
        figure.text(0, 0, "".join(NAMES), parse_math=False)
        FigureCanvasAgg(figure).draw()  # a letter that is missing is a warning, and so an error


def test_names_that_begin_with_an_underscore_are_in_the_legend(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = roc_curves(replace(score(4, 80), classes=(*NAMES[:2], "_", NAMES[3])))
    texts = list(drawn_texts(figure, monkeypatch))
    for name in ("_background_", "$5", "_", "a_b^c $x$"):
        assert any(text.startswith(f"{name} (area") for text in texts)
    assert not any(text.get_parse_math() for text in figure.legends[0].get_texts())


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.filterwarnings("error:Glyph")
def test_no_plot_draws_a_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from automl.evaluation.plots import style

    monkeypatch.setattr(style, "any_script", lambda: drawn_with(["DejaVu Sans"]))
    drawn = draw_all(
        tmp_path / "plots",
        curves=CURVES,
        best_epoch=1,
        score=replace(score(4, 40), classes=NAMES),
        test_images=pictures(tmp_path, 40),
        rules=RULES,
        trials=[trial(0, 0.9)],
        goal=Goal.ACCURACY,
    )
    svg = (tmp_path / "plots" / "confusion_matrix.svg").read_text()
    assert "玫瑰" in svg and "#\u00a03" not in svg, "browsers have fonts of their own"
    assert len(drawn) > 4
