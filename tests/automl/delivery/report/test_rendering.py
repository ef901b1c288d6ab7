"""What a template prints can break neither HTML nor Markdown."""

import pytest
from jinja2 import UndefinedError

from automl.delivery.report.rendering import _environment, render_html, render_markdown


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("bean_rust", "bean_rust"),
        ("_a_", r"\_a\_"),
        ("a|b", r"a\|b"),
        ("<b>*x*</b>", r"\<b\>\*x\*\</b\>"),
        ("two\nlines", "two lines"),
        ("- x", r"\- x"),
        ("12. x", r"12\. x"),
        ("12.5", "12.5"),
        ("\x00\udc80", "��"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text, escaped, tmp_path, monkeypatch):
    assert printed(render_markdown, text, tmp_path, monkeypatch) == escaped


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("<b> & \"'", "&lt;b&gt; &amp; &#34;&#39;"), ("\x0b\ufffe", "��"), ("鳥\u200d 🐦", "鳥\u200d 🐦"), (3, "3")],
)
def test_html_shows_a_text_as_it_is(text, escaped, tmp_path, monkeypatch):
    assert printed(render_html, text, tmp_path, monkeypatch) == escaped


def test_a_misspelt_name_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(UndefinedError):
        printed(render_html, "x", tmp_path, monkeypatch, "{{ txet }}")


def printed(render, text, folder, monkeypatch, template="{{ text }}"):
    (folder / "one").write_text(template)
    monkeypatch.setattr("automl.delivery.report.rendering._TEMPLATES", folder)
    monkeypatch.setattr("automl.delivery.report.rendering._environment", _environment.__wrapped__)
    return render("one", text=text)
