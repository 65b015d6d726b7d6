"""What reaches the log, and what never does."""

from __future__ import annotations

import json
import logging

import pytest
import structlog


def test_one_json_line_with_the_request_id(log_lines):
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("test.a").info("claimed", item=7)
        logging.getLogger("test.b").warning("took %d ms", 12)
    first, second = log_lines()
    assert first["event"] == "claimed"
    assert first["item"] == 7
    assert first["level"] == "info"
    assert second["event"] == "took 12 ms"
    assert first["request_id"] == second["request_id"] == "r-1"


def test_phones_and_secrets_never_reach_it(log_lines):
    log = structlog.get_logger("test.c")
    log.info("call 13812345678 back", password="p", ticket_secret="s", Authorization="Bearer x")
    log.info("rows", rows=[{"contact": "13987654321"}], phone="13987654321")
    try:
        int("no number: 13712345678")
    except ValueError:
        log.exception("failed")
    text = json.dumps(log_lines(), ensure_ascii=False)
    for private in ("13812345678", "13987654321", "13712345678", '"p"', '"s"', "Bearer"):
        assert private not in text
    assert "138****5678" in text
    assert "137****5678" in text
    assert "ValueError" in text


@pytest.mark.parametrize(
    "number",
    ["631db6e2c0ffee00babeb14384744804", "631db6e2-5c1f-4b7e-9d20-a14384744804"],
)
def test_the_number_of_a_request_is_whole_whatever_digits_it_holds(log_lines, number):
    structlog.get_logger("test.d").info(f"task {number} of 13812345678 done", request_id=number)
    (line,) = log_lines()
    assert line["request_id"] == number
    assert line["event"] == f"task {number} of 138****5678 done"


def test_a_request_is_logged_without_its_query_and_probes_are_not(log_lines, client, db):
    client.get("/nowhere/?q=13812345678&secret=sesame")
    client.get("/healthz/live")
    finished = [e for e in log_lines() if e["event"] == "request_finished"]
    assert [(e["request"], e["code"]) for e in finished] == [("GET /nowhere/", 404)]
    assert "sesame" not in json.dumps(log_lines())
