"""Fails if a browser or end-to-end test of a JUnit report was skipped, or if there was none: `no_skips.py REPORT`."""

import sys
from collections import Counter
from xml.etree.ElementTree import parse

NEVER_SKIPPED = ("tests.browser", "tests.end_to_end")


def main(report: str) -> int:
    n_run = Counter[str]()
    skipped = []
    for case in parse(report).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
        name = case.get("classname", "")
        for part in NEVER_SKIPPED:
            if name.startswith(part):
                n_run[part] += 1
                if case.find("skipped") is not None:
                    skipped.append(f"{name}::{case.get('name')}")
    for test in skipped:
        print(f"skipped: {test}")  # noqa: T201 - for the log of CI
    absent = [part for part in NEVER_SKIPPED if not n_run[part]]
    for part in absent:
        print(f"no test ran: {part}")  # noqa: T201
    return 1 if skipped or absent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
