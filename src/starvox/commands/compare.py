"""``starvox compare``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from starvox.commands.options import add_command
from starvox.commands.paths import RESULTS, run_folder
from starvox.errors import UserError

if TYPE_CHECKING:
    from starvox.run.run import Run

MAX_RUNS = 6  # colours that are told apart
LIMIT = 24_000_000  # characters of sounds, of all runs together
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ names | join(" · ") }}</title>
<style>
body { font: 16px/1.4 sans-serif; margin: 1rem auto; max-width: 75rem; padding: 0 1rem }
section { overflow-x: auto }
table { border-collapse: collapse }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left }
audio { width: 13rem }
img { max-width: 100% }
</style>
<h1>{{ names | join(" · ") }}</h1>
{% for title, rows in tables.items() if rows %}
<h2>{{ title }}</h2>
<section><table>
<tr><th></th>{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}</tr>
{% for label, cells in rows.items() %}
<tr><th scope="row">{{ label }}</th>
{% for cell in cells %}
<td>{% if cell.startswith("data:") %}<audio controls preload="none" src="{{ cell }}"></audio>
{%- else %}{{ cell }}{% endif %}</td>
{% endfor %}
</tr>
{% endfor %}
</table></section>
{% endfor %}
<h2>Losses</h2>
{% for title, picture in figures.items() %}<img src="{{ picture }}" alt="{{ title }}">
{% endfor %}
</html>
"""


def add(commands) -> None:
    command = add_command(
        commands,
        "compare",
        "put runs side by side on one HTML page: verdicts, sounds of the same clips, figures",
    )
    command.add_argument(
        "runs", nargs="+", metavar="RUN", help=f"results folders, kept runs or ids; at most {MAX_RUNS}"
    )
    command.add_argument("-o", "--out", type=Path, default=RESULTS / "compare.html", metavar="HTML")
    command.set_defaults(run=_run)


def _run(args) -> None:
    import jinja2

    from starvox.files import write_text
    from starvox.run.run import Run

    if not 2 <= len(args.runs) <= MAX_RUNS:
        raise UserError(f"2 to {MAX_RUNS} runs are compared, not {len(args.runs)}")
    runs = [Run(run_folder(name)) for name in args.runs]
    configs = [run.experiment() for run in runs]
    names = [f"{exp.id}, {run.folder.name}" for exp, run in zip(configs, runs, strict=True)]
    flat = [exp.flatten() for exp in configs]
    rows = {key: [str(values.get(key, "-")) for values in flat] for key in flat[0] if key != "title"}
    tables = {
        "Differences": {key: cells for key, cells in rows.items() if len(set(cells)) > 1},
        "Evaluations": _evaluations(runs),
        "The same clips": _sounds(runs),
    }
    template = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(_PAGE)
    page = template.render(names=names, tables=tables, figures=_figures(runs, names))
    write_text(args.out, page)
    print(f"{args.out}: {len(page) / 1e6:.1f} MB; open it in a browser")


def _evaluations(runs: "list[Run]") -> dict[str, list[str]]:
    from starvox.evaluation.evaluate import read_evaluations
    from starvox.evaluation.measures import MEASURES

    found: list[dict[str, Any] | None] = [next(reversed(read_evaluations(run.folder)), None) for run in runs]
    rows = {key: [str(e[key]) if e else "-" for e in found] for key in ("verdict", "iteration", "manifest")}
    for measure in MEASURES:
        values = [measure.read(e) if e else None for e in found]
        rows[measure.name] = ["-" if value is None else format(value, measure.form) for value in values]
    return rows if any(found) else {}


def _sounds(runs: "list[Run]") -> dict[str, list[str]]:
    """Returns what a sound is -> it of each run, as a data URI; those that two runs have at least."""
    from starvox.report.media import Media

    files = []
    for run in runs:
        samples = sorted(run.folder.glob("samples/iter_*"), key=lambda path: int(path.name[5:]))
        folder = run.replay if run.is_kept() else (samples or [run.replay])[-1]
        paths = sorted(path for path in folder.glob("*") if path.suffix in (".ogg", ".wav"))
        files.append((Media(run.folder, LIMIT // len(runs)), {path.stem: path for path in paths}))
    names = sorted({name for _, found in files for name in found})
    common = [name for name in names if sum(name in found for _, found in files) > 1]
    return {
        name.replace("_", " "): [media.uri(found[name]) if name in found else "" for media, found in files]
        for name in common
    }


def _figures(runs: "list[Run]", names: list[str]) -> dict[str, str]:
    import io

    from starvox.plotting import CURVES, draw_curve
    from starvox.report.media import data_uri
    from starvox.run.log import read_log

    logs = [read_log(run.folder) for run in runs]
    pictures = {}
    for curve in CURVES:
        draw_curve(curve, logs, names).savefig(file := io.BytesIO(), format="svg")
        pictures[curve.title] = data_uri(".svg", file.getvalue())
    return pictures
