"""Processors are counted by what the process is bound to and by what its control groups grant."""

import os
import platform
from pathlib import Path

import pytest

from automl.processors import n_processors, onnx_threads, processor_name


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert n_processors(tmp_path) == 8


@pytest.mark.parametrize(
    ("limit", "n"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("5000 100000", 1), ("", 8)]
)
def test_a_container_s_share_of_time_limits(tmp_path: Path, limit: str, n: int) -> None:
    write(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": limit})
    assert n_processors(tmp_path) == n


def test_the_narrowest_of_nested_groups_counts(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/cpu.max": "300000 100000"}
    write(tmp_path, {**files, "sys/fs/cgroup/a/b/cpu.max": "max 100000"})
    assert n_processors(tmp_path) == 3


def test_the_first_version_of_control_groups_is_read_too(tmp_path: Path) -> None:
    folder = "sys/fs/cgroup/cpu,cpuacct"
    write(
        tmp_path,
        {
            "proc/self/cgroup": "7:memory:/x\n4:cpu,cpuacct:/docker/x",
            f"{folder}/cpu.cfs_quota_us": "400000",
            f"{folder}/cpu.cfs_period_us": "100000",
        },
    )
    assert n_processors(tmp_path) == 4
    write(tmp_path, {f"{folder}/cpu.cfs_quota_us": "-1"})
    assert n_processors(tmp_path) == 8


def test_onnx_runtime_is_told_a_number_only_where_it_would_count_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    for n_of_machine, n_threads in ((n_processors(), 0), (64, n_processors())):
        monkeypatch.setattr(os, "cpu_count", lambda n=n_of_machine: n)
        assert onnx_threads() == n_threads


def test_the_maker_names_the_processor(tmp_path):
    write(tmp_path, {"proc/cpuinfo": "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other"})
    assert processor_name(tmp_path) == "Some CPU @ 2 GHz"


def test_where_no_maker_is_known_a_processor_has_the_name_of_its_kind(tmp_path):
    assert processor_name(tmp_path) == platform.machine()
