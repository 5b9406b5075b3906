"""Where the results are kept."""

import json
import re
from pathlib import Path

from benchmarks.table import page
from starvox.files import write_text


def keep(report: dict, folder: Path) -> Path:
    """Writes the results as JSON and as Markdown, beside those that are there.

    Returns:
        Path: of the Markdown.
    """
    stem = free_stem(folder, file_stem(report))
    write_text(folder / f"{stem}.json", json.dumps(report, indent=1) + "\n")
    write_text(folder / f"{stem}.md", page(report))
    return folder / f"{stem}.md"


def file_stem(report: dict) -> str:
    """Returns date, machine, experiment and batch as the name of a file, without its ending."""
    machine = report["machine"]
    device = (
        machine["device"]
        if machine["device"] != "cpu"
        else f"{machine['processor']} {machine['cores']} cores"
    )
    words = f"{report['date']} {device} {report['experiment']} batch {report['batchsize']}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower().replace("(r)", "").replace("(tm)", "")).strip("-")


def free_stem(folder: Path, stem: str) -> str:
    """Returns the stem, or the first of ``stem-2``, ``stem-3``, ... that is not taken."""
    names, number = [stem], 1
    while (folder / f"{names[-1]}.json").exists():
        number += 1
        names.append(f"{stem}-{number}")
    return names[-1]
