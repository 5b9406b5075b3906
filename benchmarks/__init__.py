"""`make bench`: the time and memory of training, beside a plain PyTorch peer."""
