"""One exception class for each error code that the REST API documents.

Domain code raises these; the API maps them to ``{"error", "code"}`` in one place. The message is
for people: it says what was wrong, where, and what would be right.
"""

from typing import ClassVar


class FusilladeError(Exception):
    """Base of all errors that a user may see. ``code`` and ``http_status`` are the contract's."""

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InternalError(FusilladeError):
    """The server failed; the request may be repeated."""


class InvalidAuth(FusilladeError):
    """Missing, wrong or expired token, API key or password."""

    code = "invalid_auth"
    http_status = 401


class InsufficientScope(FusilladeError):
    """The API key's scope does not cover the operation."""

    code = "insufficient_scope"
    http_status = 403


class Forbidden(FusilladeError):
    """The action is not permitted to this user."""

    code = "forbidden"
    http_status = 403


class NotFound(FusilladeError):
    """The resource does not exist or belongs to another organisation."""

    code = "not_found"
    http_status = 404


class ValidationFailed(FusilladeError):
    """Missing fields or values of the wrong form."""

    code = "validation_error"
    http_status = 400


class Conflict(FusilladeError):
    """The resource exists already."""

    code = "conflict"
    http_status = 409


class QuotaExceeded(FusilladeError):
    """The month's minutes are used up."""

    code = "quota_exceeded"
    http_status = 403


class WorkerLimitExceeded(FusilladeError):
    """More workers than the plan allows."""

    code = "worker_limit_exceeded"
    http_status = 403


class DurationLimitExceeded(FusilladeError):
    """A longer test than the plan allows."""

    code = "duration_limit_exceeded"
    http_status = 403


class RegionRestricted(FusilladeError):
    """The plan does not include the region, or there is no such region."""

    code = "region_restricted"
    http_status = 403


class DomainBlocked(FusilladeError):
    """The script's target is on the blocklist."""

    code = "domain_blocked"
    http_status = 403


class InvalidScript(FusilladeError):
    """The script cannot be parsed, or would fail in a way that is known beforehand."""

    code = "invalid_script"
    http_status = 400


class InvalidState(FusilladeError):
    """The resource's state does not allow this transition."""

    code = "invalid_state"
    http_status = 400


class ScriptTooLarge(FusilladeError):
    """The script or an asset is over the size limit."""

    code = "script_too_large"
    http_status = 400


class LimitExceeded(FusilladeError):
    """The organisation has as many of these as its plan allows."""

    code = "limit_exceeded"
    http_status = 403


class IdempotencyError(FusilladeError):
    """The Idempotency-Key header is empty, too long or malformed."""

    code = "idempotency_error"
    http_status = 400


class RateLimited(FusilladeError):
    """Too many requests."""

    code = "rate_limited"
    http_status = 429
