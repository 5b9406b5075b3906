"""``python -m benchmarks``: measures, prints the table and keeps it."""

import sys

from benchmarks.command import main

if __name__ == "__main__":
    sys.exit(main())
