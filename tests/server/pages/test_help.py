import re
from pathlib import Path

import pytest

from server.views.documents import DOCUMENTS

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_has_a_page_without_a_dead_link(client, name):
    page = client.get(f"/help/{name}", follow_redirects=True).text
    assert "<!--" not in page and "&lt;!--" not in page
    anchors = set(re.findall(r'id="([^"]+)"', page))
    article = page[page.index("<article") : page.index("</article>")]
    for address in re.findall(r'href="([^"]+)"', article):
        assert address.startswith(("/help", "/api", "http", "#")), address
        if address.startswith("#"):
            assert address[1:] in anchors
        elif not address.startswith("http"):
            other = client.get(address.partition("#")[0])
            assert other.status_code == 200
            anchor = address.partition("#")[2]
            assert not anchor or f'id="{anchor}"' in other.text


def test_the_glossary_is_the_text_of_the_document(client):
    page = client.get("/help/words").text
    assert "<td>One of the kinds that a model tells apart; its name is the <em>label</em> of its photos.</td>" in page


def test_each_word_that_a_page_explains_has_its_row_in_the_glossary(client):
    page = client.get("/help/words").text
    terms = {
        found[2] or found[1]
        for template in (REPOSITORY / "templates").rglob("*.html")
        for found in re.finditer(r'\bterm\("([^"]+)"(?:, "([^"]+)")?\)', template.read_text(encoding="utf-8"))
    }
    assert len(terms) > 10
    assert [term for term in sorted(terms) if f'<tr id="{term.lower().replace(" ", "-")}">' not in page] == []


def test_each_page_leads_to_help(client):
    for address in ("/", "/datasets", "/nowhere"):
        assert 'href="/help/words"' in client.get(address).text


def test_the_address_of_the_api_shows_its_documentation(client):
    assert "The HTTP API" in client.get("/api").text
    for address in ("/api/", "/api/v1", "/api/v1/"):
        assert "The HTTP API" in client.get(address).text
    assert client.get("/api/v1/nothing").json["error"]["code"] == "not_found"
    assert client.get("/help/nothing").status_code == 404
