"""An evaluation for people."""

_MEASURES = {
    ("errors", "copy"): "copy: G(x, other voice) to x",
    ("errors", "identity"): "identity: G(x, own) to x",
    ("errors", "reconstruction"): "reconstruction: there and back, to x",
    ("response", "voice"): "response: two voices",
    ("response", "speaker"): "response: two speakers, the rest alike",
    ("response", "birthplace"): "response: two birthplaces, the rest alike",
    ("response", "sex"): "response: two sexes, the rest alike",
    ("distances", "same_speaker"): "real: two clips of a speaker",
    ("distances", "different_speakers"): "real: clips of two speakers",
    ("distances", "different_clips"): "real: two clips",
    ("distances", "silence"): "real: a clip and silence",
}


def format_evaluation(evaluation: dict) -> str:
    """Returns the tables and the verdict of what `evaluate` found, as lines of text."""
    e = evaluation
    lines = [
        f"{e['experiment']}, iteration {e['iteration']}: {e['crops']} crops of {e['manifest']} "
        f"({e['clips']} clips), seed {e['seed']}",
        "",
        f"{'mean |difference|':<42}{'0..1':>9}{'dB':>8}{'n':>6}",
        *(_measure(title, e[table][name]) for (table, name), title in _MEASURES.items()),
        "",
        *_accuracy(e["accuracy"]),
        "",
        _reach(e["receptive_field"]),
        _verdict(e["verdict"], e["judged_by"]),
    ]
    return "\n".join(lines)


def _measure(title: str, row: dict | None) -> str:
    if row is None:
        return f"{title:<42}{'-':>9}{'-':>8}{0:>6}"
    return f"{title:<42}{row['mean']:>9.4f}{row['db']:>8.2f}{row['n']:>6}"


def _accuracy(accuracy: dict | None) -> list[str]:
    if accuracy is None:
        return ["D's accuracy: no snapshot to resume from is kept of this iteration, so there is no D"]
    heads = f"{'real':>8}{'n':>6}{'always 1':>10}{'converted':>12}{'n':>6}{'always 1':>10}{'chance':>9}"
    lines = [f"{'D names the right one':<26}{heads}"]
    for group, row in accuracy.items():
        chance = "-" if row["chance"] is None else f"{row['chance']:.3f}"
        lines.append(f"{group:<26}{_share(row['real'], 8)}{_share(row['converted'], 12)}{chance:>9}")
    return lines


def _share(row: dict | None, width: int) -> str:
    """The share, of how many, and what always naming the commonest one would reach."""
    if row is None:
        return f"{'-':>{width}}{0:>6}{'-':>10}"
    return f"{row['mean']:>{width}.3f}{row['n']:>6}{row['commonest']:>10.3f}"


def _reach(field: dict) -> str:
    cell, pixel = field["cell"], field["pixel"]
    return (
        f"receptive field, bins x frames of the output: {cell['bins']['size']} x {cell['frames']['size']} "
        f"of a merged cell, {pixel['bins']} x {pixel['frames']} of an input px"
    )


def _verdict(verdict: str, ratios: dict) -> str:
    bounds = ratios["thresholds"]
    return (
        f"verdict: {verdict}\n"
        f"  in distances between two clips, the output is {ratios['copy']:.2f} from its input "
        f"(a copy: at most {bounds['copies']}; kept nothing of it: above {bounds['keeps']}),\n"
        f"  and labels change it by {ratios['response']:.2f} (an answer: at least {bounds['answers']})"
    )
