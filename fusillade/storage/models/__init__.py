"""The tables. All times are UTC; all rows of an organisation carry its id."""

from fusillade.storage.models.accounts import (
    ApiKey,
    IdempotencyKey,
    Invitation,
    Organisation,
    RevokedToken,
    Usage,
    User,
)
from fusillade.storage.models.base import Base
from fusillade.storage.models.kept_tests import Schedule, ScheduleFiring, Template
from fusillade.storage.models.tests import Test, TestArtifact, TestFailures, TestFile, TestSeries
from fusillade.storage.models.webhooks import Webhook, WebhookDelivery

__all__ = [
    "ApiKey",
    "Base",
    "IdempotencyKey",
    "Invitation",
    "Organisation",
    "RevokedToken",
    "Schedule",
    "ScheduleFiring",
    "Template",
    "Test",
    "TestArtifact",
    "TestFailures",
    "TestFile",
    "TestSeries",
    "Usage",
    "User",
    "Webhook",
    "WebhookDelivery",
]
