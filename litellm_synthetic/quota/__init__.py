"""The state of a plan: the quota header, parsed, and its wording for people.

Pure functions of what a reply said. Asking the service for it is the job of `client`.
"""
