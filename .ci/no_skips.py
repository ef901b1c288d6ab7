"""Fails if a test of a JUnit report was skipped that must not be: `no_skips.py REPORT`.

Browser and end-to-end tests must have run, always; with DARKROOM_REQUIRE_DATA=1, every test, except those of programs
that Darkroom does not bring: where one of these is missing, this says so.
"""

import os
import sys
from collections import Counter
from xml.etree.ElementTree import parse

MAY_BE_MISSING = ("tests.scripts.test_proxies",)
NEVER_SKIPPED = ("tests.browser", "tests.end_to_end")


def main(report: str) -> int:
    needed = ("",) if os.environ.get("DARKROOM_REQUIRE_DATA") == "1" else NEVER_SKIPPED
    n_run = Counter[str]()
    wrong = []
    for case in parse(report).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
        name = case.get("classname", "")
        n_run.update(part for part in NEVER_SKIPPED if name.startswith(part))
        if name.startswith(needed) and case.find("skipped") is not None:
            told = f"skipped: {name}::{case.get('name')}"
            if name.startswith(MAY_BE_MISSING):
                sys.stderr.write(f"{told}\n")
            else:
                wrong.append(told)
    wrong += [f"no test ran: {part}" for part in NEVER_SKIPPED if not n_run[part]]
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
