"""The numbers of an evaluation by which runs are compared."""

from typing import Any, NamedTuple

from starvox.corpus.labels import GROUPS


class Measure(NamedTuple):
    """A number of an evaluation.

    Attributes:
        panel: of a figure, what its axis says.
        name: of the number.
        form: how it is written, as of `format`.
        path: where it stands in ``evaluation_iter_N.json``, dotted.
        limit: likewise, of the number that the verdict needs; "" for none.
        relative: whether it is divided by the distance of two different clips.
    """

    panel: str
    name: str
    form: str
    path: str
    limit: str = ""
    relative: bool = False

    def read(self, evaluation: dict[str, Any]) -> float | None:
        """Returns the number, or None where it was not measured."""
        value = look_up(evaluation, self.path)
        unit = evaluation["distances"]["different_clips"]["mean"] if self.relative else 1
        return None if value is None else value / unit


def look_up(evaluation: dict[str, Any], path: str) -> float | None:
    """Returns what stands at a dotted path, or None where there is nothing."""
    found: Any = evaluation
    for key in path.split("."):
        found = found and found.get(key)
    return found


_THRESHOLDS = "judged_by.thresholds"
_INPUT, _LABELS = (
    f"{what}\n(1: the distance of two clips)" for what in ("output from its input", "change by the labels")
)
_WORDS, _D = "words kept\n(STOI; correlation)", "D names the right speaker\n(share)"
MEASURES = (
    Measure(_INPUT, "copy error", ".2f", "judged_by.copy", f"{_THRESHOLDS}.max_copy_error"),
    *(
        Measure(
            _LABELS,
            f"response: {group}",
            ".3f",
            f"response.{group}.mean",
            f"{_THRESHOLDS}.min_response",
            True,
        )
        for group in GROUPS
    ),
    Measure(
        "conversions judged as the target\n(share)",
        "judged as the target",
        ".0%",
        "judged_by.target",
        f"{_THRESHOLDS}.min_target_share",
    ),
    Measure(_WORDS, "STOI", ".2f", "judged_by.stoi.value", "judged_by.stoi.needed"),
    Measure(_WORDS, "energy", ".2f", "judged_by.energy.value", "judged_by.energy.needed"),
    Measure(_D, "D on real", ".0%", "accuracy.speaker.real.mean"),
    Measure(_D, "D on converted", ".0%", "accuracy.speaker.converted.mean"),
)
