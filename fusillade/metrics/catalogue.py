"""All metrics that a platform shows to whoever collects them, such as Prometheus."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One metric; its values are told apart by its tags."""

    name: str
    """Ray puts ``ray_`` before it."""
    description: str
    tags: tuple[str, ...] = ()


# All are gauges, also of what only grows. Ray keeps the values of counters and histograms for as
# long as the node is there, and so those of each test that ever ran; a gauge that nobody sets any
# more is gone after two of its intervals. Nor can a counter of Ray's begin at 0, so that the first
# failure of all would be no increase; and its histograms take a call for each value.

RUN_INFO = Metric("fusillade_run_info", "1 for each test that is running.", ("test", "name"))
RUN_REQUESTS = Metric("fusillade_run_requests", "Requests of a run so far.", ("test", "region"))
RUN_FAILED_REQUESTS = Metric(
    "fusillade_run_failed_requests",
    "Requests of a run so far that failed: no answer, or a status of 400 and above.",
    ("test", "region"),
)
RUN_LATENCY = Metric(
    "fusillade_run_latency_seconds",
    "Quantiles of the latency over the last 10 s.",
    ("test", "region", "quantile"),
)
RUN_ACTIVE_WORKERS = Metric(
    "fusillade_run_active_workers",
    "Virtual users in the middle of an iteration.",
    ("test", "region"),
)
RUN_WORKER_ACTORS = Metric(
    "fusillade_run_worker_actors",
    "WorkerActors over which the load of a run is spread.",
    ("test",),
)
RUN_SATURATED_WORKER_ACTORS = Metric(
    "fusillade_run_saturated_worker_actors",
    "WorkerActors that could not keep up for 3 s in a row, of the last 10 s.",
    ("test",),
)
RUN_CROSSED_THRESHOLDS = Metric(
    "fusillade_run_crossed_thresholds", "Thresholds that do not hold now.", ("test",)
)
SCENARIO_REQUESTS = Metric(
    "fusillade_scenario_requests",
    "Requests of a scenario so far.",
    ("test", "scenario"),
)
SCENARIO_FAILED_REQUESTS = Metric(
    "fusillade_scenario_failed_requests",
    "Requests of a scenario so far that failed.",
    ("test", "scenario"),
)
SCENARIO_LATENCY = Metric(
    "fusillade_scenario_latency_seconds",
    "Quantiles of the latency over the last 10 s.",
    ("test", "scenario", "quantile"),
)
SCENARIO_ACTIVE_WORKERS = Metric(
    "fusillade_scenario_active_workers",
    "Virtual users in the middle of an iteration.",
    ("test", "scenario"),
)
SCENARIO_ITERATIONS = Metric(
    "fusillade_scenario_iterations",
    "Iterations of a scenario that have ended so far.",
    ("test", "scenario"),
)
SCENARIO_DROPPED_ITERATIONS = Metric(
    "fusillade_scenario_dropped_iterations",
    "Iterations of a scenario that were due so far when no worker was free.",
    ("test", "scenario"),
)

TESTS = Metric("fusillade_tests", "Tests that have not ended, by their status.", ("status",))
TESTS_ENDED = Metric(
    "fusillade_tests_ended",
    "Tests that have ended since the SchedulerActor started, by their status.",
    ("status",),
)
SCHEDULES_DUE = Metric(
    "fusillade_schedules_due",
    "Schedules that are due, and firings that are not done with.",
)
SCHEDULER_LAG = Metric(
    "fusillade_scheduler_lag_seconds",
    "How long the oldest of what is due has been due.",
)
FIRINGS = Metric(
    "fusillade_schedule_firings",
    "Instants of schedules since the SchedulerActor started, by what became of them.",
    ("outcome",),
)
WEBHOOK_BACKLOG = Metric(
    "fusillade_webhook_backlog", "Webhook messages that have neither arrived nor failed."
)
WEBHOOK_OLDEST = Metric(
    "fusillade_webhook_oldest_waiting_seconds",
    "How long the oldest message has been due that nobody has tried to send.",
)
WEBHOOK_ATTEMPTS = Metric(
    "fusillade_webhook_attempts",
    "Attempts to deliver a message since the WebhookDispatcher started, by what came of them.",
    ("outcome",),
)

CATALOGUE = tuple(value for value in globals().values() if isinstance(value, Metric))
