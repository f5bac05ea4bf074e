"""What Prometheus sees of a job: the metrics, their collector, the alarm for falling quality."""
