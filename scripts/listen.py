"""Makes docs/listen/index.html: the kept runs to hear and see, in one page that needs no network.

    python scripts/listen.py                    # every kept run with weights: make listen
    python scripts/listen.py RUN... -o page.html

Two clips of each run, from its replay/: input, copy-synthesis, the truth where there is one, conversions,
reconstruction; a spectrogram beside each player, and the evaluation's verdict.
"""

import argparse
import io
import sys
from pathlib import Path

import jinja2
import matplotlib.image
import numpy as np
import soundfile

from starvox.audio import log_spectrogram, normalize
from starvox.evaluation.evaluate import read_evaluations
from starvox.evaluation.table import format_verdict
from starvox.report.media import data_uri
from starvox.run.run import Run

CLIPS = ("1", "3")
MAX_BYTES = 5_000_000
ORDER = ("input", "copy-synthesis", "truth", "to", "reconstruction")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="kept runs")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/listen/index.html"))
    args = parser.parse_args()
    kept = sorted(path.parent for path in Path("experiments").glob("**/runs/*/gen_iter_*.npz"))
    if not (runs := args.runs or kept):
        parser.error("no run with weights is kept yet; make keep EXP=... ARGS=--weights")
    template = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    page = jinja2.Environment(autoescape=True).from_string(template).render(runs=map(describe, runs))
    if len(page) > MAX_BYTES:
        parser.error(f"the page would have {len(page) / 1e6:.1f} MB; name fewer runs")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(page, encoding="utf-8")
    print(f"{args.out}: {len(page) / 1e6:.1f} MB, {len(runs)} runs")
    return 0


def describe(folder: Path) -> dict:
    """Returns what the page shows of a kept run."""
    exp = Run(folder).experiment()
    evaluations = read_evaluations(folder)
    return {
        "name": f"{exp.id}, {folder.name}",
        "title": exp.title,
        "folder": folder.as_posix(),
        "verdict": format_verdict(evaluations[-1]) if evaluations else "Not evaluated.",
        "iteration": evaluations[-1]["iteration"] if evaluations else None,
        "clips": [list(sounds(folder, number, exp.audio)) for number in CLIPS],
    }


def sounds(folder: Path, number: str, audio):
    """Yields (what it is, its sound, its spectrogram) of a clip; both are data URIs."""
    first = next(path.stem for path in files(folder, f"{number}_") if path.stem.endswith("_input"))
    own = first.removeprefix(f"{number}_").removesuffix("_input")
    parts = [(path.stem.removeprefix(f"{number}_{own}_"), path) for path in files(folder, f"{number}_")]
    for what, path in sorted(parts, key=lambda part: ORDER.index(part[0].partition("_")[0])):
        wave, _ = soundfile.read(path, dtype="float32")
        s = log_spectrogram(normalize(wave, audio), audio)
        picture = io.BytesIO()
        pixels = np.flipud(s)
        matplotlib.image.imsave(picture, pixels, vmin=0, vmax=1, cmap="magma", format="jpg")
        kind, _, voice = what.partition("_")
        names = {"input": f"input: {own}", "truth": f"the truth: {voice}", "to": f"converted to {voice}"}
        label = names.get(kind, what).replace("_", " ")
        yield label, data_uri(".ogg", path.read_bytes()), data_uri(".jpg", picture.getvalue())


def files(folder: Path, prefix: str) -> list[Path]:
    return sorted(Run(folder).replay.glob(f"{prefix}*.ogg"))


if __name__ == "__main__":
    sys.exit(main())
