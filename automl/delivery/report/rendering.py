"""Fills the templates beside it. What it prints is escaped, whichever the format, unless it is `Markup`."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from automl.text.numbers import percent

_TEMPLATES = Path(__file__).parent / "templates"

# What HTML and XML may not hold and names of folders can: control characters, halves of surrogates, noncharacters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# An underscore inside a word means nothing there, and class names are full of them.
_MARKDOWN = re.compile(r"([\\`*\[\]<>|#&~$!]|(?<![^\W_])_|_(?![^\W_])|^[-+])")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


def render_html(template: str, **values: Any) -> str:
    """A template of `templates/`, with everything escaped for HTML (which is also XML)."""
    return _environment(_html).get_template(template).render(values)


def render_markdown(template: str, **values: Any) -> str:
    """A template of `templates/`, with everything escaped for GitHub's Markdown, tables included, on one line each."""
    return _environment(_markdown).get_template(template).render(values)


def _html(value: str) -> Markup:
    return escape(value)


def _markdown(value: str) -> Markup:
    """On one line, or a table would end there."""
    line = _MARKDOWN.sub(r"\\\1", " ".join(value.split()))
    return Markup(_NUMBERED.sub(r"\1\\\2", line))  # noqa: S704 - this is what escapes for Markdown


@cache
def _environment(escaped: Callable[[str], Markup]) -> Environment:
    """`StrictUndefined`: a misspelt name is an error and not a gap in the page."""

    def finalize(value: Any) -> Any:
        is_raw = isinstance(value, str) and not isinstance(value, Markup)
        return escaped(_FORBIDDEN.sub("�", value)) if is_raw else value

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,  # which leaves alone what `finalize` has marked
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = percent
    return environment
