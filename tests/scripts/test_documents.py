import pytest

from scripts.documents import TABLES, MadeTable


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.document}:{table.name}")
def test_the_documentation_has_the_table_of_today(table):
    """Where this fails: `python -m scripts.documents`."""
    text = table.path.read_text(encoding="utf-8")
    assert table.written(text) == text


def test_only_what_is_between_the_comments_is_written():
    table = MadeTable(document="x.md", name="things", lines=lambda: ["| new |"])
    before, old, after = "A\n", "<!-- things: begin -->\n| old |\n<!-- things: end -->", "\nZ\n"
    written = table.written(before + old + after)
    assert written.startswith(before) and written.endswith(f"| new |\n<!-- things: end -->{after}")
    assert "old" not in written


def test_a_table_without_its_comments_is_an_error():
    with pytest.raises(ValueError, match="0 tables"):
        MadeTable(document="x.md", name="things", lines=list).written("nothing")
