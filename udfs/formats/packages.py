"""Which packages Avro and Protobuf need.

In: the format that an option names. Out: nothing, or a ConfigError that says what to install.
"""

from __future__ import annotations

from importlib.util import find_spec

from udfs.errors import ConfigError

_NEEDED = {"avro": ("fastavro",), "protobuf": ("google.protobuf", "grpc_tools")}


def require_packages(option: str, value_format: str) -> None:
    """Raise ConfigError unless what reads and writes a format is installed.

    Args:
        option: that names the format, for the sentence.
    """
    for package in _NEEDED[value_format]:
        if not _installed(package):
            raise ConfigError(
                f'{option} is "{value_format}", but the package {package} is not installed: pip '
                "install 'millirec[formats]', on every machine that runs a part of the job."
            )


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False
