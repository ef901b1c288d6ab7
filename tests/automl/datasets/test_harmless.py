"""What is set right in one step."""

from automl.datasets.edits import ExcludeFiles
from automl.datasets.findings.doctor import examine
from automl.datasets.findings.examined_dataset import ExaminedDataset
from automl.datasets.findings.harmless import edit_of_harmless, is_worth_one_step
from tests.automl.datasets.test_findings import fine, photo


def test_copies_and_blank_photos_go_in_one_edit_and_nothing_else() -> None:
    copies = [photo(1), photo(2, sha256="same", near=1), photo(3, sha256="same", near=1)]
    found = examine(ExaminedDataset([*fine(), *copies, photo(4, spread=0.0), photo(5, width=9)]))
    assert is_worth_one_step(finding.kind for finding in found)
    edit = edit_of_harmless(found)
    assert isinstance(edit, ExcludeFiles)
    assert len(edit.files) == 2 and 4 in edit.files and 5 not in edit.files
    assert edit.title == "Left out 2 exact copies and photos that show nothing"


def test_one_harmless_finding_has_its_own_button() -> None:
    found = examine(ExaminedDataset([*fine(), photo(4, spread=0.0)]))
    assert not is_worth_one_step(finding.kind for finding in found)
    assert edit_of_harmless(examine(ExaminedDataset(fine()))) is None
