from __future__ import annotations

import xml.etree.ElementTree as ET

from tests.lab.regression.samples import attempt, case_result, run_result
from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.junit import junit_xml
from tinynas.lab.regression.result import RunResult


def suite(result: RunResult) -> ET.Element:
    return ET.fromstring(junit_xml(result))[0]


def properties(element: ET.Element) -> dict[str, str]:
    return {p.attrib["name"]: p.attrib["value"] for p in element.findall("properties/property")}


def test_every_kind_of_end_is_counted_and_named_as_ci_servers_expect() -> None:
    failed = case_result(attempt(status=Status.FAILED, message="latency worse"))
    error = case_result(attempt(status=Status.ERROR, message="board is silent"))
    skipped = case_result(status=Status.SKIPPED, message="no board", attempts=())
    listed = case_result(status=Status.QUARANTINED, message="ticket 17", attempts=())
    found = suite(run_result("20260101T000000", case_result(), failed, error, skipped, listed))
    counts = {name: found.attrib[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "2"}
    kinds = [[child.tag for child in case if child.tag in {"failure", "error", "skipped"}] for case in found[1:]]
    assert kinds == [[], ["failure"], ["error"], ["skipped"], ["skipped"]]
    assert [child.attrib["message"] for case in found[1:] for child in case if "message" in child.attrib] == [
        "latency worse",
        "board is silent",
        "skipped: no board",
        "quarantined: ticket 17",
    ]


def test_what_a_case_depends_on_stands_with_it() -> None:
    found = suite(run_result())
    assert properties(found)["git_commit"].startswith("cafe")
    case = properties(found[1])
    assert (case["board_id"], case["board_serial"]) == ("b-1", "066E38")
    assert case["firmware_hash"] == "22" * 32
    assert case["toolchain"] == "gcc 12.2, QEMU 7.2"
    assert case["instructions"] == "1000"


def test_attempts_before_the_last_are_kept_apart_from_the_verdict() -> None:
    first = attempt(1, Status.ERROR, "garbled")
    flaky = suite(run_result("20260101T000000", case_result(first, attempt(2))))[1]
    assert [child.tag for child in flaky if child.tag.startswith(("flaky", "rerun", "f"))] == ["flakyError"]
    failed = suite(run_result("20260101T000000", case_result(first, attempt(2, Status.FAILED, "worse"))))[1]
    assert [child.tag for child in failed if "message" in child.attrib] == ["failure", "rerunError"]


def test_any_byte_of_a_garbled_line_leaves_whole_xml() -> None:
    message = "garbled: \x00\x1b[31m\ud800 <m-ready> & é"
    found = suite(run_result("20260101T000000", case_result(attempt(status=Status.FAILED, message=message))))
    assert found[1].find("failure") is not None
    assert "<m-ready> & é" in found[1].find("failure").attrib["message"]  # type: ignore[union-attr]
