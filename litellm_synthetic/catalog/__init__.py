"""The model table: facts, prices and limits, where they are fetched from and cached.

Never imports LiteLLM. `cost_map` turns facts into LiteLLM's rows as plain dicts; putting them in
force in LiteLLM is the job of `integration`.
"""
