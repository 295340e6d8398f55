"""Requests that failed in a run: a bounded sample, with what was sent and what came back."""
