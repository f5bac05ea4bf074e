"""What Flink itself calls the counters of the job's operators, where its own reporter is used.

In: nothing. Out: the names, for the table in docs/monitoring.md and for the dashboards.
"""

from __future__ import annotations

_OPERATOR = "flink_taskmanager_job_task_operator_"
FLINK = {
    f"{_OPERATOR}received": ("parse", "events read"),
    f"{_OPERATOR}reason_dead_letters": ("parse", "rejected lines, by `reason`"),
    f"{_OPERATOR}learned": ("user learner", "events learned"),
    f"{_OPERATOR}duplicates": ("user learner", "events dropped"),
    f"{_OPERATOR}lists": ("user learner", "lists written"),
    f"{_OPERATOR}batches": ("user learner", "pieces learned"),
    f"{_OPERATOR}fresh_events": ("user learner", "events whose list was written"),
    f"{_OPERATOR}freshness_ms_sum": ("user learner", "milliseconds from each of them to its list"),
    f"{_OPERATOR}quality_served_tests": (
        "user learner",
        "tests; the same for `quality_popular_…` and other measures",
    ),
    f"{_OPERATOR}updates": ("item learner", "updates of items"),
    f"{_OPERATOR}published": ("item learner", "rows of the item feed"),
    f"{_OPERATOR}encoded": ("encoder", "vectors of texts and images"),
    f"{_OPERATOR}pendingRecords": ("source", "events waiting in Kafka"),
    "flink_jobmanager_job_numRestarts": ("", "restarts of the job"),
    "flink_jobmanager_job_numberOfFailedCheckpoints": ("", "checkpoints that failed"),
    "flink_jobmanager_job_lastCheckpointDuration": ("", "duration of the last one, ms"),
}
"""Flink's names for the counters of the operators, and some of its own: → (operator, what)."""
FLINK_LABELS = ("job_name", "operator_name", "subtask_index", "host")
"""Some of the labels that Flink gives them; a job's own metrics lack the middle two."""
