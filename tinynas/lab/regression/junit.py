"""JUnit XML of a run, as CI servers read it (Jenkins' schema, with its `flakyFailure` of retried tests)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from tinynas.lab.regression.attempt import Attempt, Status
from tinynas.lab.regression.result import CaseResult, RunResult

_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WRONG = {Status.FAILED: "failure", Status.ERROR: "error"}


def junit_xml(result: RunResult) -> str:
    """One test suite; a test case per model, board and runtime, with what it depends on as properties."""
    suite = ET.Element("testsuite", _totals(result))
    _add_properties(suite, _run_properties(result))
    for case in result.cases:
        suite.append(_case(case, result))
    root = ET.Element("testsuites", {"name": "tinynas lab"})
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _totals(result: RunResult) -> dict[str, str]:
    skipped = result.count(Status.SKIPPED) + result.count(Status.QUARANTINED)
    return {
        "name": result.suite,
        "tests": str(len(result.cases)),
        "failures": str(result.count(Status.FAILED)),
        "errors": str(result.count(Status.ERROR)),
        "skipped": str(skipped),
        "time": f"{result.seconds:.3f}",
        "timestamp": result.started.partition("+")[0],
        "hostname": result.surroundings.host,
    }


def _run_properties(result: RunResult) -> Iterator[tuple[str, str]]:
    about = result.surroundings
    yield "run", result.run
    yield "tinynas", about.tinynas
    yield "python", about.python
    yield "git_commit", (about.git_commit or "none") + (" with changes" if about.git_dirty else "")
    yield "qemu", about.emulator or "none"


def _case(case: CaseResult, result: RunResult) -> ET.Element:
    element = ET.Element(
        "testcase",
        {
            "classname": f"{result.suite}.{case.board}.{case.runtime}",
            "name": case.case,
            "time": f"{sum(attempt.seconds for attempt in case.attempts):.3f}",
        },
    )
    _add_properties(element, _case_properties(case, result))
    if case.status in _WRONG:
        ET.SubElement(element, _WRONG[case.status], {"message": _clean(case.message), "type": case.status.value})
    elif case.status is not Status.PASSED:
        ET.SubElement(element, "skipped", {"message": f"{case.status.value}: {_clean(case.message)}"})
    for attempt in case.attempts[:-1]:
        element.append(_retried(attempt, case))
    if case.attempts:
        ET.SubElement(element, "system-out").text = "\n".join(f"{a.number}: {a.folder}" for a in case.attempts)
    return element


def _retried(attempt: Attempt, case: CaseResult) -> ET.Element:
    """An attempt that was not the last."""
    kind = "Failure" if attempt.status is Status.FAILED else "Error"
    name = f"flaky{kind}" if case.flaky else f"rerun{kind}"
    return ET.Element(name, {"message": _clean(attempt.message), "type": attempt.status.value})


def _case_properties(case: CaseResult, result: RunResult) -> Iterator[tuple[str, str]]:
    used = case.attempts[-1].entry if case.attempts else None
    board = next((board for board in result.boards if board.id == used), None)
    if board is not None:
        yield "board_id", board.id
        yield "board_serial", board.serial or "none"
    if case.package is not None:
        yield "model_sha256", case.package.model_sha256
        yield "firmware_hash", case.package.firmware_hash
        yield "image_sha256", case.package.image_sha256
        yield "toolchain", str(case.toolchain)
    if case.metrics is not None:
        for name, value in case.metrics.model_dump().items():
            if value is not None:
                yield name, str(value)
    if case.compared.note:
        yield "baseline", case.compared.note


def _add_properties(element: ET.Element, properties: Iterator[tuple[str, str]]) -> None:
    parent = ET.SubElement(element, "properties")
    for name, value in properties:
        ET.SubElement(parent, "property", {"name": name, "value": _clean(value)})


def _clean(text: str) -> str:
    """Without what XML cannot hold: a garbled line may have any byte."""
    return _NOT_XML.sub("?", text)
