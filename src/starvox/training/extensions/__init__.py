"""What happens beside the updates: screen, figures, samples, checks."""

from starvox.training.extensions.curves import Curves
from starvox.training.extensions.non_finite import StopOnNonFinite
from starvox.training.extensions.progress import Progress
from starvox.training.extensions.samples import Samples

__all__ = ["Curves", "Progress", "Samples", "StopOnNonFinite"]
