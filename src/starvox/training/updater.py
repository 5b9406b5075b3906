"""One iteration of the record's training: five D steps, then one G step."""

import chainer
import chainer.functions as F
import numpy as np

from starvox.training import losses
from starvox.training.processes import Processes
from starvox.training.random import Stream, generator
from starvox.training.recorded_step import RecordedStep
from starvox.training.statistics import RepeatedStatistics


class StarGANUpdater(chainer.training.StandardUpdater):
    """Alternates D and G as the record's two drawings of "学習" wire them.

    Every step draws a minibatch A (x_real with its labels c_real, t_real) and,
    independently, a minibatch B (x_orig with c_fake, t_fake: the labels that
    x_real is converted to are those of a clip that exists).

    Args:
        iterator (dict): ``main`` draws A, ``orig`` draws B.
        optimizer (dict): ``gen`` and ``dis``, set up with the two networks.
        loss: the experiment's table ``loss`` (starvox.config.Loss).
        sizes (sequence of int): classes of each group of labels.
        n_dis (int): D steps in one iteration.
        share_minibatch (bool): all steps of an iteration use one A and one B.
        statistics (str): what moves G's running statistics: ``every forward``, as Chainer does in
            training, or ``generator steps`` alone. The training is the same; they are for replay.
        seed (int): of the gradient penalty's mixing ratio.
        converter (callable): (list of examples, device) -> (x, c, t).
        device: where the networks are.
        processes (Processes): those that train together; by default this one alone.
    """

    def __init__(
        self,
        iterator,
        optimizer,
        *,
        loss,
        sizes=(),
        n_dis,
        share_minibatch=False,
        statistics="every forward",
        seed=0,
        converter,
        device,
        processes=None,
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

    def update_core(self):
        report = {}
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

    def _draw(self, steps):
        """Yields the minibatches A and B of so many steps; a GPU gets all at once, in fewer launches."""
        drawn = (self.get_iterator(name).next() for _ in range(steps) for name in ("main", "orig"))
        if self.device.xp is np:
            batches = (self.converter(batch, self.device) for batch in drawn)
        else:
            whole = [np.concatenate(column) for column in zip(*drawn, strict=True)]
            parts = (self.device.xp.split(a, 2 * steps) for a in self.converter(whole, self.device))
            batches = zip(*parts, strict=True)
        for batch_a in batches:
            yield batch_a, next(batches)

    def record_steps(self, recorder):
        """Records the D step and the G step, and replays them from then on; see `RecordedStep`."""
        optimizers = self.get_all_optimizers()
        self._step_dis = RecordedStep(self._step_dis, optimizers, "dis", recorder)
        self._step_gen = RecordedStep(self._step_gen, optimizers, "gen", recorder)

    def _update_dis(self, step, batch_a, batch_b):
        """Takes one D step; returns its losses, arrays of shape (), by log key."""
        return self._step_dis(self._mixing_ratio(step, len(batch_a[0])), *batch_a, *batch_b)

    def _step_dis(self, ratio, x_real, c_real, t_real, x_orig, c_fake, t_fake):
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

        self._descend("dis", loss)
        return {
            "dis/wasserstein": wasserstein.array,
            "dis/gradient_penalty": penalty.array,
            "dis/classification": classification.array,
            "dis/loss": loss.array,
        }

    def _update_gen(self, batch_a, batch_b):
        """Takes one G step; returns its losses, arrays of shape (), by log key."""
        until = self._loss.identity_iterations
        weight = self._loss.identity_weight if until == 0 or self.iteration < until else 0.0
        # an argument of the step: a recorded one has the constants of its recording
        return self._step_gen(self.device.send(np.array(weight, np.float32)), *batch_a, *batch_b)

    def _step_gen(self, identity_weight, x_real, c_real, _, x_orig, c_fake, t_fake):
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

        adversarial = losses.adversarial(self.dis.judge(feature_fake))
        classification = self._classification(self.dis.classify(feature_fake), t_fake)
        reconstruction = losses.reconstruction(x_reconstructed, x_real)
        identity = losses.identity(x_same, x_real)
        feature_matching = losses.feature_matching(feature_fake, feature_orig)
        loss = (
            adversarial
            + self._weighted(classification)
            + self._loss.reconstruction_weight * reconstruction
            + identity_weight * identity
            + self._loss.feature_matching_weight * feature_matching
        )

        self._descend("gen", loss)
        return {
            "gen/adversarial": adversarial.array,
            "gen/classification": classification.array,
            "gen/reconstruction": reconstruction.array,
            "gen/identity": identity.array,
            "gen/feature_matching": feature_matching.array,
            "gen/loss": loss.array,
        }

    def _classification(self, logits, t):
        return losses.classification(logits, t, self._loss.classification_reduction, self._sizes)

    def _weighted(self, classification):
        """Returns the class loss times its weight."""
        weight = self._loss.classification_weight
        # times 1, the gradients would be summed in another order and rounded otherwise
        return classification if weight == 1 else weight * classification

    def _judge(self, x):
        return self.dis.judge(self.dis.extract(x))

    def _convert(self, x_real, c_fake):
        """Returns G's output for a D step.

        Batch normalisation uses the minibatch's statistics, as in training;
        Chainer leaves the running ones alone only while `in_recomputing`.
        """
        frozen = chainer.using_config("in_recomputing", not self._move_statistics)
        with chainer.no_backprop_mode(), frozen:
            return self.gen(x_real, c_fake).array

    def _mixing_ratio(self, step, batchsize):
        rng = generator(self._seed, Stream.MIX, self.iteration, step)
        ratios = rng.random((batchsize * self._processes.size, 1, 1, 1), dtype=np.float32)
        return self.device.send(self._processes.share(ratios))

    def _forget_gradients(self):
        """Frees the gradients of the step before: D's alone are as large as all maps of a D step."""
        self.gen.cleargrads()
        self.dis.cleargrads()

    def _descend(self, name, loss):
        """Updates one network. `chainer.grad` leaves the other's gradients alone."""
        optimizer = self.get_optimizer(name)
        params = list(optimizer.target.params())
        for param, gradient in zip(params, chainer.grad([loss], params), strict=True):
            param.grad_var = gradient
        self._processes.average_gradients(optimizer.target)
        optimizer.update()
