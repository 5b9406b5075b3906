"""experiments/47c97768/record.md: each statement's line of code and test are where it says."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "experiments" / "47c97768" / "record.md"
ROW = re.compile(r"\| (\d+) \| .* \| \[.*:(\d+)\]\((\S+)#L(\d+)\) `(.*)` \| \[(\w+)\]\((\S+)\) \|")
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_statement_has_its_code_and_its_test(row):
    _, shown, file, number, code, test, test_file = ROW.fullmatch(row).groups()
    lines = (PAGE.parent / file).read_text(encoding="utf-8").splitlines()
    found = [n for n, line in enumerate(lines, 1) if code in line]
    assert int(number) in found, f"{code!r} is at {found} of {file}"
    assert shown == number
    assert f"def {test}(" in (PAGE.parent / test_file).read_text(encoding="utf-8")


def test_the_statements_are_numbered():
    assert [int(row.split("|")[1]) for row in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(ROWS) > 30
