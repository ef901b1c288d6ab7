"""The smallest of what the machine and every group leave is what there is."""

from pathlib import Path

import pytest

from automl.available_memory import available_bytes

GB = 1_000_000_000


@pytest.fixture
def system(tmp_path):
    def build(own: str, groups: dict[str, dict[str, str]]) -> dict[str, Path]:
        proc, cgroups = tmp_path / "proc", tmp_path / "cgroups"
        (proc / "self").mkdir(parents=True)
        (proc / "meminfo").write_text("MemTotal: 64000000 kB\nMemAvailable: 8000000 kB\n")
        (proc / "self" / "cgroup").write_text(own)
        for name, files in groups.items():
            (cgroups / name).mkdir(parents=True, exist_ok=True)
            for file, text in files.items():
                (cgroups / name / file).write_text(text)
        return {"proc": proc, "cgroups": cgroups}

    return build


def test_without_a_group_it_is_what_the_machine_has(system):
    assert available_bytes(**system("0::/\n", {})) == 8_192_000_000


def test_a_container_may_have_less(system):
    files = {
        "memory.max": f"{4 * GB}\n",
        "memory.current": f"{3 * GB}\n",
        "memory.stat": f"anon 1\ninactive_file {GB}\n",
    }
    assert available_bytes(**system("0::/\n", {".": files})) == 2 * GB


def test_the_limit_of_a_group_above_holds_too(system):
    above = {"memory.max": f"{2 * GB}", "memory.current": f"{GB}"}
    own = {"memory.max": "max", "memory.current": f"{GB}"}
    assert available_bytes(**system("0::/a/b\n", {"a": above, "a/b": own})) == GB


def test_groups_of_the_first_version(system):
    files = {
        "memory.limit_in_bytes": f"{3 * GB}",
        "memory.usage_in_bytes": f"{2 * GB}",
        "memory.stat": "total_inactive_file 5",
    }
    lines = "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n"
    assert available_bytes(**system(lines, {"memory/docker/x": files})) == GB + 5


def test_more_than_the_limit_leaves_nothing(system):
    assert available_bytes(**system("0::/\n", {".": {"memory.max": "5", "memory.current": "7"}})) == 0


def test_a_system_that_does_not_say(tmp_path):
    assert available_bytes(proc=tmp_path, cgroups=tmp_path) is None
