"""Failures: one table from status and text to LiteLLM's exception classes.

Its classes are imported when a failure needs one; the command line does without them. Whatever
detects a failure raises an exception of `faults` or hands a status and a text to `rules`.
"""
