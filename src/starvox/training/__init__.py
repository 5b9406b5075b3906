"""Training: losses, the updater, its extensions, and the assembling of a trainer."""
