"""An experiment as plain attributes, for what must not import starvox."""

import json
from types import SimpleNamespace


def load_plain(text: str) -> SimpleNamespace:
    """Reads the text of ``config.json``; its tables become attributes."""
    return json.loads(text, object_hook=lambda table: SimpleNamespace(**table))
