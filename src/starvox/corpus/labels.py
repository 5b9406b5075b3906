"""Names of labels -> the vectors that the networks take and are trained on."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from unicodedata import normalize

import numpy as np

from starvox.corpus.manifest import Clip
from starvox.errors import UserError

GROUPS = ("speaker", "birthplace", "sex")
_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can hold what no file can be written with


@dataclass(frozen=True)
class LabelEncoder:
    """Encodes the labels of the three groups.

    Args:
        classes: group -> names of its classes, in the order of the vectors.
        sizes: group -> classes that the networks can hold; the record has
            1421, 53 and 2. Entries beyond the named classes are never 1.

    Raises:
        UserError: if a group has more classes than the networks can hold.
    """

    classes: Mapping[str, Sequence[str]]
    sizes: Mapping[str, int]
    _index: Mapping[str, Mapping[str, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        for group in GROUPS:
            needed, size = len(self.classes[group]), self.sizes[group]
            if needed > size:
                some = ", ".join(list(self.classes[group])[:5])
                raise UserError(
                    f"the corpus has {needed} classes of {group} ({some}{', ...' if needed > 5 else ''}), "
                    f"the networks hold {size}; if they are right, set labels.{group} = {needed} "
                    "in an experiment of your own"
                )
        index = {
            group: {normalize("NFC", name): i for i, name in enumerate(self.classes[group])}
            for group in GROUPS
        }
        object.__setattr__(self, "_index", index)

    @classmethod
    def from_clips(cls, clips: Iterable[Clip], sizes: Mapping[str, int]) -> "LabelEncoder":
        """Makes an encoder of the labels that ``clips`` have, sorted by name.

        Raises:
            UserError: if a group has more classes than ``sizes`` allows.
        """
        clips = list(clips)
        classes = {group: sorted({clip.labels[group] for clip in clips} - {None}) for group in GROUPS}
        return cls(classes, sizes)

    @classmethod
    def loads(cls, text: str, sizes: Mapping[str, int]) -> "LabelEncoder":
        """Reads what `dumps` wrote.

        Raises:
            UserError: if the text is something else, or does not fit ``sizes``.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            values = None
        known = isinstance(values, dict) and all(_is_list_of_names(values.get(group)) for group in GROUPS)
        if not known:
            raise UserError(f"labels.json: expected an object with lists of names {', '.join(GROUPS)}")
        return cls({group: values[group] for group in GROUPS}, sizes)

    def dumps(self) -> str:
        """Returns the JSON text of ``labels.json``: the names of the classes in order."""
        classes = {group: list(self.classes[group]) for group in GROUPS}
        return json.dumps(classes, ensure_ascii=False, indent=1) + "\n"

    @property
    def target_size(self) -> int:
        """Entries of `target`; the record's 1421 + 53 + 2 = 1476."""
        return sum(self.sizes[group] for group in GROUPS)

    @property
    def input_size(self) -> int:
        """Entries of `input`; the record's 1421 + 53 + 2 + 3 = 1479."""
        return self.target_size + len(GROUPS)

    def input(self, speaker: str | None = None, birthplace: str | None = None, sex: str | None = None):
        """Returns the label that goes into the generator.

        The one-hot vectors of the groups one after the other, then a flag for
        each group that is labelled. A group that is None is all 0.

        Returns:
            ndarray of shape (input_size,), float32, in {0, 1}.

        Raises:
            UserError: if a name is unknown; the message has the nearest ones.
        """
        c = np.zeros(self.input_size, np.float32)
        for flag, (start, _, index) in enumerate(self._places(speaker, birthplace, sex)):
            if index is not None:
                c[start + index] = c[self.target_size + flag] = 1
        return c

    def target(self, speaker: str | None = None, birthplace: str | None = None, sex: str | None = None):
        """Returns the label that the discriminator is trained on.

        The one-hot vectors of the groups one after the other. A group that is
        None is all -1, which the loss ignores.

        Returns:
            ndarray of shape (target_size,), int32, in {-1, 0, 1}.

        Raises:
            UserError: if a name is unknown; the message has the nearest ones.
        """
        t = np.zeros(self.target_size, np.int32)
        for start, stop, index in self._places(speaker, birthplace, sex):
            if index is None:
                t[start:stop] = -1
            else:
                t[start + index] = 1
        return t

    def without_unknown(self, clip: Clip) -> Clip:
        """Returns the clip with the labels that are no class here, a held-out stranger's, taken off."""
        unknown = [group for group, name in clip.labels.items() if name not in self._index[group]]
        return replace(clip, **dict.fromkeys(unknown))

    def _places(self, *names: str | None):
        """Yields where each group starts and stops, and the index of its name or None."""
        start = 0
        for group, name in zip(GROUPS, names, strict=True):
            stop = start + self.sizes[group]
            name = name and normalize("NFC", name)
            if name is not None and name not in self._index[group]:
                raise UserError(f"no {group} {name!r}; {self._suggest(group, name)}")
            yield start, stop, self._index[group].get(name)
            start = stop

    def _suggest(self, group: str, name: str) -> str:
        known = self.classes[group]
        near = difflib.get_close_matches(name, known)
        if near:
            return f"the nearest: {', '.join(near)}"
        shown = ", ".join(known[:8]) or "none"
        return f"known: {shown}{f' and {len(known) - 8} more' if len(known) > 8 else ''}"


def _is_list_of_names(value) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(name, str) and not _SURROGATE.search(name) for name in value)
        and len(set(value)) == len(value)
    )
