"""The OpenAI API: parameters, requests, replies and streams of completions and embeddings.

Produces LiteLLM's response types. Nothing here patches LiteLLM or is called by it.
"""
