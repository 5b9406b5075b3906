"""An evaluation for people."""

from collections.abc import Mapping
from typing import Any

from starvox.evaluation.words import NO_STOI

# what a row of the tables errors, response and distances is
_DISTANCES = {
    "copy": "copy: G(x, other voice) to x",
    "identity": "identity: G(x, own) to x",
    "reconstruction": "reconstruction: there and back, to x",
    "voice": "response: two voices",
    "speaker": "response: two speakers, the rest alike",
    "birthplace": "response: two birthplaces, the rest alike",
    "sex": "response: two sexes, the rest alike",
    "same_speaker": "real: two clips of a speaker",
    "different_speakers": "real: clips of two speakers",
    "different_clips": "real: two clips",
    "silence": "real: a clip and silence",
}
_JUDGED = {
    "converted": "conversions, as the target",
    "copy": "a copy: the input, as the target",
    "real": "the real thing: held-out, as itself",
    "copy_synthesis": "its copy-synthesis, as itself",
}
_WORDS = {
    "converted": "conversions",
    "copy": "a copy",
    "truth": "the real thing: the target's own",
    "unrelated": "an unrelated clip",
}
_TRUTH = {"converted": "conversions", "input": "a copy: the input"}


def format_evaluation(evaluation: Mapping[str, Any]) -> str:
    """Returns the tables and the verdict of what `evaluate` found, as lines of text."""
    e = evaluation
    rows = e["errors"] | e["response"] | e["distances"]
    distances = {title: _cells(rows[name], ".4f", "mean", "db") for name, title in _DISTANCES.items()}
    field = e["receptive_field"]
    cell, pixel = field["cell"], field["pixel"]
    parts = [
        f"{e['experiment']}, iteration {e['iteration']}: {e['crops']} crops and {e['whole_clips']} whole "
        f"clips of {e['manifest']} ({e['clips']} clips), seed {e['seed']}",
        _table("mean |difference|", ("0..1", "dB", "n"), distances),
        "D's accuracy: no snapshot to resume from is kept of this iteration, so there is no D"
        if e["accuracy"] is None
        else _accuracies("D names the right one", e["accuracy"], {"real": "real", "converted": "converted"}),
        "the judge: no training clips are given that it could be fitted on"
        if e["judge"] is None
        else _accuracies(f"the judge (of {e['judge_crops']} real crops) names", e["judge"], _JUDGED),
        _means("words kept, of the input", e["words"], _WORDS, {"stoi": "STOI", "energy": "energy"}),
        "" if e["words"]["stoi"] else f"{NO_STOI}; it also needs 0.4 s of speech",
        _means(
            "from the truth (the real thing: 0), aligned",
            e["truth"],
            _TRUTH,
            {"mcd": "MCD, dB", "f0": "F0, st"},
        )
        if e["truth"]["mcd"]
        else "towards the truth: the corpus cannot say a sentence in another voice",
        f"receptive field, bins x frames of the output: {cell['bins']['size']} x {cell['frames']['size']} "
        f"of a merged cell, {pixel['bins']} x {pixel['frames']} of an input px\n{format_verdict(e)}",
    ]
    return "\n\n".join(filter(None, parts))


def _table(title: str, heads: tuple[str, ...], rows: dict[str, list[str]]) -> str:
    lines = {title: list(heads)} | rows
    return "\n".join(
        f"{name:<47}" + "".join(f"{cell:>10}" for cell in cells) for name, cells in lines.items()
    )


def _cells(row: Mapping[str, float] | None, form: str, *keys: str) -> list[str]:
    """Returns the numbers of a row and how many they are of, or dashes where nothing was measured."""
    return [*(format(row[key], form) if row else "-" for key in keys), str(row["n"] if row else 0)]


def _accuracies(title: str, groups: Mapping[str, Any], names: Mapping[str, str]) -> str:
    rows = {
        f"{words}: {group}": [*_cells(row[name], ".3f", "mean", "commonest"), _chance(row["chance"])]
        for name, words in names.items()
        for group, row in groups.items()
    }
    return _table(title, ("share", "always 1", "n", "chance"), rows)


def _chance(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def _means(title: str, table: Mapping[str, Any], rows: Mapping[str, str], columns: Mapping[str, str]) -> str:
    cells = {
        words: [cell for key in columns for cell in _cells(table[key] and table[key][name], ".3f", "mean")]
        for name, words in rows.items()
    }
    return _table(title, tuple(head for column in columns.values() for head in (column, "n")), cells)


def format_verdict(evaluation: Mapping[str, Any]) -> str:
    """Returns the verdict of what `evaluate` found with its numbers, four lines of text."""
    found = evaluation["judged_by"]
    bounds = found["thresholds"]
    target = "not judged" if found["target"] is None else f"{found['target']:.0%} judged as the target"
    words = (
        f"{name} {found[name]['value']:.2f} (needs {found[name]['needed']:.2f})"
        if name in found
        else f"{name} not known"
        for name in ("stoi", "energy")
    )
    return (
        f"verdict: {evaluation['verdict']}\n"
        f"  in distances between two clips, the output is {found['copy']:.2f} from its input "
        f"(a copy: at most {bounds['max_copy_error']}; content lost: above {bounds['max_error']}),\n"
        f"  and labels change it by {found['response']:.2f} (an answer: at least {bounds['min_response']});\n"
        f"  {target} (a conversion: at least {bounds['min_target_share']:.0%}); words: {', '.join(words)}"
    )
