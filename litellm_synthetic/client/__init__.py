"""One call to Synthetic: built, sent and read, the same for every protocol.

A call is resolved here once, to facts, endpoint, key and limits. The fields of a chat completion
belong to `chat`, those of an Anthropic message to `messages`.
"""
