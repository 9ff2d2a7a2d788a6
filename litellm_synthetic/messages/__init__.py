"""The Messages API: requests, replies and streams in Anthropic's protocol.

Both ways are here: completions translated to messages, and messages passed through as they are.
"""
