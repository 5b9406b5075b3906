"""Putting the page together."""

import csv
import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import NamedTuple

from starvox.errors import UserError
from starvox.files import write_text
from starvox.replay.report.curves import progress, show_curves, try_log
from starvox.replay.report.experiment import Ancestor, RunConfig, ancestors, differences, read_run
from starvox.replay.report.html import Html, join, section, table, tag
from starvox.replay.report.markdown import render
from starvox.replay.report.media import Media
from starvox.replay.report.sounds import newest_samples, show_folder
from starvox.replay.report.values import flatten, read_object, show, tree, words

LIMIT = 24_000_000  # characters of pictures and sounds; a larger page is slow to open on a phone


class Report(NamedTuple):
    """The page that was written, and the names of the files that it had no room for."""

    path: Path
    left_out: list[str]


def write_report(run: str | Path, out: str | Path | None = None, limit: int = LIMIT) -> Report:
    """Writes one self-contained HTML page about a run, also one that is still going on.

    It holds what the results folder holds: nothing is computed but the curves.

    Args:
        run: a results folder.
        out: the file to make or replace; ``report.html`` in the folder if None.
        limit: of all pictures and sounds, in characters. What comes last is left out.

    Raises:
        UserError: if the folder is no run, a file in it is damaged, or the page
            cannot be written.
    """
    run = Path(run)
    path = Path(out) if out else run / "report.html"
    config, media = read_run(run), Media(limit)
    family = ancestors(config.id)
    log, evaluation = try_log(run), _newest_evaluation(run)
    sections = [
        _curves(log, media),
        _samples(run, media),
        _replay(run, media),
        _evaluation(run, evaluation),
        _readings(config, family),
        _configuration(config, family),
        _environment(run),
    ]
    if media.left_out:
        sections.append(_left_out(media.left_out))
    intro = progress(log, config.values.get("training.epochs"))
    if verdict := _verdict(evaluation):
        intro += f" Verdict of the evaluation of iteration {evaluation.get('iteration')}: {verdict}."
    text = _page(config, intro, [part for part in sections if part])
    write_text(path, text.encode(errors="replace").decode())  # JSON can hold half a character
    return Report(path, media.left_out)


def _page(config: RunConfig, intro: str, sections: list[tuple[str, str, Html]]) -> str:
    links = [tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title, _ in sections]
    here = files(__package__)
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        style=here.joinpath("style.css").read_text(encoding="utf-8"),
        id=join(config.id),
        title=join(config.title),
        intro=join(intro),
        links=join(*links),
        sections=join(*(section(*part) for part in sections)),
    )


def _curves(log, media: Media):
    text = show_curves(log, media) if log else _nothing("They appear with the first entry of the log.")
    return "curves", "Learning curves", text


def _samples(run: Path, media: Media):
    found = newest_samples(run)
    if not found:
        return (
            "samples",
            "Samples",
            _nothing("No samples yet. Training writes them a few times in its course."),
        )
    note = tag(
        "p",
        f"Held-out clips at iteration {found[0]}: as they went in, converted to other voices, and back "
        "(reconstruction). The sounds are made from the spectrogram with the input's phase and hold what "
        "the network sees, up to its highest bin. The input went the same way without the network, so "
        "that it tells what the pipeline itself costs.",
    )
    what = "Spectrograms of held-out clips, a row each: input, conversions, reconstruction"
    return "samples", "Samples", join(note, show_folder(found[1], media, what))


def _replay(run: Path, media: Media):
    if not (run / "replay").is_dir():
        return None
    what = "Spectrograms of a replay: input, output, difference"
    return "replay", "Replay", show_folder(run / "replay", media, what)


def _evaluation(run: Path, values: dict | None):
    if values is None:
        text = join("Not evaluated yet. ", tag("code", f"starvox evaluate {run.name}"), " makes the numbers.")
        return "evaluation", "Evaluation", _nothing(text)
    note = tag(
        "p",
        "mean: mean absolute difference of log magnitude, in [0, 1]; db: the same in decibels; "
        "n: how many were averaged. The verdict's numbers are shares of the distance between two clips.",
    )
    verdict = _verdict(values)
    callout = [tag("p", f"Verdict: {verdict}.", class_="verdict")] if verdict else []
    return "evaluation", "Evaluation", join(*callout, note, tree(values))


def _newest_evaluation(run: Path) -> dict | None:
    """Returns the evaluation of the last iteration that was evaluated, or None."""
    found = {
        int(match[1]): path
        for path in run.glob("evaluation_iter_*.json")
        if (match := re.fullmatch(r"evaluation_iter_(\d+)\.json", path.name))
    }
    return read_object(found[max(found)]) if found else None


def _verdict(evaluation: dict | None) -> str | None:
    """Returns the verdict in words, if there is one."""
    verdict = (evaluation or {}).get("verdict")
    text = verdict.get("text") if isinstance(verdict, dict) else verdict
    return text if isinstance(text, str) and text else None


def _readings(config: RunConfig, family: list[Ancestor]):
    parts = []
    for number, (exp, readme) in enumerate(family):
        if readme is None:
            continue
        text = tag("div", render(readme), class_="readme")
        if number:  # a parent's readings hold for its children, but are not news
            text = tag("details", tag("summary", f"{exp.id}, which it extends: {exp.title}"), text)
        parts.append(text)
    if not parts:
        parts = [_nothing(f"No README.md of the experiment {config.id} was found in experiments/.")]
    return "record", "The experiment and its readings", join(*parts)


def _configuration(config: RunConfig, family: list[Ancestor]):
    rows = [(key, show(value)) for key, value in config.values.items()]
    every = tag("details", tag("summary", f"All {len(rows)} values"), table((), rows))
    parts = []
    if len(family) > 1:
        parts.append(_difference(config, family[1], f"Against {family[1].exp.id}, its parent"))
    if family and differences(config.values, family[0].exp):
        parts.append(
            _difference(config, family[0], f"Against {config.id} as it is now: changed since this run")
        )
    elif family and len(family) == 1:
        parts.append(tag("p", f"{config.id} has no parent: it is complete by itself."))
    return "configuration", "Configuration", join(*parts, every)


def _difference(config: RunConfig, other: Ancestor, caption: str) -> Html:
    found = differences(config.values, other.exp)
    if not found:
        return tag("p", f"{caption}: the same values.")
    rows = [(key, show(own), show(theirs)) for key, own, theirs in found]
    return table(("key", "this run", other.exp.id), rows, caption)


def _environment(run: Path):
    rows = [
        (words(key), show(value)) for key, value in flatten(_json(run / "environment.json") or {}).items()
    ]
    labels = _json(run / "labels.json") or {}
    rows += [
        (f"classes of {group}", show(len(names)))
        for group, names in labels.items()
        if isinstance(names, list)
    ]
    rejected = run / "rejected.csv"
    if rejected.is_file():
        rows.append(("clips not used (rejected.csv)", show(_count_rows(rejected))))
    return "environment", "Environment and data", table((), rows)


def _count_rows(path: Path) -> int:
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return sum(1 for _ in csv.reader(file)) - 1
    except (OSError, csv.Error) as error:
        raise UserError(f"{path}: damaged ({error}); remove it") from None


def _left_out(names: list[str]):
    note = tag("p", "To keep this page small, these stayed in the results folder:")
    return "left-out", "Left out", join(note, tag("ul", *(tag("li", name) for name in names)))


def _nothing(text) -> Html:
    return tag("p", text, class_="nothing")


def _json(path: Path) -> dict | None:
    """Returns the object in a file, or None if there is no file."""
    return read_object(path) if path.is_file() else None
