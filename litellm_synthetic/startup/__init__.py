"""Programs that never import this package: registered for them as they import LiteLLM.

`on_import` registers in this process. `handed_down/` is a folder for PYTHONPATH, by which the
Python processes that this one starts do the same. Nothing is installed, and nothing is left when
the environment variable is gone.
"""
