"""What a visitor sends to have something computed: read, checked, and put into the store."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from pydantic import ValidationError

from servicecircle.errors import InputError
from servicecircle.figures import check_fonts
from servicecircle.model import Study
from servicecircle.proposal import check_letterhead

from ...closures import Reports
from ...errors import ParameterError
from ...jobs.questions import QUESTIONS, PlanQuestion, Question
from ...jobs.uploads import check_upload
from ...jobs.work import UPLOAD
from ...settings import Settings
from ...store import JobFile
from ...stored_closures import together, written_closures
from ...trouble_shapes import closures_in
from .descriptions import STUDY, ZIP, Process

#: members of a request to execute; a `subscriber` would have the server call other machines
_MEMBERS = frozenset({"inputs", "outputs", "response"})
_RESPONSES = frozenset({"document", "raw"})
#: a value of the standard may come with what it is
_QUALIFIED = frozenset({"value", "mediaType", "encoding", "schema", "format"})
_N_NAMED = 5


class Asked(NamedTuple):
    """A job to accept."""

    inputs: dict[str, Any]  # as they are kept
    files: list[JobFile]


def asked_for(
    process: Process, said: object, packed: bytes, *, study: Study, reports: Reports, settings: Settings
) -> Asked:
    """
    Return what a request asks a process for, checked as far as it can be without computing.

    Parameters
    ----------
    process
        Which one.
    said
        What the JSON of the standard says; nothing said is what the study says.
    packed
        A study that came instead, for a process that takes one; else empty.
    study
        The served study.
    reports
        From the street: those that hold at the moment that is asked about are the job's, as they are now.
    settings
        The limits.

    Raises
    ------
    MissingPackageError
        If a proposal is asked for, and what draws it is not installed.
    ParameterError
        If something of it is not known, or not allowed.
    InputError
        If a packed study is refused.
    """
    if packed:
        if not process.takes_study:
            _refuse("body", "is no JSON that can be read", "不是可读的 JSON")
        check_upload(packed)
        return Asked({"inputs": {}}, [JobFile(UPLOAD, ZIP, packed)])
    members = _members(said)
    inputs = _values(members.get("inputs", {}))
    files = []
    if process.takes_study and STUDY in inputs:
        unpacked = _unpacked_text(inputs.pop(STUDY))
        check_upload(unpacked)
        files = [JobFile(UPLOAD, ZIP, unpacked)]
    question = _question(QUESTIONS[process.id], inputs, settings)
    if isinstance(question, PlanQuestion) and question.proposal:
        check_letterhead(None)
        check_fonts(study.lang)
    kept = {
        "inputs": question.model_dump(mode="json", exclude_unset=True, by_alias=True),
        **_outputs(members.get("outputs"), process),
    }
    if not files:
        kept["closures"] = _held(question, study, reports, settings)
    elif question.closures is not None:
        _refuse("closures", "goes with the served study, not with one of your own", "不能与上传的研究同用")
    return Asked(kept, files)


def _held(question: Question, study: Study, reports: Reports, settings: Settings) -> list[dict[str, Any]]:
    """Return the trouble that a job about the served study counts: as asked for, and as reported."""
    try:
        changed = question.asked_of(study)
    except InputError as error:
        raise ParameterError(["inputs"], error.en, zh=error.zh) from error
    tried = None
    if question.closures is not None:
        tried = closures_in(question.closures, reports.here(), settings)
    return written_closures(together(tried, reports.of(changed)))


def _members(said: object) -> dict[str, Any]:
    """Return the members of a request."""
    if not isinstance(said, dict):
        _refuse("body", 'must be an object, as {"inputs": {}}', '应为对象，如 {"inputs": {}}')
    if unknown := [name for name in said if name not in _MEMBERS][:_N_NAMED]:
        named = ", ".join(f"`{name[:40]}`" for name in unknown)
        msg = f"Unknown member {named}; a request takes `inputs`, `outputs`, `response`."
        zh = f"未知成员 {named}，可用：inputs、outputs、response。"
        raise ParameterError([name[:40] for name in unknown], msg, zh=zh, code="unknown-parameter")
    if said.get("response", "document") not in _RESPONSES:
        _refuse("response", "must be `document` or `raw`", "应为 document 或 raw")
    return said


def _values(inputs: object) -> dict[str, Any]:
    """Return the inputs without what says of what kind they are; references to other machines are not followed."""
    if not isinstance(inputs, dict):
        _refuse("inputs", "must be an object", "应为对象")
    values: dict[str, Any] = {}
    for name, value in inputs.items():
        if isinstance(value, dict) and "href" in value:
            _refuse(name, "must be sent itself; references are not followed", "须直接给出内容，不接受引用地址")
        is_qualified = isinstance(value, dict) and "value" in value and set(value) <= _QUALIFIED
        values[name] = value["value"] if is_qualified else value
    return values


def _question(kind: type[Question], inputs: Mapping[str, Any], settings: Settings) -> Question:
    try:
        question = kind.model_validate(inputs)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)[:_N_NAMED]
        names = list(dict.fromkeys(str(fault["loc"][0])[:40] for fault in faults))
        told = " ".join(f"`{'.'.join(map(str, fault['loc']))[:80]}`: {fault['msg']}." for fault in faults)
        is_unknown = all(fault["type"] == "extra_forbidden" for fault in faults)
        code = "unknown-parameter" if is_unknown else "invalid-value"
        raise ParameterError(names, told, zh=f"输入项不正确：{'、'.join(names)}。", code=code) from error
    given = question.minutes
    breaks = given if isinstance(given, list) else [] if given is None else [given]
    if len(breaks) > settings.max_breaks or any(not 1 <= one <= settings.max_minutes for one in breaks):
        most, longest = settings.max_breaks, settings.max_minutes
        _refuse(
            "minutes",
            f"must be at most {most} numbers from 1 to {longest}",
            f"至多 {most} 个 1 到 {longest} 之间的数",
        )
    return question


def _outputs(asked: object, process: Process) -> dict[str, Any]:
    """Return the names of the outputs that are asked for; none named are all."""
    if not asked:
        return {}
    names = list(asked) if isinstance(asked, (dict, list)) else [asked]
    if not all(isinstance(name, str) and name in process.outputs for name in names):
        known = ", ".join(f"`{name}`" for name in process.outputs)
        _refuse("outputs", f"must be of {known}", f"只能是 {known}")
    return {"outputs": names}


def _unpacked_text(value: object) -> bytes:
    """Return what stands in base64."""
    if not isinstance(value, str):
        _refuse(STUDY, "must be a zip file in base64", "应为 base64 编码的 zip 文件")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        _refuse(STUDY, "must be a zip file in base64", "应为 base64 编码的 zip 文件")


def _refuse(name: str, en: str, zh: str) -> NoReturn:
    raise ParameterError([name[:40]], f"`{name[:40]}` {en}.", zh=f"{name[:40]} {zh}。")
