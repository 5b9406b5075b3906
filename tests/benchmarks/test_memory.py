"""In processes of their own: a peak cannot be taken back."""

import subprocess
import sys

CODE = """
from benchmarks import memory
before = memory.current()
block = bytearray(b"1") * (64 * 2**20)
filled = memory.peak()
del block
print(before, filled, memory.peak())
"""


def measure():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


def test_a_peak_stays_and_holds_what_was_filled():
    before, filled, after = measure()
    assert 64 * 2**20 <= filled - before < 80 * 2**20
    assert after > filled - 2**20  # the kernel counts pages in lots


def test_it_is_this_processs_own_and_in_bytes():
    """Not what the process that started it has: that one is larger by far."""
    big = bytearray(b"1") * (400 * 2**20)
    before, _, _ = measure()
    del big
    assert 4 * 2**20 < before < 200 * 2**20
