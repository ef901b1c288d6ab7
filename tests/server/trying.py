"""Runs whose model answers: a real ONNX graph that says which colour a picture has most of."""

import io

import numpy as np
from PIL import Image

from automl.records import RunState
from tests.automl.serving.tiny_model import tiny_model
from tests.server.conftest import World, zip_of
from tests.server.pages.test_runs import RESULT

THRESHOLD = 0.9


def picture(colour: tuple[int, int, int] = (255, 0, 0), side: int = 24, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, form)
    return buffer.getvalue()


def noise(seed: int) -> bytes:
    """A photo that is no copy of another one."""
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def add_tried_run(world: World, dataset_id: str | None = None, model: bytes | None = None, **members: bytes) -> str:
    """A run that is done, with a download that can be tried. `members`: of the .zip."""
    result = {**RESULT, "calibration": {"threshold": THRESHOLD}}
    run_id = world.add_run(RunState.DONE, dataset_id, result=result)
    bundle = zip_of(**{"model.onnx": tiny_model() if model is None else model, **members})
    world.add_artifact(run_id, "bundle", bundle, "model.zip", "application/zip")
    return run_id
