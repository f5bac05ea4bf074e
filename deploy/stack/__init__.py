"""A real Kafka, Redis and Flink on this machine, bound to loopback, for trials and tests."""

from deploy.stack.settings import Ports, Settings
from deploy.stack.stack import COMPONENTS, EXTRAS, Stack, Status

__all__ = ["COMPONENTS", "EXTRAS", "Ports", "Settings", "Stack", "Status"]
