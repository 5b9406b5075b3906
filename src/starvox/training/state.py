"""What a training step may change."""

from collections.abc import Iterator
from typing import Any

import chainer


def trained_arrays(optimizers: dict[str, chainer.Optimizer]) -> Iterator[tuple[str, Any]]:
    """Yields (name, array) of all parameters, states of their optimizers, and running statistics."""
    for name, optimizer in optimizers.items():
        for path, param in optimizer.target.namedparams():
            yield name + path, param.array
            for key, value in (param.update_rule.state or {}).items():
                yield f"{name}{path}:{key}", value
        for path, link in optimizer.target.namedlinks():
            for key in link._persistent:
                if isinstance(getattr(link, key), chainer.get_array_types()):
                    yield f"{name}{path}/{key}", getattr(link, key)
