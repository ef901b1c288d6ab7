import pytest

from server.confusion import in_words, view_confusion

RESULT = {"classes": ["a&b", "rust <i>", "ok"], "test": {"confusion": [[38, 4, 1], [7, 36, 0], [0, 0, 0]]}}


def test_each_count_leads_to_its_photos_and_says_what_it_counts():
    matrix = view_confusion(RESULT, "/runs/1/answers")
    cell = matrix.rows[0].cells[1]
    assert cell.href == "/runs/1/answers?really=a%26b&said=rust%20%3Ci%3E"
    assert (cell.n, cell.is_right, cell.words) == (4, False, "4 photos of a&b taken for rust <i>")


def test_nothing_leads_nowhere():
    matrix = view_confusion(RESULT, "/runs/1/answers")
    assert [(cell.href, cell.words, cell.shade) for cell in matrix.rows[2].cells] == [("", "", 0)] * 3
    assert matrix.rows[2].found is None


def test_shades_are_shares_of_the_row_and_even_the_smallest_can_be_seen():
    first = view_confusion({"classes": ["a", "b"], "test": {"confusion": [[99, 1], [5, 5]]}}, "").rows
    assert [[cell.shade for cell in row.cells] for row in first] == [[10, 1], [5, 5]]
    assert [row.found for row in first] == [0.99, 0.5]


def test_the_most_frequent_mistakes_come_first_and_are_counted():
    matrix = view_confusion(RESULT, "/x")
    assert [(pair.really, pair.said, pair.n, pair.n_really) for pair in matrix.pairs] == [
        ("rust <i>", "a&b", 7, 43),
        ("a&b", "rust <i>", 4, 43),
        ("a&b", "ok", 1, 43),
    ]
    assert (matrix.n_pairs, matrix.n_mistakes) == (3, 12)


def test_a_hundred_classes_list_ten_pairs():
    classes = [f"c{i}" for i in range(100)]
    confusion = [[1 + (column == row) for column in range(100)] for row in range(100)]
    matrix = view_confusion({"classes": classes, "test": {"confusion": confusion}}, "/x")
    assert (len(matrix.pairs), matrix.n_pairs) == (10, 9900)


def test_without_answers_there_are_no_links():
    matrix = view_confusion(RESULT, "")
    assert {cell.href for row in matrix.rows for cell in row.cells} | {head.href for head in matrix.columns} == {""}


@pytest.mark.parametrize("result", [{}, {"test": {}}, {"test": None, "classes": []}])
def test_no_test_no_matrix(result):
    assert view_confusion(result, "/x") is None


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
