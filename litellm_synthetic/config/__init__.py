"""Configuration: model ids, base URLs, credentials and settings, parsed.

Imports nothing else of this package, and never LiteLLM. Code that opens a connection, or that needs
to know a model, does not belong here.
"""
