"""What should last of a finished run: a small folder beside its experiment, in the repository."""
