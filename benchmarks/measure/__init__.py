"""The measurements, each ``run(job) -> dict`` of numbers; times in seconds, memory in bytes."""
