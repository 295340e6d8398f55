"""E-mail addresses: how they are compared, and what is none."""

import re

from fusillade.errors import ValidationFailed

LONGEST = 254
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"\\]+@[^@\s<>()\[\],;:\"\\]+")


def normal(address: str) -> str:
    """The address as it is stored and looked up. Raises :class:`ValidationFailed`.

    Whether somebody reads there, only a mail can tell.
    """
    address = address.strip().lower()
    # "=?" begins what a mail program decodes to something else (RFC 2047).
    plain = len(address) <= LONGEST and address.isprintable() and "=?" not in address
    if not plain or _ADDRESS.fullmatch(address) is None:
        raise ValidationFailed("email must be an address such as you@example.com.")
    return address
