"""Bytes: connections, deadlines, retries and server-sent events.

Knows no model, no protocol of a language model, and never imports LiteLLM.
"""
