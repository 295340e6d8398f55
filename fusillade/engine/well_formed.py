"""JSON of a script, made fit for decoding."""

import json


def well_formed(text: bytes) -> bytes:
    """The same JSON with ``?`` in the place of lone surrogates.

    JavaScript's strings may hold half of a character, and its ``JSON.stringify`` writes that as an
    escape, which is no text anywhere else.
    """
    if b"\\ud" not in text:
        return text
    return json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
