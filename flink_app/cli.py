"""The command line `millirec`; `commands` holds the commands and their parameters.

In: arguments and the environment. Out: text, and an exit code (see `flink_app.console.failures`).
Each command imports the modules that it needs, so that a lookup answers at once.
"""

from __future__ import annotations

import os
import sys

from cyclopts import CycloptsError

# Each adds its commands to `app`.
from flink_app.commands import data, jobs, lookup, monitoring, serving  # noqa: F401
from flink_app.commands.app import app
from flink_app.console.failures import FAILED, FINISHED, STOPPED, USAGE, exit_code
from udfs.errors import MillirecError

__all__ = ["app", "main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; mistakes are sentences on standard error."""
    sys.exit(_code(arguments))


def _code(arguments: list[str] | None) -> int:
    try:
        result = app(arguments, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError:
        return USAGE  # cyclopts has printed what is wrong
    except MillirecError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:  # `millirec config | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return result if isinstance(result, int) else FINISHED
