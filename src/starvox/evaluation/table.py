"""An evaluation for people."""

from starvox.evaluation.words import NO_STOI

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
_JUDGED = {
    "converted": "conversions, as the target",
    "copy": "a copy: the input, as the target",
    "real": "the real thing: held-out, as itself",
    "copy_synthesis": "its copy-synthesis, as itself",
}
_ROWS = {
    "converted": "conversions",
    "copy": "a copy",
    "truth": "the real thing: the target's own",
    "unrelated": "an unrelated clip",
}
_NO_TRUTH = "towards the truth: the corpus cannot say a sentence in another voice"


def format_evaluation(evaluation: dict) -> str:
    """Returns the tables and the verdict of what `evaluate` found, as lines of text."""
    e = evaluation
    lines = [
        f"{e['experiment']}, iteration {e['iteration']}: {e['crops']} crops and {e['whole_clips']} whole "
        f"clips of {e['manifest']} ({e['clips']} clips), seed {e['seed']}",
        "",
        f"{'mean |difference|':<42}{'0..1':>9}{'dB':>8}{'n':>6}",
        *(_measure(title, e[table][name]) for (table, name), title in _MEASURES.items()),
        "",
        *_accuracy(e["accuracy"]),
        "",
        *_judge(e["judge"], e["judge_crops"]),
        "",
        *_words(e["words"]),
        "",
        *_truth(e["truth"]),
        "",
        _reach(e["receptive_field"]),
        format_verdict(e),
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


def _judge(judge: dict | None, crops: int | None) -> list[str]:
    if judge is None:
        return ["the judge: no training clips are given that it could be fitted on"]
    title = f"the judge (of {crops} real crops) names"
    lines = [f"{title:<42}" + "".join(f"{group:>12}{'n':>6}" for group in judge)]
    for name, words in _JUDGED.items():
        lines.append(f"{words:<42}" + "".join(_mean(row[name], 12, 3) for row in judge.values()))
    chances = (
        f"{'-' if row['chance'] is None else format(row['chance'], '.3f'):>12}{'':>6}"
        for row in judge.values()
    )
    return [*lines, f"{'chance':<42}{''.join(chances)}".rstrip()]


def _words(words: dict) -> list[str]:
    lines = [f"{'words kept, of the input':<42}{'STOI':>12}{'n':>6}{'energy':>12}{'n':>6}"]
    for name, title in _ROWS.items():
        rows = [row and row[name] for row in (words["stoi"], words["energy"])]
        if any(rows):
            lines.append(f"{title:<42}" + "".join(_mean(row, 12, 3) for row in rows))
    return lines if words["stoi"] else [*lines, f"{NO_STOI}; it also needs 0.4 s of speech"]


def _truth(truth: dict) -> list[str]:
    if not truth["mcd"]:
        return [_NO_TRUTH]
    lines = [f"{'from the truth, aligned':<42}{'MCD, dB':>12}{'n':>6}{'F0, st':>12}{'n':>6}"]
    titles = {"converted": "conversions", "input": "a copy: the input"}
    for name, title in titles.items():
        rows = [row and row[name] for row in (truth["mcd"], truth["f0"])]
        lines.append(f"{title:<42}" + "".join(_mean(row, 12, 2) for row in rows))
    return [*lines, f"{'the real thing':<42}{0:>12.2f}{'':>6}{0:>12.2f}"]


def _mean(row: dict | None, width: int, digits: int) -> str:
    if row is None:
        return f"{'-':>{width}}{0:>6}"
    return f"{row['mean']:>{width}.{digits}f}{row['n']:>6}"


def _reach(field: dict) -> str:
    cell, pixel = field["cell"], field["pixel"]
    return (
        f"receptive field, bins x frames of the output: {cell['bins']['size']} x {cell['frames']['size']} "
        f"of a merged cell, {pixel['bins']} x {pixel['frames']} of an input px"
    )


def format_verdict(evaluation: dict) -> str:
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
