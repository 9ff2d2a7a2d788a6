"""What a LiteLLM proxy serves per second with this package's route, and with LiteLLM's own."""
