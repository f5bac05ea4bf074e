"""Makes a release of the version that `flink_app.__version__` and CHANGELOG.md agree on.

In: this checkout, with everything committed. Out: dist/ with the archive of the sources and the
wheel, built from it, checked by twine, installed into an empty environment and tried there; and an
annotated tag, vVERSION. Nothing is uploaded: the last lines say how.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST = "tests/test_wheel.py"


def main() -> None:
    """Make the release; exit with a sentence if something is not as it should be."""
    sys.path.insert(0, str(ROOT))
    from flink_app import __version__ as version

    if reason := refusal((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version):
        sys.exit(f"error: {reason}")
    tag = f"v{version}"
    if _told("git", "status", "--porcelain"):
        sys.exit("error: there are changes that are not committed: commit or stash them.")
    if _told("git", "tag", "--list", tag):
        sys.exit(f"error: the tag {tag} is there already: a released version is never made again.")
    _run("make", "wheel")
    wheel = next((ROOT / "dist").glob(f"millirec-{version}-*.whl"))
    _run(sys.executable, "-m", "pytest", TEST, WHEEL=str(wheel))
    _run("git", "tag", "--annotate", tag, "--message", f"millirec {version}")
    print(
        f"dist/ has millirec {version}, and this commit the tag {tag}. To publish both:\n"
        f"  git push origin {tag}\n  {Path(sys.executable).parent}/twine upload dist/*"
    )


def refusal(changelog: str, version: str) -> str:
    r"""Why the changelog does not fit a release of this version, as a sentence; "" if it does.

    >>> refusal("## [Unreleased]\n\n## [0.2.0] - 2027-01-31\n\n### Added\n", "0.2.0")
    ''
    >>> refusal("## [Unreleased]\n- A thing.\n## [0.2.0] - 2027-01-31\n", "0.2.0")
    'CHANGELOG.md has lines under [Unreleased]: move them to the version that has them.'
    >>> refusal("## [Unreleased]\n\nWhat will be 0.2.0.\n", "0.2.0")
    'CHANGELOG.md has lines under [Unreleased]: move them to the version that has them.'
    >>> refusal("## [0.2.0] - 2027-01-31\n", "0.3.0")
    'the newest version in CHANGELOG.md is 0.2.0, and in flink_app/__init__.py 0.3.0: change one.'
    >>> refusal("## [0.2.0]\n", "0.2.0")
    'CHANGELOG.md has no version with a day, such as ## [0.2.0] - 2027-01-31: write one.'
    """
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if unreleased and unreleased[1].strip():
        return "CHANGELOG.md has lines under [Unreleased]: move them to the version that has them."
    newest = re.search(r"^## \[(\d\S*)\] - \d{4}-\d\d-\d\d$", changelog, re.M)
    if not newest:
        return "CHANGELOG.md has no version with a day, such as ## [0.2.0] - 2027-01-31: write one."
    if newest[1] != version:
        return (
            f"the newest version in CHANGELOG.md is {newest[1]}, and in flink_app/__init__.py "
            f"{version}: change one."
        )
    return ""


def _told(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _run(*command: str, **variables: str) -> None:
    if code := subprocess.run(command, cwd=ROOT, env=os.environ | variables).returncode:
        sys.exit(f"error: {' '.join(command)} ended with {code}; there is no tag.")


if __name__ == "__main__":
    main()
