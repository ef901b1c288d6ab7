"""The serving contract as the delivered programs read it."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from automl.records import Aspect, DeliveredContract, GrayRange, GrayRules, ServingContract
from automl.serving.predict import CONTRACT, Classifier, PhotoRules, is_foreign, said, sure_in
from tests.automl.serving.tiny_model import tiny_model


def test_the_program_reads_what_the_record_writes() -> None:
    gray = GrayRules(integers=GrayRange(black=-1000, white=1200), floats=GrayRange(black=0, white=1))
    text = ServingContract(background="gray", gray=gray).json_text()
    assert PhotoRules.read(text) == PhotoRules(integers=(-1000, 1200), floats=(0, 1), background=128)
    assert PhotoRules.read(text.encode()) == PhotoRules.read(text)
    assert ServingContract.model_validate_json(text) == ServingContract(background="gray", gray=gray)


@pytest.mark.parametrize("aspect", ["squeeze", "whole", "crop"])
def test_the_program_reads_how_photos_become_square(aspect: Aspect) -> None:
    assert PhotoRules.read(ServingContract(aspect=aspect).json_text()) == PhotoRules(aspect=aspect)


def test_the_program_reads_the_darker_ranges() -> None:
    small, large = GrayRange(black=0, white=255), GrayRange(black=0, white=4095)
    gray = GrayRules(integers=GrayRange(black=0, white=65535), darker_integers=(small, large), darker_floats=(small,))
    rules = PhotoRules.read(ServingContract(gray=gray).json_text())
    assert (rules.darker_integers, rules.darker_floats) == (((0, 255), (0, 4095)), ((0, 255),))
    known = [rules.range_for(0, highest, is_float=False)[1] for highest in (200, 256, 4095, 4096)]
    assert known == [255, 4095, 4095, 65535]


def test_a_contract_from_before_there_were_darker_ranges_is_read() -> None:
    older = json.loads(ServingContract().json_text())
    older["version"] = 1
    older["gray"] = {"integers": {"black": 0, "white": 4095}, "floats": None}
    assert PhotoRules.read(json.dumps(older)) == PhotoRules(version=1, integers=(0, 4095))


def test_the_usual_contract_is_what_the_program_does_by_itself() -> None:
    assert PhotoRules.read(ServingContract().json_text()) == PhotoRules()


def test_a_model_without_one_is_read_as_before() -> None:
    assert PhotoRules.read("").version == 0


@pytest.mark.parametrize("change", [{"version": 3}, {"orientation": "stored"}, {"aspect": "stretch"}])
def test_a_contract_that_it_does_not_know_is_refused(change: dict[str, object]) -> None:
    newer = json.dumps(json.loads(ServingContract().json_text()) | change)
    with pytest.raises(ValueError, match="newer Darkroom"):
        PhotoRules.read(newer)


def carrying(contract: ServingContract) -> bytes:
    """A model with a contract inside."""
    model = onnx.load_model_from_string(tiny_model())
    model.metadata_props.add(key=CONTRACT, value=contract.json_text())
    return bytes(model.SerializeToString())


def test_a_model_says_from_which_confidence_on_its_answers_are_sure() -> None:
    assert Classifier(carrying(DeliveredContract(sure=0.83))).sure == 0.83


def test_the_threshold_beside_a_model_counts_since_its_user_may_have_chosen_it(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(carrying(DeliveredContract(sure=0.83)))
    assert Classifier(path).sure == 0.83
    (tmp_path / CONTRACT).write_text(DeliveredContract(sure=0.95).json_text())
    assert Classifier(path).sure == 0.95


@pytest.mark.parametrize(("colour", "begin"), [(0, "red"), (255, "this looks like nothing it has learned (otherwise ")])
def test_the_program_says_what_looks_like_nothing_that_was_learned(tmp_path: Path, colour: int, begin: str) -> None:
    model = Classifier(tiny_model(has_distance=True))
    photo = tmp_path / "photo.png"
    Image.new("RGB", (9, 9), (255, colour, colour)).save(photo)
    assert said(model, *model.ask(photo)).startswith(begin)


def test_a_model_without_distances_takes_no_photo_for_foreign() -> None:
    model = Classifier(tiny_model())
    _, distances = model.ask_arrays(np.full((1, 8, 8, 3), 255))
    assert (distances, model.foreign, is_foreign(None, model.foreign)) == (None, None, False)


@pytest.mark.parametrize("text", ["", ServingContract().json_text(), DeliveredContract().json_text()])
def test_a_model_from_before_says_nothing_of_sure_answers(text: str) -> None:
    assert sure_in(text) is None


@pytest.mark.parametrize(("sure", "begin"), [(None, "red 80"), (0.8, "red 80"), (0.81, "not sure, perhaps red 80")])
def test_the_program_says_not_sure_below_the_threshold(sure: float | None, begin: str) -> None:
    model = Classifier(carrying(DeliveredContract(sure=sure)))
    assert said(model, np.array([0.8, 0.15, 0.05])).startswith(begin)
