"""The peer with the savings of starvox, so that what is left between the two are the kernels."""

import torch
import torch.nn.functional as F

from benchmarks.peer.trainer import Trainer


class SavingTrainer(Trainer):
    """Computes the same losses and gradients as `Trainer` with less arithmetic and memory.

    - The labels' part of the merge is the sum of their filters, spread over the map: no label map.
    - x_real is encoded once for its two conversions of a G step (and counted once in running statistics).
    - D sees x_fake and x_real in one pass, and only the heads that a loss needs are computed.
    - The gradients of both networks are freed before a step.
    """

    def _begin(self):
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)

    def _encode(self, x):
        h, conv = self.gen.downsampling(x), self.gen.merge.conv
        return F.conv2d(h, conv.weight[:, : h.shape[1]], padding=conv.padding)

    def _decode(self, h, c):
        conv, norm, relu = self.gen.merge
        taps = torch.einsum("bn,onk->bok", c, conv.weight[:, -c.shape[1] :].flatten(2))
        # (1, kh * kw, H * W), 0 where a tap is padding
        inside = F.unfold(torch.ones_like(h[:1, :1]), conv.kernel_size, padding=conv.padding)
        h = relu(norm(h + (taps @ inside).view_as(h)))
        return torch.sigmoid(self.gen.upsampling(self.gen.bottleneck(h)))

    def _convert(self, x, c):
        return self._decode(self._encode(x), c)

    def _convert_all(self, x_real, c_real, c_fake):
        h_real = self._encode(x_real)
        x_fake = self._decode(h_real, c_fake)
        return x_fake, self._convert(x_fake, c_real), self._decode(h_real, c_real)

    def _compare(self, x_fake, x_real):
        feature = self.dis.layers(torch.cat([x_fake, x_real]))
        fake, real = feature.chunk(2)
        classified = self.dis.clazz(fake if self._loss.classify == "x_fake" else real).mean((2, 3))
        return classified, *self.dis.discriminate(feature).chunk(2)

    def _see(self, x):
        feature = self.dis.layers(x)
        return feature, self.dis.discriminate(feature)
