"""Known faults in what we depend on: `python3 -m scripts.audit`, a part of `make lint`.

The indexes of Python and npm are asked about every version that the locks pin. A known fault ends
with 1. An index that does not answer such questions (a mirror, a machine without a way out) is named
and ends with 0: a build cannot wait for it, and what was not asked must not pass for clean.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, NamedTuple

from scripts import prepare

# Known faults that do not concern us: its id, and why. One that is no longer found fails.
EXEMPT: dict[str, str] = {}
SECONDS = 90
NOT_ASKED = "not asked: the index did not answer"


class Verdict(NamedTuple):
    """`asked`: about how many packages the index knew anything; `faults`: id → package and what mends it."""

    asked: int
    of: int
    faults: dict[str, str]


def of_python(report: dict[str, Any] | None) -> Verdict:
    """What pip-audit's JSON says. A package that it had to leave out was not asked about."""
    rows = (report or {}).get("dependencies", [])
    known = [row for row in rows if "skip_reason" not in row]
    faults = {
        fault["id"]: f"{row['name']} {row['version']}, mended in {fault['fix_versions'] or 'none'}"
        for row in known
        for fault in row.get("vulns", ())
    }
    return Verdict(len(known), len(rows), faults)


def of_npm(report: dict[str, Any] | None) -> Verdict:
    """What npm's JSON says; one without its own version says that the index failed."""
    if not report or "auditReportVersion" not in report:
        return Verdict(0, 0, {})
    faults = {
        str(via["url"]).rpartition("/")[2]: f"{name} {row['range']}: {via['title']}"
        for name, row in report["vulnerabilities"].items()
        for via in row["via"]
        if isinstance(via, dict)
    }
    count = report["metadata"]["dependencies"]["total"]
    return Verdict(count, count, faults)


def told(name: str, verdict: Verdict) -> str:
    """One line for a person."""
    if not verdict.asked:
        return f"{name}: {NOT_ASKED}"
    left_out = verdict.of - verdict.asked
    more = f" ({left_out} more {NOT_ASKED})" if left_out else ""
    return f"{name}: {verdict.asked} packages asked about, {len(verdict.faults)} known faults{more}"


def wrong(verdicts: list[Verdict], exempt: dict[str, str]) -> list[str]:
    """What fails the build: faults without an exemption, and exemptions that nothing needs. These
    only once all indexes were asked."""
    faults = {key: text for verdict in verdicts for key, text in verdict.faults.items()}
    found = [f"{key}: {text}" for key, text in sorted(faults.items()) if key not in exempt]
    if all(v.asked and v.asked == v.of for v in verdicts):
        found += [f"{key} is exempt and no longer found" for key in exempt if key not in faults]
    return found


def ask(command: list[str]) -> dict[str, Any] | None:
    """The program's JSON, whatever it ended with; None when it gave none in time."""
    try:
        done = subprocess.run(
            command, cwd=prepare.ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, OSError, json.JSONDecodeError):
        return None


def main() -> int:
    locks = [str(prepare.ROOT / "requirements" / f"{name}.lock") for name in ("base", "dev")]
    files = [part for lock in locks for part in ("-r", lock)]
    pip_audit = str(prepare.VENV / "bin" / "pip-audit")
    plain = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "10"]
    verdicts = {
        "Python": of_python(ask([pip_audit, *files, *plain, "--format", "json"])),
        "npm": of_npm(ask(["npm", "audit", "--json"])),
    }
    for name, verdict in verdicts.items():
        print(told(name, verdict))
    faults = wrong(list(verdicts.values()), EXEMPT)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
