"""What a results folder holds -> ``page.html``, filled."""

import csv
import io
import json
import re
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markupsafe import Markup

from starvox.config import MAX_BYTES, Experiment, experiment_folder, load_experiment
from starvox.errors import UserError
from starvox.evaluation.table import format_evaluation
from starvox.files import read_text, write_text
from starvox.plotting import CURVES, LOG_KEYS, draw_curve, read_log
from starvox.plotting.curves import Curve, Log
from starvox.report.media import Media
from starvox.run.run import Run

LIMIT = 24_000_000  # characters of pictures and sounds; a larger page is slow to open on a phone
MAX_SAMPLES = 6  # iterations to choose from, spread over the run
CURVE_SIZE = (4.4, 2.8)  # inches: a screen of 390 px shows it with letters that can be read

# names that tell what recording X others are of
_SOURCE = re.compile(r"(.+)_(?:input|copy-synthesis(?:_.*)?)")


Item = tuple[str, str]  # what it is, data URI


class Report(NamedTuple):
    """The page that was written, and the names of the files that are not on it."""

    path: Path
    left_out: list[str]


def write_report(run: str | Path, out: str | Path | None = None, limit: int = LIMIT) -> Report:
    """Writes one self-contained HTML page about a run, also one that is still going on.

    It holds what the results folder holds: nothing is computed but the curves.

    Args:
        run: a results folder.
        out: the file to make or replace; ``report.html`` in the folder if None.
        limit: of all pictures and sounds, in characters. What comes last is left out;
            of the files of a folder the pictures come last.

    Raises:
        UserError: if the folder is no run, a file in it is damaged, or the page
            cannot be written.
    """
    files = Run(run)
    media = Media(files.folder, limit)
    config = _read(files.config, media)
    if not config:
        raise UserError(f"{run} is no results folder: it has no config.json; train first")
    config.pop("set", None)
    name = config.pop("id", files.folder.name)
    title = config.pop("title", name)
    log = read_log(files.log) if media.has(files.log) else None
    family = _family(name)
    curves = [_draw(curve, log, media) for curve in CURVES] if log else []
    iterations = _samples(media)
    samples = {n: _listen(path, media) for n, path in iterations[:1]}
    replay = _listen(files.replay, media)  # before the older samples, while there is room
    samples |= {n: _listen(path, media) for n, path in iterations[1:]}
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    page = environment.from_string(template).render(
        id=name,
        title=title,
        folder=files.folder.name,
        progress=_progress(log, config.get("training.epochs")),
        evaluation=_read_evaluation(files, media),
        curves=curves,
        losses=[(key, *_ends(log[key])) for key in LOG_KEYS if "/" in key] if log else [],
        samples={n: groups for n, groups in samples.items() if groups},
        replay=replay,
        family=family,
        config=config,
        differences=[(exp, _differences(config, exp)) for exp, _ in family[:2]],
        environment=_environment(files, media),
        left_out=media.left_out,
    )
    path = Path(out) if out else files.report
    write_text(path, page.encode(errors="replace").decode())  # JSON can hold half a character
    return Report(path, media.left_out)


def _show(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_show, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)


def _read(path: Path, media: Media, show: Callable[[Any], Any] = _show) -> dict[str, Any]:
    """Returns dotted key -> what ``show`` makes of its value, or nothing if the run has no such file."""
    if not media.has(path):
        return {}
    try:
        return _flatten(json.loads(read_text(path, MAX_BYTES)), show)
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        raise UserError(
            f"{path}: damaged: it holds no JSON object of starvox's; remove it, or restore it"
        ) from None


def _flatten(values: dict[str, Any], show: Callable, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, dict)
        flat |= _flatten(value, show, f"{prefix}{key}.") if nested else {prefix + key: show(value)}
    return flat


def _progress(log: Log | None, epochs: str | None) -> str:
    if log is None:
        return "No entry in the log yet: the training has just begun, or stopped before its first report."
    iteration, epoch, seconds = (log[key][-1] for key in ("iteration", "epoch", "elapsed_time"))
    state = "finished" if f"{epoch:.0f}" == epochs else "still running, or stopped early"
    hours = f"{seconds / 3600:.1f} h" if seconds >= 7200 else f"{seconds / 60:.1f} min"
    return f"Iteration {iteration:.0f}; {epoch:.0f} of {epochs} epochs in {hours} of training: {state}."


def _draw(curve: Curve, log: Log, media: Media) -> tuple[str, str, str]:
    """Returns title, description and picture of a figure; the same bytes for the same log."""
    figure = draw_curve(curve, [log], size=CURVE_SIZE)
    figure.axes[0].set_title("", loc="left")  # the page has it, in letters that can be selected
    with matplotlib.rc_context({"svg.hashsalt": curve.name}):
        figure.savefig(file := io.BytesIO(), format="svg", metadata={"Date": None})
    ends = ((word, *_ends(log[key])) for key, word in curve.keys.items())
    alt = "; ".join(f"{word}: {first} at first, {last} at last" for word, first, last in ends)
    picture = media.uri(media.run / f"{curve.name}.svg", file.getvalue())
    return curve.title, f"{curve.title} over the iterations. {alt}.", picture


def _ends(values: np.ndarray) -> tuple[str, str]:
    finite = values[np.isfinite(values)]
    return (f"{finite[0]:.4g}", f"{finite[-1]:.4g}") if finite.size else ("–", "–")


def _samples(media: Media) -> list[tuple[int, Path]]:
    """Returns iteration and folder of samples, the newest first; of many, some spread evenly."""
    found = [
        (int(match[1]), path)
        for path in media.run.glob("samples/iter_*")
        if (match := re.fullmatch(r"iter_(\d+)", path.name)) and media.files(path)
    ]
    newest_first = sorted(found, reverse=True)
    places = np.linspace(0, len(found) - 1, min(len(found), MAX_SAMPLES)).round().astype(int)
    return [newest_first[place] for place in places]


def _listen(folder: Path, media: Media) -> list[tuple[str, list[Item], list[Item]]]:
    """Returns recording, sounds and pictures, of the files of a folder.

    Samples and replay write X_input, X_copy-synthesis, X_to_Y and X_reconstruction of
    recording X. What has no such companion comes first, without a name.
    """
    names = {path: path.relative_to(folder).with_suffix("").as_posix() for path in media.files(folder)}
    sources = {match[1] for name in names.values() if (match := _SOURCE.fullmatch(name))}
    groups: dict[str, tuple[list[Item], list[Item]]] = {"": ([], [])}

    def order(file: tuple[Path, str]) -> tuple[bool, bool, bool, bool, str]:
        """Sounds while there is room, then pictures: what went in, what was made of it, and the way back."""
        path, name = file
        picture, way_back = path.suffix == ".png", name.endswith("_reconstruction")
        return picture, way_back, not name.endswith("_input"), "_copy-synthesis" not in name, name

    for path, name in sorted(names.items(), key=order):
        source = max((s for s in sources if name.startswith(f"{s}_")), key=len, default="")
        if uri := media.uri(path):
            label = name[len(source) :].replace("_", " ").strip()
            if label == "input" and any(n.startswith(f"{source}_copy-synthesis") for n in names.values()):
                label = "original recording"
            group = groups.setdefault(source.replace("_", " "), ([], []))
            group[path.suffix == ".png"].append((label, uri))
    return [(source, *found) for source, found in groups.items() if any(found)]


def _read_evaluation(run: Run, media: Media) -> dict[str, Any] | None:
    """Returns the newest evaluation: its iteration, verdict, tables and the verdict's sentence, or None."""
    found = {number: path for number, path in run.evaluations().items() if media.has(path)}
    if not found:
        return None
    path = found[max(found)]
    try:
        values = json.loads(read_text(path))
        tables, _, sentence = format_evaluation(values).rpartition("\nverdict: ")
        return {"iteration": max(found), "verdict": values["verdict"], "tables": tables, "sentence": sentence}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise UserError(f"{path}: damaged, or of an earlier version; remove it") from None


def _family(name: str) -> list[tuple[Experiment, Markup]]:
    """Returns the experiment with this id, its parent and so on, and their READMEs, from ``experiments/``."""
    found, folder = [], experiment_folder(name)
    while folder:
        try:
            exp = load_experiment(folder)
        except UserError:  # it does not fit today's code
            break
        readme = folder / "README.md"
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
        found.append((exp, _render(text)))
        parent = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8")).get("extends", "")
        beside = folder.parent / parent
        folder = beside if parent and beside.is_dir() else experiment_folder(parent)
    return found


def _differences(config: dict[str, str], other: Experiment) -> list[tuple[str, str, str]]:
    """Returns key, value of the run, value of the experiment, where they differ."""
    theirs = {key: _show(value) for key, value in other.flatten().items() if key != "title"}
    rows = ((key, config.get(key, "–"), theirs.get(key, "–")) for key in dict.fromkeys([*config, *theirs]))
    return [row for row in rows if row[1] != row[2]]


def _render(text: str) -> Markup:
    """Returns Markdown as HTML without its title, other headings a level down, below the page's own.

    Links lead out of the page, so their words alone are kept, and of a picture its
    description. HTML in the text is shown, not used.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    for rule in ("link_open", "link_close"):
        markdown.add_render_rule(rule, lambda *_: "")
    markdown.add_render_rule("image", lambda _, tokens, i, *__: escapeHtml(tokens[i].content))
    tokens = markdown.parse(text)
    if tokens and tokens[0].tag == "h1":
        del tokens[:3]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))


def _environment(run: Run, media: Media) -> dict[str, Any]:
    """Returns environment.json, and how many classes and unused clips there are, by name."""
    found = {key.replace("_", " "): value for key, value in _read(run.environment, media).items()}
    found |= {f"classes of {group}": count for group, count in _read(run.labels, media, len).items()}
    if media.has(run.rejected):
        try:
            lines = io.StringIO(read_text(run.rejected, errors="replace"), newline="")
            found["clips not used (rejected.csv)"] = sum(1 for _ in csv.reader(lines)) - 1
        except (OSError, csv.Error) as error:
            raise UserError(f"{run.rejected}: damaged ({error}); remove it") from None
    return found
