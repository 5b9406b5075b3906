"""One iteration of the record's training: five D steps, then one G step."""

import chainer
import numpy as np

from starvox.training import losses
from starvox.training.random import Stream, generator


class StarGANUpdater(chainer.training.StandardUpdater):
    """Alternates D and G as the record's two drawings of "学習" wire them.

    Every step draws a minibatch A (x_real with its labels c_real, t_real) and,
    independently, a minibatch B (x_orig with c_fake, t_fake: the labels that
    x_real is converted to are those of a clip that exists).

    Args:
        iterator (dict): ``main`` draws A, ``orig`` draws B.
        optimizer (dict): ``gen`` and ``dis``, set up with the two networks.
        loss: the experiment's table ``loss`` (starvox.config.Loss).
        n_dis (int): D steps in one iteration.
        share_minibatch (bool): all steps of an iteration use one A and one B.
        seed (int): of the gradient penalty's mixing ratio.
        converter (callable): (list of examples, device) -> (x, c, t).
        device: where the networks are.
    """

    def __init__(self, iterator, optimizer, *, loss, n_dis, share_minibatch=False, seed=0, converter, device):
        super().__init__(iterator, optimizer, converter=converter, device=device, auto_new_epoch=False)
        self.gen = optimizer["gen"].target
        self.dis = optimizer["dis"].target
        self._loss = loss
        self._n_dis = n_dis
        self._share_minibatch = share_minibatch
        self._seed = seed

    def update_core(self):
        report = {}
        batches = None
        for step in range(self._n_dis):
            if step == 0 or not self._share_minibatch:
                batches = self._draw()
            for name, value in self._update_dis(step, *batches).items():
                report[name] = report.get(name, 0) + value / self._n_dis
        if not self._share_minibatch:
            batches = self._draw()
        report |= self._update_gen(*batches)
        chainer.report(report)

    def _draw(self):
        return [self.converter(self.get_iterator(name).next(), self.device) for name in ("main", "orig")]

    def _update_dis(self, step, batch_a, batch_b):
        """Takes one D step; returns its losses, arrays of shape (), by log key."""
        x_real, _, t_real = batch_a
        x_orig, c_fake, _ = batch_b
        x_fake = self._convert(x_real, c_fake)
        _, class_fake, adversarial_fake = self.dis(x_fake)
        _, class_real, adversarial_real = self.dis(x_real)

        wasserstein = losses.wasserstein(adversarial_fake, adversarial_real)
        classified = class_fake if self._loss.classify == "x_fake" else class_real
        classification = losses.classification(classified, t_real, self._loss.classification_reduction)
        x_other = x_orig if self._loss.penalty == "x_orig" else x_real
        x_mixed = losses.mix(x_fake, x_other, self._mixing_ratio(step, len(x_fake)))
        penalty = losses.gradient_penalty(self.dis, x_mixed, self._loss.penalty_output)
        loss = wasserstein + self._loss.gradient_penalty_weight * penalty + classification

        self._descend("dis", loss)
        return {
            "dis/wasserstein": wasserstein.array,
            "dis/gradient_penalty": penalty.array,
            "dis/classification": classification.array,
            "dis/loss": loss.array,
        }

    def _update_gen(self, batch_a, batch_b):
        """Takes one G step; returns its losses, arrays of shape (), by log key."""
        x_real, c_real, _ = batch_a
        x_orig, c_fake, t_fake = batch_b
        x_fake = self.gen(x_real, c_fake)
        x_reconstructed = self.gen(x_fake, c_real)
        x_same = self.gen(x_real, c_real)
        feature_fake, class_fake, adversarial_fake = self.dis(x_fake)
        with chainer.no_backprop_mode():
            feature_orig, _, _ = self.dis(x_orig)

        adversarial = losses.adversarial(adversarial_fake)
        classification = losses.classification(class_fake, t_fake, self._loss.classification_reduction)
        reconstruction = losses.reconstruction(x_reconstructed, x_real)
        identity = losses.identity(x_same, x_real)
        feature_matching = losses.feature_matching(feature_fake, feature_orig)
        loss = (
            adversarial
            + classification
            + self._loss.reconstruction_weight * reconstruction
            + self._loss.identity_weight * identity
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

    def _convert(self, x_real, c_fake):
        """Returns G's output for a D step, with nothing of G changed by it.

        Batch normalisation uses the minibatch's statistics, as in training;
        Chainer leaves the running ones alone only while `in_recomputing`.
        """
        with chainer.no_backprop_mode(), chainer.using_config("in_recomputing", True):
            return self.gen(x_real, c_fake).array

    def _mixing_ratio(self, step, batchsize):
        rng = generator(self._seed, Stream.MIX, self.iteration, step)
        return self.device.send(rng.random((batchsize, 1, 1, 1), dtype=np.float32))

    def _descend(self, name, loss):
        """Updates one network. `chainer.grad` leaves the other's gradients alone."""
        optimizer = self.get_optimizer(name)
        params = list(optimizer.target.params())
        for param, gradient in zip(params, chainer.grad([loss], params), strict=True):
            param.grad_var = gradient
        optimizer.update()
