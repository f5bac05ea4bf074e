"""Known vulnerabilities of the installed packages, by pip-audit; what it cannot ask is no failure.

In: this environment; ids of advisories to pass over, as arguments. Out: a line for each finding and
a count, exit code 1 if there are findings. Offline it says that nothing was audited, exit code 0.
"""

from __future__ import annotations

import json
import subprocess
import sys

COMMAND = [
    sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off",
    "--skip-editable", "--timeout", "10",
]  # fmt: skip
CERTAIN = 0, 1
"""Exit codes with which pip-audit writes its report: without findings, with some."""


def report(found: str, passed_over: list[str]) -> tuple[list[str], int]:
    """The lines to print, and how many findings there are.

    Args:
        found: pip-audit's JSON; "" if it has failed.

    >>> package = {"name": "x", "version": "1", "vulns": [{"id": "A-1", "fix_versions": ["2"]}]}
    >>> other = {"name": "y", "skip_reason": "not found"}
    >>> report(json.dumps({"dependencies": [package, other]}), [])
    (['x 1: A-1, mended in 2', '1 of 2 packages audited, 1 finding'], 1)
    >>> report(json.dumps({"dependencies": [package, other]}), ["A-1"])
    (['1 of 2 packages audited, 0 findings'], 0)
    >>> report("", [])
    (['not audited: no answer about vulnerabilities, as without a network'], 0)
    """
    packages = json.loads(found)["dependencies"] if found.startswith("{") else []
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        return ["not audited: no answer about vulnerabilities, as without a network"], 0
    lines = [
        f"{package['name']} {package['version']}: {each['id']}, "
        + (f"mended in {', '.join(each['fix_versions'])}" if each["fix_versions"] else "no mend")
        for package in audited
        for each in package["vulns"]
        if not {each["id"], *each.get("aliases", ())} & set(passed_over)
    ]
    plural = "" if len(lines) == 1 else "s"
    counted = f"{len(audited)} of {len(packages)} packages audited, {len(lines)} finding{plural}"
    return [*lines, counted], len(lines)


def main() -> None:
    """Ask, print, exit."""
    done = subprocess.run(COMMAND, capture_output=True, text=True)
    lines, findings = report(done.stdout if done.returncode in CERTAIN else "", sys.argv[1:])
    print("\n".join(lines))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
