"""A run on one HTML page that needs nothing else: no network, no server, no scripts."""

from starvox.replay.report.page import Report, write_report

__all__ = ["Report", "write_report"]
