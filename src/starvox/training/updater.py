"""One iteration of the record's training: five D steps, then one G step."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np
from numpy.typing import NDArray

from starvox.config import Loss
from starvox.training import losses
from starvox.training.losses import Floats
from starvox.training.processes import Processes
from starvox.training.randomness import Stream, rng_for
from starvox.training.recorded_step import RecordedStep
from starvox.training.statistics import RepeatedStatistics

Batch = tuple[Floats, Floats, NDArray[np.int32]]  # x (B, 1, bins, frames), c (B, n_labels), t (B, n_classes)


class StarGANUpdater(chainer.training.StandardUpdater):
    """Alternates D and G as the record's two drawings of "学習" wire them.

    Every step draws a minibatch A (x_real with its labels c_real, t_real) and,
    independently, a minibatch B (x_orig with c_fake, t_fake: the labels that
    x_real is converted to are those of a clip that exists).

    Args:
        iterator: ``main`` draws A, ``orig`` draws B.
        optimizer: ``gen`` and ``dis``, set up with the two networks.
        loss: the experiment's table.
        sizes: classes of each group of labels.
        n_dis: D steps in one iteration.
        share_minibatch: all steps of an iteration use one A and one B.
        statistics: what moves G's running statistics: ``every forward``, as Chainer does in
            training, or ``generator steps`` alone. The training is the same; they are for replay.
        seed: of the gradient penalty's mixing ratio.
        converter: (what an iterator gives, device) -> (x, c, t).
        device: where the networks are.
        processes: those that train together; by default this one alone.
    """

    def __init__(
        self,
        iterator: dict[str, chainer.dataset.Iterator],
        optimizer: dict[str, chainer.Optimizer],
        *,
        loss: Loss,
        sizes: Sequence[int] = (),
        n_dis: int,
        share_minibatch: bool = False,
        statistics: str = "every forward",
        seed: int = 0,
        converter: Callable[[Any, chainer.backend.Device], Batch],
        device: chainer.backend.Device,
        processes: Processes | None = None,
    ):
        super().__init__(iterator, optimizer, converter=converter, device=device, auto_new_epoch=False)
        self.gen = optimizer["gen"].target
        self.dis = optimizer["dis"].target
        self._loss = loss
        self._sizes = sizes
        self._n_dis = n_dis
        self._share_minibatch = share_minibatch
        self._move_statistics = statistics == "every forward"
        self._seed = seed
        self._processes = processes or Processes()
        self._run_dis: Callable[..., dict[str, Floats]] = self._step_dis
        self._run_gen: Callable[..., dict[str, Floats]] = self._step_gen

    def update_core(self) -> None:
        report: dict[str, Any] = {}
        batches = self._draw(1 if self._share_minibatch else self._n_dis + 1)
        for step in range(self._n_dis):
            if step == 0 or not self._share_minibatch:
                batch_a, batch_b = next(batches)
            for name, value in self._update_dis(step, batch_a, batch_b).items():
                report[name] = report.get(name, 0) + value / self._n_dis
        if not self._share_minibatch:
            batch_a, batch_b = next(batches)
        report |= self._update_gen(batch_a, batch_b)
        self._processes.average_statistics(self.gen)
        chainer.report(self._processes.average(report))

    def _draw(self, steps: int) -> Iterator[tuple[Batch, Batch]]:
        """Yields the minibatches A and B of so many steps; a GPU gets all at once, in fewer launches."""
        drawn = (self.get_iterator(name).next() for _ in range(steps) for name in ("main", "orig"))
        batches: Iterator[Any]
        if self.device.xp is np:
            batches = (self.converter(batch, self.device) for batch in drawn)
        else:
            whole = [np.concatenate(column) for column in zip(*drawn, strict=True)]
            parts = (self.device.xp.split(a, 2 * steps) for a in self.converter(whole, self.device))
            batches = zip(*parts, strict=True)
        for batch_a in batches:
            yield batch_a, next(batches)

    def record_steps(self, recorder: Any) -> None:
        """Records the D step and the G step, and replays them from then on; see `RecordedStep`."""
        optimizers = self.get_all_optimizers()
        self._run_dis = RecordedStep(self._step_dis, optimizers, "dis", recorder)
        self._run_gen = RecordedStep(self._step_gen, optimizers, "gen", recorder)

    def _update_dis(self, step: int, batch_a: Batch, batch_b: Batch) -> dict[str, Floats]:
        """Takes one D step; returns its losses, arrays of shape (), by log key."""
        return self._run_dis(self._mixing_ratio(step, len(batch_a[0])), *batch_a, *batch_b)

    def _step_dis(self, ratio: Floats, *batches: NDArray[Any]) -> dict[str, Floats]:
        x_real, _, t_real, x_orig, c_fake, _ = batches
        self._forget_gradients()
        x_fake = self._convert(x_real, c_fake)
        # D normalises nothing, so that one pass over both is the same as two
        feature = self.dis.extract(self.device.xp.concatenate([x_fake, x_real]))
        feature_fake, feature_real = feature[: len(x_fake)], feature[len(x_fake) :]
        adversarial_fake, adversarial_real = F.split_axis(self.dis.judge(feature), 2, axis=0)

        wasserstein = losses.wasserstein(adversarial_fake, adversarial_real)
        classified = self.dis.classify(feature_fake if self._loss.classify == "x_fake" else feature_real)
        classification = self._classification(classified, t_real)
        x_other = x_orig if self._loss.penalty == "x_orig" else x_real
        x_mixed = losses.mix(x_fake, x_other, ratio)
        penalty = losses.gradient_penalty(self._judge, x_mixed, self._loss.penalty_output)
        loss = wasserstein + self._loss.gradient_penalty_weight * penalty + self._weighted(classification)
        terms = {"wasserstein": wasserstein, "gradient_penalty": penalty, "classification": classification}
        return self._descend("dis", loss, terms)

    def _update_gen(self, batch_a: Batch, batch_b: Batch) -> dict[str, Floats]:
        """Takes one G step; returns its losses, arrays of shape (), by log key."""
        until = self._loss.identity_iterations
        weight = self._loss.identity_weight if until == 0 or self.iteration < until else 0.0
        # an argument of the step: a recorded one has the constants of its recording
        return self._run_gen(self.device.send(np.array(weight, np.float32)), *batch_a, *batch_b)

    def _step_gen(self, identity_weight: Floats, *batches: NDArray[Any]) -> dict[str, Floats]:
        x_real, c_real, _, x_orig, c_fake, t_fake = batches
        self._forget_gradients()
        # x_real is converted twice: the part of G that sees no labels is the same
        with RepeatedStatistics(self.gen.downsampling) as statistics:
            h_real = self.gen.encode(x_real)
        x_fake = self.gen.decode(h_real, c_fake)
        x_reconstructed = self.gen(x_fake, c_real)
        statistics.repeat()
        x_same = self.gen.decode(h_real, c_real)
        feature_fake = self.dis.extract(x_fake)
        with chainer.no_backprop_mode():
            feature_orig = self.dis.extract(x_orig)

        terms = {
            "adversarial": losses.adversarial(self.dis.judge(feature_fake)),
            "classification": self._classification(self.dis.classify(feature_fake), t_fake),
            "reconstruction": losses.reconstruction(x_reconstructed, x_real),
            "identity": losses.identity(x_same, x_real),
            "feature_matching": losses.feature_matching(feature_fake, feature_orig),
        }
        loss = (
            terms["adversarial"]
            + self._weighted(terms["classification"])
            + self._loss.reconstruction_weight * terms["reconstruction"]
            + identity_weight * terms["identity"]
            + self._loss.feature_matching_weight * terms["feature_matching"]
        )
        return self._descend("gen", loss, terms)

    def _classification(self, logits: chainer.Variable, t: NDArray[np.int32]) -> chainer.Variable:
        return losses.classification(logits, t, self._loss.classification_reduction, self._sizes)

    def _weighted(self, classification: chainer.Variable) -> chainer.Variable:
        """Returns the class loss times its weight."""
        weight = self._loss.classification_weight
        # times 1, the gradients would be summed in another order and rounded otherwise
        return classification if weight == 1 else weight * classification

    def _judge(self, x: chainer.Variable) -> chainer.Variable:
        return self.dis.judge(self.dis.extract(x))

    def _convert(self, x_real: Floats, c_fake: Floats) -> Floats:
        """Returns G's output for a D step.

        Batch normalisation uses the minibatch's statistics, as in training;
        Chainer leaves the running ones alone only while `in_recomputing`.
        """
        frozen = chainer.using_config("in_recomputing", not self._move_statistics)
        with chainer.no_backprop_mode(), frozen:
            return self.gen(x_real, c_fake).array

    def _mixing_ratio(self, step: int, batchsize: int) -> Floats:
        rng = rng_for(self._seed, Stream.MIX, self.iteration, step)
        ratios = rng.random((batchsize * self._processes.size, 1, 1, 1), dtype=np.float32)
        return self.device.send(self._processes.local_slice(ratios))

    def _forget_gradients(self) -> None:
        """Frees the gradients of the step before: D's alone are as large as all maps of a D step."""
        self.gen.cleargrads()
        self.dis.cleargrads()

    def _descend(
        self, name: str, loss: chainer.Variable, terms: dict[str, chainer.Variable]
    ) -> dict[str, Floats]:
        """Updates one network; returns its losses by log key. `chainer.grad` leaves the other's gradients."""
        optimizer = self.get_optimizer(name)
        params = list(optimizer.target.params())
        for param, gradient in zip(params, chainer.grad([loss], params), strict=True):
            param.grad_var = gradient
        self._processes.average_gradients(optimizer.target)
        optimizer.update()
        return {f"{name}/{key}": term.array for key, term in (terms | {"loss": loss}).items()}
