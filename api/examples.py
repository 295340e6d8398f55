"""What answers look like: one example for each schema that has none of its own.

A model whose example is that of a request keeps it beside itself; the others are here, where those
of lists and of their items can be made of each other.
"""

from typing import Any

import msgspec

from fusillade.metrics.aggregate import Aggregate

_TEST_ID = "550e8400-e29b-41d4-a716-446655440000"
_USER_ID = "7d3c1f0a-3b5e-4f57-9d0e-0c5d3f4b2a10"
_OTHER_ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
_MOMENT = "2026-02-06T12:00:00.000Z"
_LATER = "2026-02-06T12:01:02.345Z"
_PAGE: dict[str, Any] = {"total": 1, "limit": 20, "next_cursor": None}
_SCRIPT = 'export default function() { http.get("https://api.example.com/health"); }'

_PROFILE = {
    "id": _USER_ID,
    "email": "you@example.com",
    "name": "You",
    "role": "owner",
    "organization": {"id": "0f4b8f6e-6a3d-4e0c-8f5a-2b9d1c7e3f11", "name": "Example"},
    "created_at": _MOMENT,
}
_KEY = {
    "id": _OTHER_ID,
    "name": "CI Agent",
    "prefix": "fusi_abc123",
    "scopes": ["test:create"],
    "user": {"id": _USER_ID, "name": "You", "email": "you@example.com"},
    "created_at": _MOMENT,
    "last_used_at": None,
    "expires_at": None,
}
_MEMBER = {
    "id": _USER_ID,
    "email": "you@example.com",
    "name": "You",
    "role": "owner",
    "created_at": _MOMENT,
}
_INVITE = {
    "id": _OTHER_ID,
    "email": "colleague@example.com",
    "role": "member",
    "created_at": _MOMENT,
    "expires_at": "2026-02-13T12:00:00.000Z",
}
_TEST = {
    "id": _TEST_ID,
    "name": "API Load Test",
    "status": "completed",
    "paused": False,
    "reason": None,
    "workers": 100,
    "duration_seconds": 60,
    "region": "eu-hel1",
    "target_urls": ["https://api.example.com"],
    "created_at": _MOMENT,
    "ready_at": "2026-02-06T12:00:01.000Z",
    "started_at": "2026-02-06T12:00:02.000Z",
    "finished_at": _LATER,
    "metrics": {
        "avg_latency_ms": 42.5,
        "med_latency_ms": 38.1,
        "p90_latency_ms": 71.3,
        "p95_latency_ms": 89.2,
        "p99_latency_ms": 140.7,
        "min_latency_ms": 3.2,
        "max_latency_ms": 311.9,
        "error_rate": 0.001,
        "rps": 1250.0,
        "total_requests": 75000,
    },
}
_NEW_TEST = _TEST | {
    "status": "provisioning",
    "ready_at": None,
    "started_at": None,
    "finished_at": None,
    "metrics": None,
}
_WARNING = {
    "message": "'fetch' is not defined.",
    "file": "script.js",
    "line": 2,
    "column": 3,
    "severity": "warning",
}
_TEMPLATE = {
    "id": _OTHER_ID,
    "name": "API Smoke Test",
    "description": "Quick smoke test for the main API",
    "workers": 10,
    "duration_seconds": 30,
    "region": "eu-hel1",
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}
_SCHEDULE = {
    "id": _OTHER_ID,
    "name": "Nightly API Test",
    "workers": 50,
    "duration_seconds": 60,
    "region": "eu-hel1",
    "cron_expression": "0 0 2 * * * *",
    "timezone": "UTC",
    "status": "active",
    "active": True,
    "next_runs": [f"2026-02-{day:02}T02:00:00.000Z" for day in range(7, 12)],
    "last_run_at": "2026-02-06T02:00:00.041Z",
    "last_test_id": _TEST_ID,
    "refusal": None,
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}
_FIRING: dict[str, Any] = {"test_id": None, "code": None, "message": None}
_FIRINGS = [
    _FIRING | {"fire_time": "2026-02-06T02:00:00.000Z", "status": "fired", "test_id": _TEST_ID},
    _FIRING
    | {
        "fire_time": "2026-02-05T02:00:00.000Z",
        "status": "missed",
        "message": "The scheduler came to it 3600 s late, and makes up for no more than 300 s.",
    },
]
_WEBHOOK = {
    "id": _OTHER_ID,
    "url": "https://your-server.com/webhook",
    "events": ["test.completed", "test.failed", "test.ready"],
    "active": True,
    "created_at": "2026-02-06T12:00:00Z",
}
_SHOWN_WEBHOOK = _WEBHOOK | {"failing_since": None, "disabled_reason": None}
_NEW_WEBHOOK = _WEBHOOK | {"secret": "whsec_..."}
_DELIVERY = {
    "id": "9a1f0c52-2f4b-4c6e-8a77-0b1d2e3f4a5b",
    "test_id": _TEST_ID,
    "event": "test.completed",
    "payload": {
        "event": "test.completed",
        "timestamp": "2026-02-06T12:00:00Z",
        "data": {
            "test_id": _TEST_ID,
            "name": "API Load Test",
            "status": "completed",
            "workers": 100,
            "duration_seconds": 60,
            "p95_latency_ms": 42,
            "error_rate": 0.001,
            "target_urls": ["https://api.example.com"],
            "threshold_results": None,
        },
    },
    "status": "delivered",
    "attempts": 1,
    "next_attempt_at": None,
    "last_attempt_at": _MOMENT,
    "response_status": 200,
    "duration_ms": 35,
    "response_body": "ok",
    "error": None,
    "created_at": _MOMENT,
}
_COMPARED = {
    "status": "completed",
    "workers": 100,
    "duration_seconds": 60,
    "region": "eu-hel1",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "PasswordChange": {"current_password": "...", "new_password": "another password"},
    "LoggedIn": {"token": "eyJ...", "user": _PROFILE},
    "ProfileChange": {"name": "Ada"},
    "Keys": {"keys": [_KEY]},
    "Members": {"members": [_MEMBER]},
    "Invite": _INVITE,
    "Invites": {"invites": [_INVITE]},
    "Invitation": {
        "email": "colleague@example.com",
        "role": "member",
        "organization": "Example",
        "invited_by": "You",
        "expires_at": "2026-02-13T12:00:00.000Z",
    },
    "Acceptance": {"name": "Colleague", "password": "correct horse battery staple"},
    "TestState": {"test_id": _TEST_ID, "status": "pending"},
    "ListedTests": {"tests": [_TEST], **_PAGE},
    "ShownTest": _NEW_TEST
    | {
        "options": {"workers": 100, "duration": "60s"},
        "warnings": [],
        "thresholds": [],
        "summary": None,
        "series": [],
    },
    "ComparedTests": {"tests": [_TEST]},
    "Comparison": {
        "baseline": {
            "name": "API Load Test v1.2",
            **_COMPARED,
            "avg_latency_ms": 42.5,
            "p95_latency_ms": 89.2,
            "error_rate": 0.001,
            "rps": 1250.0,
            "total_requests": 75000,
        },
        "current": {
            "name": "API Load Test v1.3",
            **_COMPARED,
            "avg_latency_ms": 48.1,
            "p95_latency_ms": 102.4,
            "error_rate": 0.002,
            "rps": 1180.0,
            "total_requests": 70800,
        },
        "delta": {
            "avg_latency_ms": 5.6,
            "p95_latency_ms": 13.2,
            "error_rate": 0.001,
            "rps": -70.0,
        },
        "regression": True,
        "regression_reasons": ["p95 latency increased 14.8%"],
    },
    "ValidScript": {
        "valid": True,
        "problems": [_WARNING],
        "options": {"workers": 10, "duration": "30s"},
        "exports": ["default"],
        "target_urls": ["https://api.example.com"],
    },
    "InvalidScriptFound": {
        "valid": False,
        "problems": [
            {
                "message": "options.workers must be a whole number from 1.",
                "file": "script.js",
                "line": 1,
                "column": 14,
            }
        ],
    },
    "Parts": {
        "status": "ok",
        "version": "1.0.0",
        "database": {"status": "ok", "latency_ms": 1.2},
        "ray": {"status": "ok", "latency_ms": 4.1, "nodes": 3, "actors": 5},
        "redis": {"status": "not used", "latency_ms": None},
        "scheduler": {"status": "ok", "latency_ms": 2.3, "next_firing": "2026-02-06T14:00:00.000Z"},
        "webhooks": {"status": "ok", "latency_ms": 2.1, "in_flight": 0},
    },
    "Alive": {"status": "ok", "version": "1.0.0"},
    "PausedTest": {"test_id": _TEST_ID, "status": "running", "paused": True},
    "ShownWorkers": {
        "workers": [
            {
                "index": 0,
                "node": "5f0c3a0b4f6d2e1a9c8b7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c",
                "region": "eu-hel1",
                "state": "running",
                "workers": 120,
                "active_workers": 100,
                "rps": 1250.0,
                "cpu_share": 0.62,
                "loop_lag_ms": 0.8,
                "overloaded": False,
                "last_heartbeat_at": _MOMENT,
            }
        ]
    },
    "ShownQueue": {
        "test_id": _TEST_ID,
        "status": "provisioning",
        "waiting": True,
        "position": 1,
        "waiting_for": "2 WorkerActors in eu-hel1",
        "region_full": False,
        "waiting_since": _MOMENT,
        "worker_actors_wanted": 2,
        "worker_actors_there": 0,
        "by_region": [
            {"region": "eu-hel1", "worker_actors_wanted": 2, "worker_actors_there": 0},
        ],
    },
    "Artifacts": {
        "artifacts": [
            {"name": "summary.html", "size_bytes": 4096, "content_type": "text/html; charset=utf-8"}
        ]
    },
    "Trends": {
        "metric": "p95",
        "period": "30d",
        "target_url": None,
        "total_runs": 1,
        "points": [
            {"test_id": _TEST_ID, "name": "API Load Test", "timestamp": _LATER, "value": 89.2}
        ],
        "daily": [{"date": "2026-02-06", "runs": 1, "avg": 89.2, "min": 89.2, "max": 89.2}],
    },
    "Sparklines": {
        "sparklines": [
            {"test_id": _TEST_ID, "rps": [1180.5, 1250.0], "p95_latency_ms": [92.4, 89.2]}
        ]
    },
    "SeriesSoFar": {
        "test_id": _TEST_ID,
        "status": "running",
        "series": [
            {
                "second": 0,
                "active_workers": 100,
                "rps": 1250.0,
                "avg_latency_ms": 42.5,
                "p50_latency_ms": 38.1,
                "p95_latency_ms": 89.2,
                "p99_latency_ms": 140.7,
                "error_rate": 0.0,
                "requests": 1250,
                "errors": 0,
                "iterations": 1250,
                "data_sent_bytes": 150000,
                "data_received_bytes": 1250000,
                "checks": {"passes": 1250, "fails": 0},
            }
        ],
    },
    "Files": {
        "test_id": _TEST_ID,
        "entry": "test.js",
        "env": ["BASE_URL"],
        "files": [
            {
                "path": "test.js",
                "size_bytes": len(_SCRIPT),
                "encoding": "utf-8",
                "content": _SCRIPT,
            }
        ],
    },
    "SummaryOfNow": {"test_id": _TEST_ID, "status": "provisioning", "summary": None},
    "Report": {
        "name": "API Load Test",
        "started_at": _MOMENT,
        "status": "passed",
        "reason": None,
        "scenarios": ["100 workers for 1m in eu-hel1"],
        "summary": msgspec.to_builtins(Aggregate().summary()),
        "series": [],
        "failures": [],
    },
    "FailedRequests": {
        "test_id": _TEST_ID,
        "status": "completed",
        "failures": [
            {
                "time": _MOMENT,
                "name": "POST https://api.example.com/orders",
                "scenario": "default",
                "group": "",
                "worker": 7,
                "error": None,
                "check": None,
                "request": {
                    "method": "POST",
                    "url": "https://api.example.com/orders",
                    "headers": [{"name": "Authorization", "value": "Bearer ***masked***"}],
                    "body": {"text": '{"item":1}', "size_bytes": 10, "whole": True},
                },
                "response": {
                    "status": 500,
                    "headers": [{"name": "Content-Type", "value": "application/json"}],
                    "body": {"text": '{"error":"no stock"}', "size_bytes": 20, "whole": True},
                },
                "timings_ms": {
                    "duration": 12.5,
                    "blocked": 0.1,
                    "connecting": 0.0,
                    "tls_handshaking": 0.0,
                    "sending": 0.1,
                    "waiting": 12.3,
                    "receiving": 0.1,
                },
            }
        ],
    },
    "LogLines": {"test_id": _TEST_ID, "status": "running", "lines": ["log: hello"]},
    "ShownTemplate": _TEMPLATE | {"script_content": _SCRIPT},
    "Templates": {"templates": [_TEMPLATE], **_PAGE},
    "ShownSchedule": _SCHEDULE | {"script_content": _SCRIPT, "firings": _FIRINGS},
    "Schedules": {"schedules": [_SCHEDULE], **_PAGE},
    "ShownWebhook": _SHOWN_WEBHOOK,
    "WebhookWithSecret": _NEW_WEBHOOK,
    "RotatedWebhook": _NEW_WEBHOOK | {"previous_secret_until": "2026-02-07T12:00:00Z"},
    "Webhooks": {"webhooks": [_SHOWN_WEBHOOK], **_PAGE},
    "Delivery": _DELIVERY,
    "Deliveries": {"deliveries": [_DELIVERY], **_PAGE},
}
"""By the name of the schema."""


def add(schemas: dict[str, Any]) -> None:
    """Put them into the schemas of those names, where there is no example yet."""
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name].setdefault("examples", [example])
