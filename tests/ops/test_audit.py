"""A known fault fails the build; an index that did not answer is named, and does not."""

from __future__ import annotations

from scripts import audit

KNOWN = {"name": "django", "version": "5.2.0"}
LEFT_OUT = {"name": "amqp", "skip_reason": "Dependency not found"}
FAULT = {"id": "PYSEC-1", "fix_versions": ["5.2.1"]}
NPM = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "esbuild": {
            "range": "<=0.24",
            "via": ["other", {"url": "https://a.example/GHSA-x", "title": "reads answers"}],
        }
    },
    "metadata": {"dependencies": {"total": 40}},
}


def test_a_known_fault_fails_and_names_what_mends_it():
    verdict = audit.of_python({"dependencies": [{**KNOWN, "vulns": [FAULT]}]})
    assert audit.wrong([verdict], {}) == ["PYSEC-1: django 5.2.0, mended in ['5.2.1']"]
    assert audit.wrong([audit.of_npm(NPM)], {}) == ["GHSA-x: esbuild <=0.24: reads answers"]


def test_what_was_not_asked_does_not_pass_for_clean():
    for verdict in (
        audit.of_python(None),
        audit.of_python({"dependencies": [LEFT_OUT]}),
        audit.of_npm(None),
        audit.of_npm({"statusCode": 405, "message": "Method Not Allowed"}),
    ):
        assert audit.told("x", verdict) == "x: not asked: the index did not answer"
        assert audit.wrong([verdict], {}) == []
    partly = audit.of_python({"dependencies": [{**KNOWN, "vulns": []}, LEFT_OUT]})
    assert audit.told("x", partly) == (
        "x: 1 packages asked about, 0 known faults (1 more not asked: the index did not answer)"
    )


def test_an_exemption_lasts_as_long_as_its_fault():
    found = audit.of_python({"dependencies": [{**KNOWN, "vulns": [FAULT]}]})
    clean = audit.of_python({"dependencies": [{**KNOWN, "vulns": []}]})
    exempt = {"PYSEC-1": "we do not use it"}
    assert audit.wrong([found], exempt) == []
    assert audit.wrong([clean], exempt) == ["PYSEC-1 is exempt and no longer found"]
    assert audit.wrong([clean, audit.of_npm(None)], exempt) == [], "not all were asked"


def test_a_program_that_says_nothing_was_not_asked():
    assert audit.ask(["true"]) is None
    assert audit.ask(["no-such-program"]) is None
    assert audit.ask(["echo", '{"dependencies": []}']) == {"dependencies": []}
