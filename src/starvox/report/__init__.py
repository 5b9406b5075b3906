"""A run on one HTML page that needs nothing else: no network, no server, no scripts."""

from starvox.report.page import Report, write_report

__all__ = ["Report", "write_report"]
