"""The signature that every delivery carries, by which a receiver knows that it comes from here."""

import hashlib
import hmac
import secrets

HEADER = "X-Fusillade-Signature"
SECRET_PREFIX = "whsec_"


def new_secret() -> str:
    """A secret for one webhook: 256 random bits. All of it, prefix included, is the HMAC's key."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def sign(body: str, secret: str, timestamp: int, *more: str) -> str:
    """The header's value, ``t=<timestamp>,v1=<signature>``.

    The signature is the HMAC-SHA256 of ``timestamp.body``, in hexadecimal; ``timestamp`` is the
    Unix time of the sending in whole seconds, so that a receiver can refuse what is old. ``more``
    secrets add a ``v1`` each.
    """
    payload = f"{timestamp}.{body}".encode()
    computed = (
        hmac.new(one.encode(), payload, hashlib.sha256).hexdigest() for one in (secret, *more)
    )
    return ",".join([f"t={timestamp}", *(f"v1={signature}" for signature in computed)])
