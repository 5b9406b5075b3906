"""The same networks and training step in PyTorch, written the usual way.

Plain and decent: labels tiled to maps and concatenated, one forward a use, nothing shared; but no
graph where no gradient is needed either. It imports nothing of starvox.
"""
