"""One training step of D and one of G."""

import torch
import torch.nn.functional as F

from benchmarks.peer.discriminator import Discriminator
from benchmarks.peer.generator import Generator


class Trainer:
    """Both networks with their optimizers.

    A minibatch is (x, c, t): spectrograms (B, 1, bins, frames), input labels
    (B, n_labels) and output labels (B, n_classes) of 0, 1 or -1. A is what is
    converted, B gives the labels it is converted to.

    Args:
        exp: the experiment: any object with its tables as attributes.
        device: of torch.

    Attributes:
        gen (Generator), dis (Discriminator): the networks.
        networks (dict), optimizers (dict): of ``gen`` and ``dis``.
    """

    def __init__(self, exp, device="cpu"):
        n_classes = exp.labels.speaker + exp.labels.birthplace + exp.labels.sex
        self.gen = Generator(exp.generator, n_classes + 3).to(device)
        self.dis = Discriminator(exp.discriminator, n_classes).to(device)
        self.networks = {"gen": self.gen, "dis": self.dis}
        self._loss = exp.loss
        training = exp.training
        self.optimizers = {
            name: torch.optim.RMSprop(
                network.parameters(),
                lr=training.learning_rate,
                alpha=training.rmsprop_alpha,
                eps=training.rmsprop_eps,
            )
            for name, network in self.networks.items()
        }

    def dis_step(self, batch_a, batch_b, ratio=None) -> dict:
        """Takes one D step; returns its losses, each without its weight.

        Args:
            batch_a, batch_b: minibatches.
            ratio (tensor of shape (B, 1, 1, 1)): the penalty's mixing ratio; None draws it.
        """
        (x_real, _, t_real), (x_orig, c_fake, _) = batch_a, batch_b
        with torch.no_grad():
            x_fake = self.gen(x_real, c_fake)
        _, class_fake, adversarial_fake = self.dis(x_fake)
        _, class_real, adversarial_real = self.dis(x_real)

        wasserstein = adversarial_fake.mean() - adversarial_real.mean()
        classification = self._classify(class_fake if self._loss.classify == "x_fake" else class_real, t_real)
        x_other = x_orig if self._loss.penalty == "x_orig" else x_real
        if ratio is None:
            ratio = torch.rand(len(x_real), 1, 1, 1, device=x_real.device)
        penalty = self._penalty(x_other * ratio + x_fake * (1 - ratio))
        loss = wasserstein + self._loss.gradient_penalty_weight * penalty + classification

        self._descend("dis", loss)
        return _detached(
            {
                "dis/wasserstein": wasserstein,
                "dis/gradient_penalty": penalty,
                "dis/classification": classification,
                "dis/loss": loss,
            }
        )

    def gen_step(self, batch_a, batch_b) -> dict:
        """Takes one G step; returns its losses, each without its weight."""
        (x_real, c_real, _), (x_orig, c_fake, t_fake) = batch_a, batch_b
        self.dis.requires_grad_(False)
        x_fake = self.gen(x_real, c_fake)
        x_reconstructed = self.gen(x_fake, c_real)
        x_same = self.gen(x_real, c_real)
        feature_fake, class_fake, adversarial_fake = self.dis(x_fake)
        with torch.no_grad():
            feature_orig, _, _ = self.dis(x_orig)

        adversarial = -adversarial_fake.mean()
        classification = self._classify(class_fake, t_fake)
        reconstruction = F.mse_loss(x_reconstructed, x_real)
        identity = F.mse_loss(x_same, x_real)
        feature_matching = F.mse_loss(feature_fake, feature_orig)
        loss = (
            adversarial
            + classification
            + self._loss.reconstruction_weight * reconstruction
            + self._loss.identity_weight * identity
            + self._loss.feature_matching_weight * feature_matching
        )

        self._descend("gen", loss)
        self.dis.requires_grad_(True)
        return _detached(
            {
                "gen/adversarial": adversarial,
                "gen/classification": classification,
                "gen/reconstruction": reconstruction,
                "gen/identity": identity,
                "gen/feature_matching": feature_matching,
                "gen/loss": loss,
            }
        )

    def _classify(self, logits, t):
        known, target = (t >= 0).to(logits.dtype), t.clamp(min=0).to(logits.dtype)
        total = F.binary_cross_entropy_with_logits(logits, target, weight=known, reduction="sum")
        mean = self._loss.classification_reduction == "mean"
        return total / (known.sum().clamp(min=1) if mean else len(logits))

    def _penalty(self, x_mixed):
        x_mixed.requires_grad_(True)
        _, _, judged = self.dis(x_mixed)
        if self._loss.penalty_output == "mean":
            judged = judged.mean((1, 2, 3))
        (gradient,) = torch.autograd.grad(judged, x_mixed, torch.ones_like(judged), create_graph=True)
        return ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()

    def _descend(self, name, loss):
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def _detached(losses: dict) -> dict:
    return {name: value.detach() for name, value in losses.items()}
