"""Paths that other people give to files: of a test's modules and data, and of its artifacts."""

LONGEST = 200


def relative_path(text: str) -> str:
    """The path with ``/`` between its parts, relative to a root that it stays below.

    Raises ``ValueError`` saying what is wrong with it.
    """
    parts = [part for part in text.split("/") if part != "."]
    if not text or not parts or len(text) > LONGEST:
        raise ValueError(f"a path must have 1 to {LONGEST} characters")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("a path must not contain control characters")
    if "\\" in text:
        raise ValueError("a path must be written with / instead of \\")
    if text.startswith("/") or (len(text) > 1 and text[0].isalpha() and text[1] == ":"):
        raise ValueError("a path must be relative")
    if ".." in parts:
        raise ValueError("a path must not lead out with ..")
    if "" in parts:
        raise ValueError("a path must name a file")
    return "/".join(parts)
