"""One training step of D and one of G."""

import torch
import torch.nn.functional as F

from benchmarks.peer.networks import Discriminator, Generator


class Trainer:
    """Both networks with their optimizers.

    A minibatch is (x, c, t): spectrograms (B, 1, bins, frames), input labels (B, n_labels) and output
    labels (B, n_classes) of 0, 1 or -1. A is what is converted, B gives the labels it is converted to.
    The experiment ``exp`` is any object with its tables as attributes.
    """

    def __init__(self, exp, device="cpu"):
        n_classes = exp.labels.speaker + exp.labels.birthplace + exp.labels.sex
        self.gen = Generator(exp.generator, n_classes + 3).to(device)
        self.dis = Discriminator(exp.discriminator, n_classes).to(device)
        self._loss, t = exp.loss, exp.training
        self.optimizers = {
            name: torch.optim.RMSprop(
                network.parameters(), lr=t.learning_rate, alpha=t.rmsprop_alpha, eps=t.rmsprop_eps
            )
            for name, network in (("gen", self.gen), ("dis", self.dis))
        }

    def dis_step(self, batch_a, batch_b, ratio=None) -> dict:
        """Takes one D step; returns its losses. The penalty's mixing ratio is (B, 1, 1, 1); None draws it."""
        self._begin()
        (x_real, _, t_real), (x_orig, c_fake, _) = batch_a, batch_b
        with torch.no_grad():
            x_fake = self._convert(x_real, c_fake)
        classified, adversarial_fake, adversarial_real = self._compare(x_fake, x_real)

        x_other = x_orig if self._loss.penalty == "x_orig" else x_real
        if ratio is None:
            ratio = torch.rand(len(x_real), 1, 1, 1, device=x_real.device)
        losses = {
            "wasserstein": adversarial_fake.mean() - adversarial_real.mean(),
            "gradient_penalty": self._penalty(x_other * ratio + x_fake * (1 - ratio)),
            "classification": self._classification(classified, t_real),
        }
        return self._descend("dis", losses)

    def gen_step(self, batch_a, batch_b) -> dict:
        """Takes one G step; returns its losses."""
        self._begin()
        (x_real, c_real, _), (x_orig, c_fake, t_fake) = batch_a, batch_b
        self.dis.requires_grad_(False)  # no gradient where none is needed
        x_fake, x_reconstructed, x_same = self._convert_all(x_real, c_real, c_fake)
        feature_fake, class_fake, adversarial_fake = self.dis(x_fake)
        with torch.no_grad():
            feature_orig, _ = self._see(x_orig)

        losses = {
            "adversarial": -adversarial_fake.mean(),
            "classification": self._classification(class_fake, t_fake),
            "reconstruction": F.mse_loss(x_reconstructed, x_real),
            "identity": F.mse_loss(x_same, x_real),
            "feature_matching": F.mse_loss(feature_fake, feature_orig),
        }
        found = self._descend("gen", losses)
        self.dis.requires_grad_(True)
        return found

    def _begin(self):
        """Does what a step does first."""

    def _convert(self, x, c):
        return self.gen(x, c)

    def _convert_all(self, x_real, c_real, c_fake):
        """Returns x_fake, x_reconstructed and x_same."""
        x_fake = self.gen(x_real, c_fake)
        return x_fake, self.gen(x_fake, c_real), self.gen(x_real, c_real)

    def _compare(self, x_fake, x_real):
        """Returns what D classifies in its own step, and the adversarial maps of fake and real."""
        (_, class_fake, judged_fake), (_, class_real, judged_real) = self.dis(x_fake), self.dis(x_real)
        return class_fake if self._loss.classify == "x_fake" else class_real, judged_fake, judged_real

    def _see(self, x):
        """Returns feature and adversarial map; nobody asks for the classification."""
        return self.dis(x)[::2]

    def _classification(self, logits, t):
        known, target = (t >= 0).to(logits.dtype), t.clamp(min=0).to(logits.dtype)
        total = F.binary_cross_entropy_with_logits(logits, target, weight=known, reduction="sum")
        mean = self._loss.classification_reduction == "mean"
        return total / (known.sum().clamp(min=1) if mean else len(logits))

    def _penalty(self, x_mixed):
        _, judged = self._see(x_mixed.requires_grad_(True))
        if self._loss.penalty_output == "mean":
            judged = judged.mean((1, 2, 3))
        (gradient,) = torch.autograd.grad(judged, x_mixed, torch.ones_like(judged), create_graph=True)
        return ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()

    def _descend(self, name, losses):
        """Takes a step down the sum of the losses with their weights; returns them, without, and the sum."""
        loss = sum(getattr(self._loss, f"{key}_weight", 1) * value for key, value in losses.items())
        self.optimizers[name].zero_grad(set_to_none=True)
        loss.backward()
        self.optimizers[name].step()
        return {f"{name}/{key}": value.detach() for key, value in (losses | {"loss": loss}).items()}
