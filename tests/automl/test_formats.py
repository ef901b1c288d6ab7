"""The table of formats and the scripts that are delivered with them."""

import ast
from pathlib import Path

import pytest

from automl.formats import FORMATS, LITERT, ONNX_RUNTIME, TENSORFLOW, find_format, size_of
from automl.serving import predict, predict_litert, predict_tensorflow

REPOSITORY = Path(__file__).resolve().parents[2]
RUNTIMES = [ONNX_RUNTIME, LITERT, TENSORFLOW]


@pytest.mark.parametrize("attribute", ["name", "title", "file_name", "purpose"])
def test_no_two_formats_share_a(attribute):
    assert len({getattr(one, attribute) for one in FORMATS}) == len(FORMATS) == 6


def test_whole_numbers_may_differ_by_two_points_and_the_others_by_half_a_point():
    assert {one.name: one.tolerance for one in FORMATS if one.tolerance != 0.005} == {"litert_int8": 0.02}


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda one: one.name)
def test_a_delivered_script_imports_nothing_of_this_project(runtime):
    tree = ast.parse(runtime.delivered_script())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not any(str(module).startswith("automl") for module in modules)
    assert runtime is ONNX_RUNTIME or "predict" in modules


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_a_readme_has_the_commands_of_each_system_the_choice_of_the_model_and_code(one):
    readme, runtime = one.runtime.readme(one.file_name), one.runtime
    for python in ("venv/bin/", "venv\\Scripts\\"):
        assert f"{python}pip install -r {runtime.requirements_name}" in readme
        assert f"{python}python {runtime.script} photo.jpg" in readme
    assert f"{runtime.script} --model {one.file_name} photo.jpg" in readme
    assert f"Classifier({one.file_name!r})" in readme
    assert runtime.requirements().splitlines() == list(runtime.packages)


@pytest.mark.parametrize(
    ("runtime", "program"), [(ONNX_RUNTIME, predict), (LITERT, predict_litert), (TENSORFLOW, predict_tensorflow)]
)
def test_each_program_looks_for_the_models_of_its_runtime(runtime, program):
    assert tuple(one.file_name for one in FORMATS if one.runtime is runtime) == program.MODELS


@pytest.mark.parametrize("program", [predict, predict_litert, predict_tensorflow])
def test_each_program_takes_the_same_arguments(program, tmp_path, monkeypatch, capsys):
    """The first of its models that lies beside it, or the one that is named before the photos."""
    monkeypatch.setattr(predict, "__file__", str(tmp_path / "predict.py"))
    monkeypatch.setattr(program, "Classifier", lambda model: model)
    asked = []
    monkeypatch.setattr(predict, "answer", lambda model, photos: asked.append((model, photos)) or 0)
    photos = ["a.jpg", "b.jpg"]
    with pytest.raises(SystemExit, match="2"):
        program.main(photos)
    assert f"there is no model {tmp_path / program.MODELS[0]}" in capsys.readouterr().err
    (tmp_path / program.MODELS[-1]).touch()
    other = tmp_path / "other"
    other.touch()
    assert program.main(photos) == program.main(["--model", str(other), *photos]) == 0
    paths = [Path(photo) for photo in photos]
    assert asked == [(tmp_path / program.MODELS[-1], paths), (other, paths)]
    with pytest.raises(SystemExit, match="2"):
        program.main([])


@pytest.mark.parametrize("guide", ["api.md", "user-guide.md"])
@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_every_format_is_documented(one, guide):
    assert f"`{one.name}`" in (REPOSITORY / "docs" / guide).read_text(encoding="utf-8")


def test_a_format_is_found_by_its_name():
    assert [find_format(one.name) for one in FORMATS] == list(FORMATS)
    with pytest.raises(KeyError):
        find_format("nothing")


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one").write_bytes(b"123")
    (tmp_path / "two").write_bytes(b"45")
    assert (size_of(tmp_path), size_of(tmp_path / "two")) == (5, 2)
