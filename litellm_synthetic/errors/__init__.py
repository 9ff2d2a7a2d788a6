"""Failures: one table from status and text to LiteLLM's exception classes.

The only low wing that imports LiteLLM, for its exception classes. Whatever detects a failure raises
an exception of `faults` or hands a status and a text to `rules`.
"""
