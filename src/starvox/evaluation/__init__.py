"""Copying or answering: distances, the judge, the verdict."""
