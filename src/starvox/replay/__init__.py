"""From the snapshots of a results folder to converted speech and what it says of the model."""
