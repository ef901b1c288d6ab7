"""The documents of `docs/` as pages: the user guide, the glossary, the description of the API."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from flask import url_for
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from automl.text.messages import pages as page_messages

_FOLDER = Path(__file__).parents[2] / "docs"
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document.

    Attributes:
        name: Its name in addresses.
        file: Its file in `docs/`.
        title: What links to it say.
    """

    name: str
    file: str
    title: str

    @property
    def address(self) -> str:
        """Where its page is."""
        return url_for("help.api") if self.name == "api" else url_for("help.show", name=self.name)


DOCUMENTS: Mapping[str, Document] = {
    one.name: one
    for one in (
        Document(name="guide", file="user-guide.md", title=page_messages.USER_GUIDE),
        Document(name="words", file="glossary.md", title=page_messages.WORDS_EXPLAINED),
        Document(name="api", file="api.md", title=page_messages.FOR_PROGRAMMERS),
        Document(name="settings", file="settings.md", title=page_messages.SETTINGS_OF_SERVER),
        Document(name="security", file="security.md", title=page_messages.SECURITY_OF_SERVER),
    )
}
"""By name, in the order of the links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedDocument:
    """A document as HTML.

    Attributes:
        title: Its first heading.
        html: The rest.
        headings: Anchor and title of its sections.
    """

    title: str
    html: Markup
    headings: Sequence[tuple[str, str]]


@cache
def rendered(name: str) -> RenderedDocument:
    """The document `name` of `DOCUMENTS`. It is rendered once; it changes with the program only."""
    text = _COMMENT.sub("", (_FOLDER / DOCUMENTS[name].file).read_text(encoding="utf-8"))
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("table_open", _open_table)
    markdown.add_render_rule("table_close", _close_table)
    for kind in ("fence", "code_block"):
        markdown.add_render_rule(kind, _code)
    tokens = markdown.parse(text)
    headings = _with_anchors(tokens)
    if name == "words":
        _with_anchors_of_terms(tokens)
    for token in tokens:
        token.children = _with_our_links(token.children) if token.children else token.children
    title, start = tokens[1].content, 3  # the title is drawn by the template
    html = markdown.renderer.render(tokens[start:], markdown.options, {})
    return RenderedDocument(title=title, html=Markup(html), headings=headings)  # noqa: S704 - our own documents


def _with_anchors(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Gives each heading the anchor that links in the documents name it by; those of the second level."""
    found = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            anchor = _NOT_IN_ANCHORS.sub("", inline.content.lower()).replace(" ", "-")
            token.attrSet("id", anchor)
            if token.tag == "h2":
                found.append((anchor, inline.content))
    return found


def _with_anchors_of_terms(tokens: Sequence[Token]) -> None:
    """Gives each row of a table its first cell as an anchor, without what stands there in brackets."""
    for row, cell, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if row.type == "tr_open" and cell.type == "td_open":
            row.attrSet("id", inline.content.split(" (")[0].lower().replace(" ", "-"))


def _with_our_links(tokens: Sequence[Token]) -> list[Token]:
    """Links to other documents lead to their pages; those to files that have no page are plain text."""
    pages = {one.file: one.address for one in DOCUMENTS.values()}
    kept, is_dropped = [], False
    for token in tokens:
        if token.type == "link_open":
            file, _, anchor = str(token.attrGet("href")).partition("#")
            is_dropped = file != "" and file not in pages and "://" not in file
            if file in pages:
                token.attrSet("href", f"{pages[file]}#{anchor}" if anchor else pages[file])
        if is_dropped and token.type in ("link_open", "link_close"):
            is_dropped = token.type == "link_open"
            continue
        kept.append(token)
    return kept


def _code(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
    """Long lines scroll, also with the keyboard."""
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _open_table(
    _renderer: RendererHTML, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Wide tables scroll by themselves, also with the keyboard."""
    return f'<div class="scroll-box" tabindex="0" role="region" aria-label="{page_messages.TABLE}">\n<table>\n'


def _close_table(
    _renderer: RendererHTML, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return "</table>\n</div>\n"
