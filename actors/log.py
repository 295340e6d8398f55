"""The log of an actor's process: its standard error, which Ray keeps and its dashboard shows."""

import logging

import ray

from actors.config import Watching
from fusillade.log_lines import JsonLines, TextLines

_OURS = ("actors", "api", "fusillade")


def begin(watching: Watching, actor: str, **about: str) -> None:
    """Have this process log as its only actor does. Each line of JSON says what it is ``about``:
    ``test`` and ``region``, where there are any.

    Does nothing outside of Ray, where somebody else decides."""
    if not ray.is_initialized():
        return
    handler = logging.StreamHandler()
    as_json = watching.log_format == "json"
    handler.setFormatter(JsonLines({"actor": actor} | about) if as_json else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    if as_json:
        # Ray has a handler of its own, which writes text.
        of_ray = logging.getLogger("ray")
        of_ray.handlers = []
        of_ray.propagate = True


def in_one_line(text: str, most: int = 80) -> str:
    """A name that a user gave, as it can stand in a log line or in a list of actors."""
    words = " ".join(text.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"
