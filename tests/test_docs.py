"""Every link of the documentation leads to a file of the repository."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *(path for folder in ("data", "docs", "experiments") for path in (ROOT / folder).rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    missing = [link for link in links if link and "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_result_is_that_of_the_kept_run():
    kept = ROOT / "experiments/47c97768/runs/demo-s0"
    e = json.loads((kept / "evaluation_iter_2030.json").read_text())
    log = json.loads((kept / "log").read_text())
    copy, response = e["judged_by"]["copy"], e["judged_by"]["response"]
    words = [row["converted"]["mean"] for row in e["words"].values()]
    target = f"{e['judge']['speaker']['converted']['mean']:.0%}".replace("%", " %")
    hours = json.loads((kept / "environment.json").read_text())["hours"]
    losses = [f"{log[0]['gen/reconstruction']:.3f}", f"{log[-1]['gen/reconstruction']:.4f}"]
    exact = [f"{value:.3f}" for value in (copy, response, *words)]
    near = [f"{value:.2f}" for value in (copy, response)]
    for page, numbers in {
        "experiments/47c97768/README.md": [*exact, *losses, target, f"{hours:.2f} h"],
        "README.md": [*near, *(f"{value:.2f}" for value in words), target, f"{hours:.2f} h"],
        "README.ja.md": [*near, target],
    }.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        assert [number for number in numbers if number not in text] == [], page


def test_the_table_of_mini_is_that_of_the_kept_run():
    text = (ROOT / "experiments/mini/README.md").read_text(encoding="utf-8")
    paths = list((ROOT / "experiments/mini/runs/record-s0").glob("evaluation_iter_*.json"))
    for e in (json.loads(path.read_text()) for path in paths):
        unit = e["distances"]["different_clips"]["mean"]
        near = [e["errors"][name]["mean"] / unit for name in ("copy", "identity")]
        target = f"{e['judge']['speaker']['converted']['mean']:.0%}".replace("%", " %")
        words = [e["words"][name]["converted"]["mean"] for name in ("stoi", "energy")]
        cells = [*(f"{value:.2f}" for value in (*near, e["judged_by"]["response"])), target]
        assert " | ".join([f"| {e['iteration']}", *cells, *(f"{value:.2f}" for value in words)]) in text
    assert len(paths) == 7
