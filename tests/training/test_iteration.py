"""One D step and one G step of the record, computed a second time by plain NumPy in float64.

Nothing of the networks, losses, updater or optimizer is used: the labels are
repeated and concatenated as drawn, and every weight's gradient is taken by the
complex step: the imaginary part of loss(w + i h) over h.
"""

import chainer
import numpy as np
import pytest

from starvox import load_experiment
from starvox.training.randomness import Stream, rng_for

SEED, RATE = 9, 1e-3
EPS, DECAY, SLOPE = 2e-5, 0.9, 0.01  # of the small networks, in conftest.py


def convolve(x, W, stride=1, pad=0):
    x = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], axis=(2, 3))
    return np.tensordot(windows[:, :, ::stride, ::stride], W, [(1, 4, 5), (1, 2, 3)]).transpose(0, 3, 1, 2)


def deconvolve(x, W, stride, pad):
    """Adds to y each cell's multiple of the filter (in, out, k, k), and cuts ``pad`` off each side."""
    k = W.shape[2]
    height, width = (stride * (n - 1) + k for n in x.shape[2:])
    y = np.zeros((W.shape[1], len(x), height, width), np.result_type(x, W))
    for i, j in np.ndindex(k, k):
        here = (..., slice(i, height - k + i + 1, stride), slice(j, width - k + j + 1, stride))
        y[here] += np.tensordot(W[:, :, i, j], x, (0, 1))
    return y.transpose(1, 0, 2, 3)[:, :, pad : height - pad, pad : width - pad]


def per_channel(v):
    return v[:, None, None]


class Judge:
    """G and D as drawn, from arrays by path; ``running`` is moved by every conversion."""

    def __init__(self, updater):
        links = {"gen": updater.gen, "dis": updater.dis}
        self.weights = {
            name + path: param.array.astype(np.float64)
            for name, link in links.items()
            for path, param in link.namedparams()
        }
        self.squares = {key: np.zeros_like(value) for key, value in self.weights.items()}
        self.running = {}

    def _norm(self, h, name):
        """Batch normalisation; the running statistics start at 0 and 1, the variance's is without bias."""
        mean, var = h.mean((0, 2, 3)), ((h - per_channel(h.mean((0, 2, 3)))) ** 2).mean((0, 2, 3))
        n = h.size / h.shape[1]
        for key, new, first in (("avg_mean", mean, 0), ("avg_var", var * n / (n - 1), 1)):
            old = self.running.get(f"{name}/{key}", first)
            self.running[f"{name}/{key}"] = DECAY * old + (1 - DECAY) * new.real
        gamma, beta = (self.weights[f"{name}/{key}"] for key in ("gamma", "beta"))
        return per_channel(gamma / np.sqrt(var + EPS)) * (h - per_channel(mean)) + per_channel(beta)

    def convert(self, x, c):
        def block(h, name, convolution, *how):
            h = self._norm(convolution(h, self.weights[f"gen/{name}/conv/W"], *how), f"gen/{name}/norm")
            return np.where(h.real > 0, h, 0)

        h = block(x, "downsamp1", convolve, 1, 3)
        h = block(h, "downsamp2", convolve, 2, 1)
        maps = np.broadcast_to(c[:, :, None, None], (*c.shape, *h.shape[2:]))
        h = block(np.concatenate([h, maps], axis=1), "merge", convolve, 1, 1)
        r = self._norm(convolve(h, self.weights["gen/bottleneck1/conv1/W"], 1, 1), "gen/bottleneck1/norm1")
        r = convolve(np.where(r.real > 0, r, 0), self.weights["gen/bottleneck1/conv2/W"], 1, 1)
        h = h + self._norm(r, "gen/bottleneck1/norm2")
        h = block(h, "upsamp1", deconvolve, 2, 1)
        h = deconvolve(h, self.weights["gen/upsamp2/W"], 1, 3) + per_channel(self.weights["gen/upsamp2/b"])
        return 1 / (1 + np.exp(-h))

    def _layer(self, h, name, *how):
        return convolve(h, self.weights[f"dis/{name}/W"], *how) + per_channel(self.weights[f"dis/{name}/b"])

    def discriminate(self, x):
        """Returns feature, classification and adversarial map, and the slope at each cell of each layer."""
        h, slopes = x, []
        for name in ("conv1", "conv2"):
            h = self._layer(h, name, 2, 1)
            slopes.append(np.where(h.real > 0, 1, SLOPE))
            h = h * slopes[-1]
        return h, self._layer(h, "clazz")[:, :, 0, 0], self._layer(h, "discriminate", 1, 1), slopes

    def penalty(self, x):
        """Mean of (norm - 1)^2; the gradient of the map's sum goes back through the layers one by one."""
        *_, adversarial, slopes = self.discriminate(x)
        # a convolution's gradient is the transposed convolution with the same filters
        g = deconvolve(np.ones_like(adversarial), self.weights["dis/discriminate/W"], 1, 1)
        for name, slope in zip(("conv2", "conv1"), slopes[::-1], strict=True):
            g = deconvolve(g * slope, self.weights[f"dis/{name}/W"], 2, 1)
        return ((np.sqrt((g**2).sum((1, 2, 3))) - 1) ** 2).mean()

    def losses_of_d(self, x_fake, batch_a, batch_b, ratio, loss):
        (x_real, _, t_real), (x_orig, _, _) = batch_a, batch_b
        _, class_fake, adversarial_fake, _ = self.discriminate(x_fake)
        _, class_real, adversarial_real, _ = self.discriminate(x_real)
        other = x_orig if loss.penalty == "x_orig" else x_real
        classified = class_fake if loss.classify == "x_fake" else class_real
        terms = {
            "dis/wasserstein": adversarial_fake.mean() - adversarial_real.mean(),
            "dis/gradient_penalty": self.penalty(other * ratio + x_fake * (1 - ratio)),
            "dis/classification": entropy(classified, t_real, loss),
        }
        weights = 1, loss.gradient_penalty_weight, loss.classification_weight
        return terms | {"dis/loss": sum(w * term for w, term in zip(weights, terms.values(), strict=True))}

    def losses_of_g(self, batch_a, batch_b, loss):
        (x_real, c_real, _), (x_orig, c_fake, t_fake) = batch_a, batch_b
        x_fake = self.convert(x_real, c_fake)
        feature, classified, adversarial, _ = self.discriminate(x_fake)
        terms = {
            "gen/adversarial": -adversarial.mean(),
            "gen/classification": entropy(classified, t_fake, loss),
            "gen/reconstruction": ((self.convert(x_fake, c_real) - x_real) ** 2).mean(),
            "gen/identity": ((self.convert(x_real, c_real) - x_real) ** 2).mean(),
            "gen/feature_matching": ((feature - self.discriminate(x_orig)[0]) ** 2).mean(),
        }
        weights = 1, loss.classification_weight, loss.reconstruction_weight
        weights += loss.identity_weight, loss.feature_matching_weight
        return terms | {"gen/loss": sum(w * term for w, term in zip(weights, terms.values(), strict=True))}

    def step(self, name, losses):
        """Updates one network by RMSprop; returns its losses and gradients."""
        report = {key: value.real for key, value in losses().items()}
        running = dict(self.running)  # the losses are taken once, the other times for their gradients
        gradients = {}
        for key, weights in self.weights.items():
            if key.startswith(name):
                gradients[key] = np.zeros_like(weights)
                for place in np.ndindex(weights.shape):
                    self.weights[key] = weights.astype(complex)
                    self.weights[key][place] += 1e-30j
                    gradients[key][place] = losses()[f"{name}/loss"].imag / 1e-30
                self.weights[key] = weights
        self.running = running
        for key, g in gradients.items():
            self.squares[key] = 0.99 * self.squares[key] + 0.01 * g**2
            self.weights[key] = self.weights[key] - RATE * g / (np.sqrt(self.squares[key]) + 1e-8)
        return report, gradients


def entropy(logits, t, loss):
    """Of every output that is not -1; their mean, or their sum over the classes and mean over the batch."""
    values = [np.log(1 + np.exp(z)) - z * y for z, y in zip(logits.ravel(), t.ravel(), strict=True) if y >= 0]
    return sum(values) / (len(values) if loss.classification_reduction == "mean" else len(t))


UNEQUAL = {
    "classification": 2.0,
    "gradient_penalty": 5.0,
    "reconstruction": 20.0,
    "identity": 4.0,
    "feature_matching": 8.0,
}


@pytest.mark.parametrize(("experiment", "weights"), [("47c97768", {}), ("47c97768-paper", UNEQUAL)])
def test_an_iteration_is_the_drawn_one(experiment, weights, small_updater):
    loss = load_experiment(experiment, {f"loss.{name}_weight": value for name, value in weights.items()}).loss
    updater = small_updater(filters=(1, 2), layers=2, loss=loss, learning_rate=RATE, n_dis=1, seed=SEED)
    judge = Judge(updater)
    found = {}
    for name, optimizer in updater.get_all_optimizers().items():
        optimizer.add_hook(
            lambda optimizer, name=name: found.update(
                {name + path: param.grad.copy() for path, param in optimizer.target.namedparams()}
            )
        )
    reporter, report = chainer.Reporter(), {}
    with reporter.scope(report):
        updater.update()

    (d_step, g_step) = zip(*(updater.get_iterator(name).drawn for name in ("main", "orig")), strict=True)
    (x_real, _, _), (_, c_fake, _) = d_step
    x_fake = judge.convert(x_real, c_fake)
    ratio = rng_for(SEED, Stream.MIX, 0, 0).random((2, 1, 1, 1), dtype=np.float32)
    losses, gradients = judge.step("dis", lambda: judge.losses_of_d(x_fake, *d_step, ratio, loss))
    of_g = judge.step("gen", lambda: judge.losses_of_g(*g_step, loss))
    for key, value in (losses | of_g[0]).items():
        np.testing.assert_allclose(report[key], value, rtol=1e-5, atol=1e-6, err_msg=key)
    gradients |= of_g[1]
    assert gradients.keys() == found.keys()
    for key, value in gradients.items():
        np.testing.assert_allclose(
            found[key], value, rtol=1e-4, atol=1e-5 * max(abs(value).max(), 1e-2), err_msg=key
        )
    networks = {"gen": updater.gen, "dis": updater.dis}
    for name, network in networks.items():
        for path, param in network.namedparams():
            if name + path != "dis/discriminate/b":  # its gradient is 0, and float32's is rounding
                np.testing.assert_allclose(
                    param.array, judge.weights[name + path], atol=RATE * 1e-2, err_msg=name + path
                )
    assert len(judge.running) == 2 * 6
    for key, value in judge.running.items():
        _, *path, last = key.split("/")
        link = updater.gen
        for part in path:
            link = link[part]
        np.testing.assert_allclose(getattr(link, last), value, rtol=1e-5, atol=1e-7, err_msg=key)
