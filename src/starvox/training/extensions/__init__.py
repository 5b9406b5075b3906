"""What happens beside the updates: screen, log, figures, samples, checks, snapshots."""

from starvox.training.extensions.curves import Curves
from starvox.training.extensions.learning_rate import LearningRate
from starvox.training.extensions.log import Log
from starvox.training.extensions.non_finite import StopOnNonFinite
from starvox.training.extensions.progress import Progress
from starvox.training.extensions.samples import Samples
from starvox.training.extensions.snapshots import Snapshots

__all__ = ["Curves", "LearningRate", "Log", "Progress", "Samples", "Snapshots", "StopOnNonFinite"]
