import os

from automl.models import device


def test_a_machine_without_a_gpu_names_the_cores_that_may_be_used(monkeypatch):
    monkeypatch.setattr(device, "has_gpu", lambda: False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3}, raising=False)
    assert device.device_in_words() == "CPU, 1 core"
