"""What a call and a streamed chunk cost, side by side against one local server."""
