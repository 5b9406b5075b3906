"""The results folder: every name in it, its environment, lock, snapshots and log.

Reading a log needs neither Chainer nor pydantic, so that nothing is imported here.
"""
