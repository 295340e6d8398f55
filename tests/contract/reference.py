"""Every row of every table and every example of the REST API reference, and how its tests are named.

A row is covered by the tests of this directory whose name goes on from ``test_`` with the row's
``slug``; of several slugs that fit, the longest counts. ``also`` names tests elsewhere.
"""

from dataclasses import dataclass

_E2E = "tests/e2e/test_reference_examples.py"
_LIVE = "tests/e2e/test_live.py"


@dataclass(frozen=True)
class Row:
    """One row or example."""

    section: str
    text: str
    slug: str
    also: tuple[str, ...] = ()


def _rows(section: str, *rows: tuple[str, ...]) -> list[Row]:
    return [Row(section, text, slug, also) for text, slug, *also in rows]  # type: ignore[arg-type]


def _endpoints(
    section: str, *paths: str, also: dict[str, tuple[str, ...]] | None = None
) -> list[Row]:
    """Rows such as ``GET /api/v1/tests/:id``, with the slug ``get_tests_id``."""
    return [Row(section, path, _slug(path), (also or {}).get(path, ())) for path in paths]


def _slug(endpoint: str) -> str:
    words = endpoint.lower().replace("/api/v1", "").replace(":", "").replace("-", "_")
    return words.replace(" /", "_").replace("/", "_")


ROWS: list[Row] = [
    *_rows(
        "Head",
        ("Content-Type: application/json", "content_type"),
        (
            "Rate limits: 100 req/10s per IP, 10 req/60s on auth",
            "rate_limits",
            "tests/e2e/test_rate_limits.py::test_replicas_behind_haproxy_share_the_count_of_each_client",
        ),
    ),
    *_rows(
        "Authentication",
        ("Example: login", "example_login"),
        (
            "Example: pass the token",
            "example_pass_the_token",
            f"{_E2E}::test_the_token_is_passed_in_subsequent_requests",
        ),
        ("Example: create API key", "example_create_api_key", f"{_E2E}::test_create_api_key"),
        ("Scope full", "scope_full"),
        ("Scope test:create", "scope_test_create"),
        ("Scope test:read", "scope_test_read"),
        ("Scope read", "scope_read"),
        ("Scopes are hierarchical", "scopes_are_hierarchical"),
    ),
    *_rows(
        "Error codes",
        ("Example: error response format", "example_error_response_format"),
        *(
            (code, code)
            for code in (
                "invalid_auth",
                "insufficient_scope",
                "forbidden",
                "not_found",
                "validation_error",
                "conflict",
                "quota_exceeded",
                "worker_limit_exceeded",
                "duration_limit_exceeded",
                "region_restricted",
                "domain_blocked",
                "invalid_script",
                "invalid_state",
                "script_too_large",
            )
        ),
        (
            "limit_exceeded",
            "limit_exceeded",
            "tests/api/test_plans.py::test_templates_and_schedules_are_limited_by_the_plan",
        ),
        ("idempotency_error", "maximum_256_characters_or_idempotency_error"),
        ("rate_limited", "rate_limited"),
        ("internal_error", "internal_error"),
    ),
    *_rows(
        "Idempotency",
        ("Example: idempotent request", "example_idempotent_request"),
        ("On creation of tests, webhooks and templates", "supported_on"),
        (
            "Keys are scoped to the organisation and expire after 24 hours",
            "idempotency_keys",
            "tests/api/test_idempotency.py::test_keys_belong_to_an_organisation",
            "tests/api/test_idempotency.py::test_the_same_key_gets_the_first_answer_for_a_day",
        ),
        ("Maximum 256 characters", "maximum_256_characters_or_idempotency_error"),
    ),
    *_endpoints(
        "Tests",
        "POST /api/v1/tests",
        also={"POST /api/v1/tests": ("tests/contract/test_tests.py::test_example_create_test",)},
    ),
    *_rows(
        "Tests",
        ("Fields name, script, workers, duration: required", "field_is_required"),
        ("Fields workers, duration: integers", "field_is_an_integer"),
        ("Field region: default eu-hel1", "field_region"),
        ("Example: create test", "example_create_test", f"{_E2E}::test_create_test"),
        (
            "Example: wait for provisioning",
            "example_wait_for_ready",
            f"{_E2E}::test_wait_for_provisioning",
        ),
        (
            "Example: wait for full completion",
            "example_wait_for_full_completion",
            f"{_E2E}::test_wait_for_full_completion",
        ),
        ("Timeouts of 5 and 30 min; the test is not cancelled", "wait_timeout"),
    ),
    *_endpoints(
        "Tests",
        "GET /api/v1/tests",
        "GET /api/v1/tests/:id",
        "POST /api/v1/tests/:id/start",
        "POST /api/v1/tests/:id/stop",
        "POST /api/v1/tests/:id/pause",
        "POST /api/v1/tests/:id/resume",
        "DELETE /api/v1/tests/:id",
    ),
    *_rows(
        "Tests",
        (
            "Test status flow",
            "status_flow",
            "tests/e2e/test_api.py::test_states_change_only_as_documented",
        ),
        (
            "GET /api/v1/tests/:id/compare/:baseline_id",
            "example_compare_against_baseline",
        ),
        ("Example: compare against baseline", "example_compare_against_baseline"),
        ("Regression detection rules", "regression_detection_rules"),
        (
            "Example: GitHub Actions snippet",
            "example_github_actions",
            f"{_E2E}::test_the_ci_script_gates_on_the_comparison_with_a_baseline",
        ),
    ),
    *_rows(
        "Webhooks",
        ("Events: each of the six", "event"),
    ),
    *_endpoints(
        "Webhooks",
        "POST /api/v1/webhooks",
        "GET /api/v1/webhooks",
        "PATCH /api/v1/webhooks/:id",
        "DELETE /api/v1/webhooks/:id",
        "GET /api/v1/webhooks/:id/deliveries",
        "POST /api/v1/webhooks/:id/test",
    ),
    *_rows(
        "Webhooks",
        ("Example: create webhook", "example_create_webhook"),
        ("Example: webhook delivery", "example_webhook_delivery"),
        (
            "Example: verify signature (Node.js)",
            "example_verify_signature",
            "tests/fusillade/webhooks/test_signature.py"
            "::test_the_references_program_accepts_our_signature_and_no_other",
        ),
        ("Security: HTTPS, no private addresses", "security_webhook_urls"),
    ),
    *_endpoints(
        "Templates",
        "POST /api/v1/templates",
        "GET /api/v1/templates",
        "GET /api/v1/templates/:id",
        "PATCH /api/v1/templates/:id",
        "DELETE /api/v1/templates/:id",
        "POST /api/v1/templates/:id/run",
    ),
    *_rows(
        "Templates",
        ("Example: create template", "example_create_template"),
        (
            "Example: run template with overrides",
            "example_run_template",
            "tests/e2e/test_kept_tests.py::test_a_template_is_run_and_a_schedule_triggered",
        ),
    ),
    *_endpoints(
        "Schedules",
        "POST /api/v1/schedules",
        "GET /api/v1/schedules",
        "GET /api/v1/schedules/:id",
        "PATCH /api/v1/schedules/:id",
        "DELETE /api/v1/schedules/:id",
        "POST /api/v1/schedules/:id/pause",
        "POST /api/v1/schedules/:id/resume",
        "POST /api/v1/schedules/:id/trigger",
    ),
    *_rows(
        "Schedules",
        ("Example: create schedule", "example_create_schedule"),
        ("Example: cron format", "example_cron_format"),
    ),
    *_endpoints("Analytics", "GET /api/v1/analytics/trends", "GET /api/v1/analytics/compare"),
    *_rows(
        "Analytics",
        ("Param metric", "param_metric"),
        ("Param period", "param_period"),
        ("Param target_url", "param_target_url"),
        ("Example: get trends", "example_get_trends"),
    ),
    *_endpoints(
        "Other endpoints",
        "GET /api/v1/me",
        "PATCH /api/v1/me",
        "POST /api/v1/auth/change-password",
        "POST /api/v1/auth/logout",
        "GET /api/v1/quota",
        "GET /api/v1/regions",
        "GET /api/v1/keys",
        "POST /api/v1/keys",
        "DELETE /api/v1/keys/:id",
        "GET /api/v1/team",
        "POST /api/v1/team/invite",
        "GET /api/v1/team/invites",
        "DELETE /api/v1/team/invites/:id",
        "POST /api/v1/team/invites/:id/resend",
        "DELETE /api/v1/team/:user_id",
        "POST /api/v1/tests/validate",
        "GET /api/v1/tests/:id/workers",
        "GET /api/v1/tests/:id/queue",
        "GET /ws/runs/:test_id",
        "GET /health",
        "GET /health/deep",
        also={
            "GET /ws/runs/:test_id": (
                f"{_LIVE}::test_a_listener_from_the_start_is_told_everything",
            ),
            "GET /health": ("tests/e2e/test_api.py::test_health_needs_no_token",),
            "GET /health/deep": (
                "tests/api/test_health.py::test_anybody_may_ask_whether_all_is_well",
                "tests/api/test_health.py::test_without_ray_it_is_503_and_says_so",
                "tests/api/test_health.py::test_without_a_database_it_is_503_and_says_so",
            ),
        },
    ),
    *_rows(
        "Live metrics",
        (
            "Example: connect (browser)",
            "example_connect_browser",
            f"{_LIVE}::test_the_references_program_for_browsers_gets_every_type_of_message",
        ),
        (
            "Example: connect (CLI): ?token=",
            "example_connect_cli",
            f"{_LIVE}::test_who_comes_late_gets_the_present_state_first",
        ),
        (
            "Message types metric, status, summary",
            "message_types",
            f"{_LIVE}::test_a_listener_from_the_start_is_told_everything",
        ),
    ),
    *_endpoints(
        "Beside the reference",
        "GET /api/v1/invites/:token",
        "POST /api/v1/invites/:token/accept",
        "GET /api/v1/tests/:id/series",
        "GET /api/v1/tests/:id/summary",
        "GET /api/v1/tests/:id/log",
        "GET /api/v1/tests/:id/files",
        "GET /api/v1/tests/:id/report",
        "GET /api/v1/tests/:id/failures",
        "GET /api/v1/analytics/sparklines",
    ),
]
