import os
import subprocess
import sys
from dataclasses import replace

from automl.store.lease_owner import LeaseOwner


def test_this_process_is_here_and_alive() -> None:
    mine = LeaseOwner.mine()
    assert mine.pid == os.getpid()
    assert mine.is_here()
    assert mine.is_alive()


def test_an_owner_survives_being_written_down() -> None:
    mine = LeaseOwner.mine()
    assert LeaseOwner.parse(str(mine)) == mine


def test_what_somebody_else_wrote_is_no_owner() -> None:
    assert LeaseOwner.parse("") is None
    assert LeaseOwner.parse("host/place/one/two") is None


def test_a_process_that_has_ended_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    assert not replace(LeaseOwner.mine(), pid=process.pid).is_alive()


def test_a_process_number_that_is_used_again_is_not_the_owner() -> None:
    mine = LeaseOwner.mine()
    assert not replace(mine, started=mine.started - 1).is_alive()


def test_a_zombie_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = replace(LeaseOwner.mine(), pid=process.pid)
        assert process.stdin is not None
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not owner.is_alive()


def test_another_machine_is_not_here() -> None:
    assert not replace(LeaseOwner.mine(), place="elsewhere").is_here()
