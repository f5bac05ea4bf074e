"""Lists known vulnerabilities of the installed packages, with pip-audit; being offline is no error.

In: this environment; ids of advisories to ignore, as arguments. Out: a line for each finding and a
count, exit code 1 if there are findings. Offline it reports that nothing was audited, exit code 0.
"""

from __future__ import annotations

import json
import subprocess
import sys

OPTIONS = "--format json --progress-spinner off --skip-editable --timeout 10"
COMMAND = [sys.executable, "-m", "pip_audit", *OPTIONS.split()]
REPORTED = 0, 1
"""Exit codes with which pip-audit writes a report: without findings, with findings."""


def report(found: str, ignored: list[str]) -> tuple[list[str], int]:
    """The lines to print, and the number of findings.

    Args:
        found: pip-audit's JSON; "" if it failed. ignored: ids of advisories.

    >>> package = {"name": "x", "version": "1", "vulns": [{"id": "A-1", "fix_versions": ["2"]}]}
    >>> other = {"name": "y", "skip_reason": "not found"}
    >>> report(json.dumps({"dependencies": [package, other]}), [])
    (['x 1: A-1, fixed in 2', '1 of 2 packages audited, 1 finding'], 1)
    >>> report(json.dumps({"dependencies": [package, other]}), ["A-1"])
    (['1 of 2 packages audited, 0 findings'], 0)
    >>> report("", [])
    (['not audited: no answer from the vulnerability service (is there a network?)'], 0)
    """
    packages = json.loads(found)["dependencies"] if found.startswith("{") else []
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        return ["not audited: no answer from the vulnerability service (is there a network?)"], 0
    lines = [
        f"{package['name']} {package['version']}: {each['id']}, "
        + (f"fixed in {', '.join(each['fix_versions'])}" if each["fix_versions"] else "no fix")
        for package in audited
        for each in package["vulns"]
        if not {each["id"], *each.get("aliases", ())} & set(ignored)
    ]
    plural = "" if len(lines) == 1 else "s"
    counted = f"{len(audited)} of {len(packages)} packages audited, {len(lines)} finding{plural}"
    return [*lines, counted], len(lines)


def main() -> None:
    """Run pip-audit, print the report, exit."""
    done = subprocess.run(COMMAND, capture_output=True, text=True)
    lines, findings = report(done.stdout if done.returncode in REPORTED else "", sys.argv[1:])
    print("\n".join(lines))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
