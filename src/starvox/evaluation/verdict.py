"""Copies its input, answers to the labels, or converts: where the line is drawn, and why.

Distances are relative to the distance between two different clips. Real voices
tell what a change of voice is worth on that scale: one sentence said by the
voices of the default corpus, aligned in time, differs from one voice to another
by about 3/4 of it (by 1/2 to 1 for nine pairs of ten), and a change of nothing
but the pitch by 0.4 or more.
"""

from collections.abc import Mapping
from typing import Any

from starvox.corpus import GROUPS
from starvox.evaluation.words import KEPT, needed

# A third of what another voice makes of the same words, and less than what
# another pitch makes of the same voice. Below it no other voice was made.
MAX_COPY_ERROR = 0.25

# The same measure between the outputs for two labels: above it, the label alone
# changes the output as a change of voice would begin to.
MIN_RESPONSE = 0.25

# Farther from the input than an unrelated clip is: the content is lost. Whatever the
# labels do to the output then, it is no conversion.
MAX_ERROR = 1.0

# Four conversions of five are named as the target by a judge that names real held-out
# clips rightly nearly always, and a copy almost never. It is the share that is asked of a
# conversion in this project's first aim; one target's luck does not reach it.
MIN_TARGET_SHARE = 0.8


def give_verdict(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Judges a generator by the means in ``evaluation_iter_N.json``.

    Args:
        tables: ``errors``, ``response`` (the largest counts), ``distances``, ``judge`` (the first group
            in which a conversion was judged counts) and ``words`` (both measures count, and where
            one is missing nothing is known of the words).

    Returns:
        dict: ``verdict``, and what it is ``judged_by``: two ratios to the distance
        between two clips, the share named as the target, the measures of the words with what
        they need, and the thresholds.
    """
    unit = tables["distances"]["different_clips"]["mean"]
    copy = tables["errors"]["copy"]["mean"] / unit
    answer = max((row["mean"] for row in tables["response"].values() if row), default=0.0) / unit
    shares = [tables["judge"][group]["converted"] for group in GROUPS] if tables["judge"] else []
    target = next((row["mean"] for row in shares if row), None)
    measures = {name: row for name, row in tables["words"].items() if row and row["converted"]}
    kept = len(measures) == 2 and all(row["converted"]["mean"] >= needed(row) for row in measures.values())
    if target is not None and target >= MIN_TARGET_SHARE and kept and copy > MAX_COPY_ERROR:
        text = "converts"
    elif answer >= MIN_RESPONSE and copy <= MAX_ERROR:
        text = "answers to the labels"
    elif answer < MIN_RESPONSE and copy <= MAX_COPY_ERROR:
        text = "copies its input"
    else:
        text = "neither"
    found = {"copy": copy, "response": answer, "target": target}
    found |= {
        name: {"value": row["converted"]["mean"], "needed": needed(row)} for name, row in measures.items()
    }
    thresholds = {
        "max_copy_error": MAX_COPY_ERROR,
        "min_response": MIN_RESPONSE,
        "max_error": MAX_ERROR,
        "min_target_share": MIN_TARGET_SHARE,
        "words_kept": KEPT,
    }
    return {"verdict": text, "judged_by": found | {"thresholds": thresholds}}
