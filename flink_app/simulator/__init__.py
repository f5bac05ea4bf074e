"""Simulated platforms with a known truth: events for demos, tests and benchmarks.

`simulate(ShopSettings(), FileWriter(path), events=1000)` writes a file of JSON lines; `Shop` knows
the truth behind such events; `zipf_events` generates the benchmark's workload.
"""

from flink_app.simulator.generator import play, simulate
from flink_app.simulator.shop.settings import ShopSettings
from flink_app.simulator.shop.shop import Shop
from flink_app.simulator.zipf import zipf_events

__all__ = ["Shop", "ShopSettings", "play", "simulate", "zipf_events"]
