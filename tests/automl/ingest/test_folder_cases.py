from pathlib import Path

import pytest

from bench.folder_cases.case import FolderCase
from bench.folders import Verdict, all_cases, verdict_of


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_a_folder_as_people_have_it_is_read_as_it_is_meant(case: FolderCase, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    case.make(folder)
    verdict, got = verdict_of(case, folder, tmp_path / "scratch")
    assert verdict is Verdict.RIGHT or (case.may_ask and verdict is Verdict.ASKED), got
