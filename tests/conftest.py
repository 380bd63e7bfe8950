"""Adds this run's counts to the file that ./dev sums up."""
import os


def pytest_terminal_summary(terminalreporter):
    path = os.environ.get("PINFLOW_COUNTS")
    if not path:
        return
    stats = terminalreporter.stats
    passed = len(stats.get("passed", []))
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    with open(path, "a", encoding="utf-8") as counts:
        counts.write(f"{os.environ.get('PINFLOW_SUITE', 'pytest')} {passed} {failed}\n")
