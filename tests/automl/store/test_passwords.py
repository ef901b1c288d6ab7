"""What makes a password, and how it is kept."""

import threading
import time

import pytest

from automl.errors import BadSetting
from automl.store.passwords import MAX_CHARS, MIN_CHARS, MOST_AT_ONCE, hashed, is_right, refuse_weak


@pytest.mark.parametrize(
    "password", ["four words in a row", "Ünïcødé ist schön", "kettle-river-47", "correcthorsebattery"]
)
def test_long_ones_are_taken_whatever_they_are_made_of(password):
    refuse_weak(password, "ann@example.org", "Ann")


@pytest.mark.parametrize(
    "password",
    ["short", "a" * (MAX_CHARS + 1), "aaaaaaaaaaaa", "1234567890", "abcdefghijkl", "Password2026!", "qwertyuiop",
     "!!admin2026!!", "ann@example.org", "annabelle1999", "darkroom1234"],
)  # fmt: skip
def test_what_others_try_first_is_refused(password):
    with pytest.raises(BadSetting):
        refuse_weak(password, "ann@example.org", "Annabelle")


def test_the_shortest_that_is_long_enough():
    refuse_weak("kettle 47x"[:MIN_CHARS], "ann@example.org")


def test_only_the_password_itself_is_right_and_no_two_hashes_are_the_same():
    kept = hashed("four words in a row")
    assert kept.startswith("$argon2id$")
    assert kept != hashed("four words in a row")
    assert is_right("four words in a row", kept)
    assert not is_right("four words in a ro", kept)
    assert not is_right("", "")
    assert not is_right("anything", "")


def test_few_are_compared_at_once_however_many_are_sent(monkeypatch):
    class Counting:
        n_now = n_most = 0

        def verify(self, *_):
            with lock:
                self.n_now += 1
                self.n_most = max(self.n_most, self.n_now)
                if self.n_now == MOST_AT_ONCE:
                    is_full.set()
            is_full.wait(30)
            time.sleep(0.1)  # the first ones stay until no more may come; where more may, they come now
            with lock:
                self.n_now -= 1
            return True

    lock, is_full, hasher = threading.Lock(), threading.Event(), Counting()
    monkeypatch.setattr("automl.store.passwords._hasher", lambda: hasher)
    people = [threading.Thread(target=is_right, args=("x", "a hash")) for _ in range(5 * MOST_AT_ONCE)]
    for one in people:
        one.start()
    for one in people:
        one.join(60)
    assert hasher.n_most == MOST_AT_ONCE
