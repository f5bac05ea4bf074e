"""millirec's graph and its edges: configuration, sources, micro-batches, sinks, command line."""

__version__ = "0.1.0"
