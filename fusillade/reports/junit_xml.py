"""A result as JUnit XML, which CI servers show: one test case a threshold and a check."""

import re
from xml.etree import ElementTree

from fusillade.metrics.summary import CheckResult, ThresholdResult
from fusillade.reports import numbers
from fusillade.reports.result import Result, check_name

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(result: Result) -> str:
    """``<testsuites>`` with the suites ``thresholds`` and ``checks``; a run that failed as a whole
    has the suite ``run`` with one error as well."""
    suites = ElementTree.Element("testsuites", name=_text(result.name))
    seconds = f"{result.summary.duration_seconds:.3f}"
    whole = {"tests": 0, "failures": 0, "errors": 0}

    def suite(name: str, cases: list[ElementTree.Element]) -> None:
        if not cases:
            return
        counts = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
        }
        element = ElementTree.SubElement(suites, "testsuite", name=name, time=seconds)
        started = result.started_at.strftime("%Y-%m-%dT%H:%M:%S")
        element.set("timestamp", started)
        element.attrib.update({kind: str(number) for kind, number in counts.items()})
        element.extend(cases)
        for kind, number in counts.items():
            whole[kind] += number

    suite("thresholds", [_threshold(one, result.name) for one in result.summary.thresholds])
    suite("checks", [_check(one, result.name) for one in result.summary.checks])
    if result.failed:
        broken = _case("the test runs to its end", result.name, "run")
        ElementTree.SubElement(broken, "error", message=_text(result.reason or "The run failed."))
        suite("run", [broken])
    suites.attrib.update({kind: str(number) for kind, number in whole.items()}, time=seconds)
    ElementTree.indent(suites)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return head + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _case(name: str, of: str, kind: str) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", name=_text(name), classname=_text(f"{of}.{kind}"), time="0"
    )


def _threshold(one: ThresholdResult, of: str) -> ElementTree.Element:
    case = _case(f"{one.metric}: {one.expression}", of, "thresholds")
    if not one.ok:
        value = "it has no values" if one.value is None else f"it was {numbers.count(one.value)}"
        words = f"{one.metric} should have been {one.expression}, but {value}"
        ElementTree.SubElement(case, "failure", message=_text(words), type="threshold")
    return case


def _check(one: CheckResult, of: str) -> ElementTree.Element:
    case = _case(check_name(one.name, one.group), of, "checks")
    if one.fails:
        total = one.passes + one.fails
        words = (
            f"failed {one.fails:,} of {total:,} times ({numbers.share(one.passes / total)} passed)"
        )
        ElementTree.SubElement(case, "failure", message=words, type="check")
    return case


def _text(value: str) -> str:
    """Without what no XML document can hold."""
    return _NOT_XML.sub("\ufffd", value)
