"""The profile adds up."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "profile_iteration.py"


def test_the_shares_of_an_iteration():
    done = subprocess.run([sys.executable, SCRIPT, "smoke"], capture_output=True, text=True, check=True)
    first, header, *rows = done.stdout.splitlines()
    assert first.startswith("smoke on cpu: ")
    assert header.split() == ["share", "ms", "calls", "function"]
    table = {" ".join(row.split()[3:]): row.split() for row in rows[:-1]}
    # 5 D steps with a gradient penalty; those and the G step classify
    assert int(table["BatchL2NormSquared forward"][2]) == 5
    assert int(table["SigmoidCrossEntropy backward"][2]) == 6
    assert rows[-1].split()[2] == "other"
    shares = [float(row.split("%")[0]) for row in rows]
    assert min(shares) >= 0
    assert abs(sum(shares) - 100) < 0.05 * len(rows) + 0.1
