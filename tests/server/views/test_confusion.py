import pytest

from automl.records import RunState
from server.views.confusion import MAX_DRAWN, in_words, n_mistakes, view_confusion
from tests.reports import made_report
from tests.server.answered import answers_csv
from tests.server.conftest import zip_of
from tests.server.trying import picture

REPORT = made_report(classes=["a&b", "rust <i>", "ok"], test={"confusion": [[38, 4, 1], [7, 36, 0], [0, 0, 0]]})


def test_each_count_leads_to_its_photos_and_says_what_it_counts():
    matrix = view_confusion(REPORT, "/runs/1/answers")
    cell = matrix.rows[0].cells[1]
    assert cell.href == "/runs/1/answers?really=a%26b&said=rust%20%3Ci%3E"
    assert (cell.n, cell.is_right, cell.words) == (4, False, "4 photos of a&b taken for rust <i>")


def test_nothing_leads_nowhere():
    matrix = view_confusion(REPORT, "/runs/1/answers")
    assert [(cell.href, cell.words, cell.shade) for cell in matrix.rows[2].cells] == [("", "", 0)] * 3
    assert matrix.rows[2].found is None


def test_shades_are_shares_of_the_row_and_even_the_smallest_can_be_seen():
    first = view_confusion(made_report(test={"confusion": [[99, 1], [5, 5]]}), "").rows
    assert [[cell.shade for cell in row.cells] for row in first] == [[10, 1], [5, 5]]
    assert [row.found for row in first] == [0.99, 0.5]


def test_the_most_frequent_mistakes_come_first_and_are_counted():
    matrix = view_confusion(REPORT, "/x")
    assert [(pair.really, pair.said, pair.n, pair.n_really) for pair in matrix.pairs] == [
        ("rust <i>", "a&b", 7, 43),
        ("a&b", "rust <i>", 4, 43),
        ("a&b", "ok", 1, 43),
    ]
    assert (matrix.n_pairs, n_mistakes(REPORT)) == (3, 12)


@pytest.mark.parametrize(("n_classes", "n_rows"), [(MAX_DRAWN, MAX_DRAWN), (MAX_DRAWN + 1, 0)])
def test_what_nobody_could_read_is_not_drawn_and_still_counted(n_classes, n_rows):
    classes = [f"c{i}" for i in range(n_classes)]
    confusion = [[1 + (column == row) for column in classes] for row in classes]
    confusion[7][9] = 3
    report = made_report(classes=classes, test={"confusion": confusion})
    matrix = view_confusion(report, "/x")
    assert (len(matrix.rows), len(matrix.columns)) == (n_rows, n_rows)
    assert (len(matrix.pairs), matrix.n_pairs) == (10, n_classes * (n_classes - 1))
    assert n_mistakes(report) == matrix.n_pairs + 2
    first, second = matrix.pairs[:2]
    assert (first.words, first.href) == ("3 photos of c7 taken for c9", "/x?really=c7&said=c9")
    assert (second.really, second.said) == ("c0", "c1")


def add_many_classes(world, n=1000):
    """A finished run with plots on `n` classes, ten photos each, of which one of class 50 was taken for class 51."""
    classes = [f"class number {i}" for i in range(n)]
    confusion = [[10 * (row == column) for column in range(n)] for row in range(n)]
    confusion[50][50:52] = [9, 1]
    scores = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "n_images": 10}
    per_class = [{**scores, "label": label} for label in classes]
    per_class[50].update(recall=0.9, f1=0.947)
    test = {"accuracy": 1 - 0.1 / n, "n_images": 10 * n, "n_correct": 10 * n - 1}
    test.update(confusion=confusion, per_class=per_class)
    run_id = world.add_run(RunState.DONE, result={"classes": classes, "sentence": "It was right.", "test": test})
    answers = answers_csv([("s1", classes[50], classes[51], 0.9)])
    world.add_artifact(run_id, "bundle", zip_of(**{"answers.csv": answers}), "model.zip", "application/zip")
    world.add_artifact(run_id, "plot", picture(), "confusion_matrix.png", "image/png", "Which classes it mixes up")
    return run_id


def test_the_page_of_a_thousand_classes_stays_small_and_leads_to_the_photos_of_each(world, client):
    """The numbers of a matrix of them would be 25 MB of page."""
    run_id = add_many_classes(world)
    page, details = (client.get(f"/runs/{run_id}/{name}").text for name in ("mistakes", "details"))
    assert len(page) < 600_000 and len(details) < 900_000 and len(client.get(f"/runs/{run_id}").text) < 60_000
    assert 'id="confusion"' not in page and "Skip the table" not in page
    assert "You have 1,000 kinds of photo" in page
    assert f'href="/runs/{run_id}/details#plots-title"' in page and 'id="plots-title"' in details
    assert "1 photo of class number 50 taken for class number 51" in page
    assert "See the one mistake" in page
    weakest = details.partition('id="per-class"')[2].partition("<tbody>")[2].partition("</tr>")[0]
    assert f'href="/runs/{run_id}/answers?really=class+number+50">class number 50</a>' in weakest


def test_without_answers_there_are_no_links():
    matrix = view_confusion(REPORT, "")
    assert {cell.href for row in matrix.rows for cell in row.cells} | {head.href for head in matrix.columns} == {""}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ((3, "leaf spot", "rust"), "3 photos of leaf spot taken for rust"),
        ((1, "rust", "rust"), "1 photo of rust, rightly named"),
        ((2, "rust", None), "2 photos of rust"),
        ((2, None, "rust"), "2 photos that it called rust"),
        ((1, None, None), "1 mistake"),
        ((1200, None, None), "1,200 mistakes"),
    ],
)
def test_what_a_page_shows_in_words(case, words):
    assert in_words(*case) == words
