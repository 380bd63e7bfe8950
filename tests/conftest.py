"""What pytest takes from here: the dice of the kill loops, and this run's counts for the file that ./dev sums up."""
import os
import random

import pytest

import pinflow as pf


@pytest.fixture
def dice(request):
    """A test's own, from the seed that it prints; PINFLOW_SEED gives it again."""
    print(f"seed {pf.SEED}")
    return random.Random(f"{pf.SEED}-{request.node.name}")


def pytest_terminal_summary(terminalreporter):
    path = os.environ.get("PINFLOW_COUNTS")
    if not path:
        return
    stats = terminalreporter.stats
    passed = len(stats.get("passed", []))
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    with open(path, "a", encoding="utf-8") as counts:
        counts.write(f"{os.environ.get('PINFLOW_SUITE', 'pytest')} {passed} {failed}\n")
