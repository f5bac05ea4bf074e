"""The errors millirec raises on purpose: each message says what is wrong, where, and what to do.

```
MillirecError
├── ConfigError    an option is unknown, has a wrong type or is out of range
├── SourceError    an input that cannot be read: a missing file, an unknown preset, a bad mapping
└── ServiceError   something outside does not answer or does not fit: Redis, Kafka, Flink, Java
```
"""


class MillirecError(Exception):
    """The base of all errors here: the command line prints its message without a traceback."""


class ConfigError(MillirecError):
    """An option is unknown, has a wrong type or is out of range."""


class SourceError(MillirecError):
    """An input cannot be read as configured."""


class ServiceError(MillirecError):
    """Redis, Kafka, Flink or Java does not answer or does not fit."""
