"""The state of a plan: what replies report of it, what follows from that, and its wording.

Nothing here talks to the service, which is the job of `client`. The modules that the path of a call
imports (`header`, `state`, `rest`) read no JSON and import no pydantic: a report is kept as the
text that came, and read when somebody wants to know.
"""
