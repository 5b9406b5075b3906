"""Copies its input, or answers to the labels: where the line is drawn, and why.

Everything is relative to the distance between two different clips. Real voices
tell what a change of voice is worth on that scale: one sentence said by the
voices of the default corpus, aligned in time, differs from one voice to another
by about 3/4 of it (by 1/2 to 1 for nine pairs of ten), and a change of nothing
but the pitch by 0.4 or more.
"""

# A third of what another voice makes of the same words, and less than what
# another pitch makes of the same voice. Below it no other voice was made.
COPIES = 0.25

# The same measure between the outputs for two labels: above it, the label alone
# changes the output as a change of voice would begin to.
ANSWERS = 0.25

# An output further from its input than an unrelated clip has kept nothing of
# it. Whatever the labels do to it then, it is no conversion.
KEEPS = 1.0


def give_verdict(errors: dict, response: dict, distances: dict) -> dict:
    """Judges a generator by the means in ``evaluation.json``.

    Args:
        errors: its table ``errors``.
        response: its table ``response``; the largest counts.
        distances: its table ``distances``.

    Returns:
        dict: ``verdict``, and what it is ``judged_by``: two ratios to the distance
        between two clips, and the thresholds.
    """
    unit = distances["different_clips"]["mean"]
    copy = errors["copy"]["mean"] / unit
    answer = max((row["mean"] for row in response.values() if row), default=0.0) / unit
    if answer >= ANSWERS and copy <= KEEPS:
        text = "answers to the labels"
    elif answer < ANSWERS and copy <= COPIES:
        text = "copies its input"
    else:
        text = "neither"
    thresholds = {"copies": COPIES, "answers": ANSWERS, "keeps": KEEPS}
    return {"verdict": text, "judged_by": {"copy": copy, "response": answer, "thresholds": thresholds}}
