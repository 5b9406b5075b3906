"""Where things are, seen from the project's folder."""

from pathlib import Path

DEMO = Path("data/demo")
STORE = Path("data/store")
