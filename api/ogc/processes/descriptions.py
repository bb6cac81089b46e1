"""The processes: what each takes and gives, and what of the standard is kept."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from servicecircle.errors import Lang
from servicecircle.writers import PROPOSAL_FILES

from ...jobs.questions import QUESTIONS
from ...jobs.work import PROOF, SUGGESTIONS, SUMMARY
from ..links import GEOJSON, JSON, Link, link
from ..parts import Part

VERSION = "1.0.0"
ZIP = "application/zip"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: name of the study among the inputs
STUDY = "study"
PROPOSAL = PROPOSAL_FILES[0]
#: name of the packed folder among the outputs and the files
FOLDER = "result.zip"
_PROCESSES = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
_JOB_LIST = "http://www.opengis.net/def/rel/ogc/1.0/job-list"
_PROCESS_LIST = "http://www.opengis.net/def/rel/ogc/1.0/processes"
_EXECUTE = "http://www.opengis.net/def/rel/ogc/1.0/execute"


class Output(NamedTuple):
    """What a process gives under one name; `file` is where a job has it."""

    file: str
    media_type: str
    title: Mapping[Lang, str]


class Process(NamedTuple):
    """What may be asked for."""

    id: str
    title: Mapping[Lang, str]
    description: Mapping[Lang, str]
    outputs: Mapping[str, Output]
    takes_study: bool


SUGGEST = Process(
    "suggest",
    {"zh": "新增点位建议", "en": "Where to open next"},
    {
        "zh": "在所提供的研究中选出能服务最多骑手的新驿站和商铺，并证明没有更好的方案。",
        "en": "Choose the stations and shops that would serve the most riders of the served study, and prove it.",
    },
    {
        "suggestions": Output(SUGGESTIONS, GEOJSON, {"zh": "建议，最佳在前", "en": "The suggestions, best first"}),
        "summary": Output(SUMMARY, JSON, {"zh": "各项数字", "en": "The figures"}),
        "proof": Output(PROOF, JSON, {"zh": "目标值、上界、差距", "en": "Objective, bound and gap"}),
    },
    takes_study=False,
)
PLAN = Process(
    "plan",
    {"zh": "完整方案", "en": "The whole plan"},
    {
        "zh": "计算所提供的研究或上传的研究，给出完整结果文件夹：地图、各图层、表格、数字和理由。",
        "en": "Work out the served study, or one that comes packed: the whole result folder, with map and tables.",
    },
    {
        "folder": Output(FOLDER, ZIP, {"zh": "结果文件夹，打包", "en": "The result folder, packed"}),
        "summary": Output(SUMMARY, JSON, {"zh": "各项数字", "en": "The figures"}),
        "proposal": Output(PROPOSAL, WORD, {"zh": "建议书，须要求", "en": "The proposal, where it is asked for"}),
    },
    takes_study=True,
)
PROCESSES: Mapping[str, Process] = MappingProxyType({process.id: process for process in (SUGGEST, PLAN)})


def brief(process: Process, root: str, lang: Lang) -> dict[str, Any]:
    """Return what the list of processes says of one."""
    own = f"{root}/processes/{process.id}"
    return {
        "id": process.id,
        "title": process.title[lang],
        "description": process.description[lang],
        "version": VERSION,
        "jobControlOptions": ["async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "links": [link(own, "self"), link(f"{own}/execution", _EXECUTE)],
    }


def whole(process: Process, root: str, lang: Lang) -> dict[str, Any]:
    """Return the description of a process, with its inputs and outputs."""
    schema = QUESTIONS[process.id].model_json_schema()
    inputs = {name: _input(name, one, schema.get("$defs", {})) for name, one in schema["properties"].items()}
    if process.takes_study:
        inputs[STUDY] = {
            "title": {"zh": "打包的研究文件夹（zip）", "en": "A study, its folder packed (zip)"}[lang],
            "minOccurs": 0,
            "maxOccurs": 1,
            "schema": {"type": "string", "contentEncoding": "base64", "contentMediaType": ZIP},
        }
    outputs = {
        name: {"title": output.title[lang], "schema": {"type": "object", "contentMediaType": output.media_type}}
        for name, output in process.outputs.items()
    }
    return {**brief(process, root, lang), "inputs": inputs, "outputs": outputs}


def _input(name: str, schema: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input of the standard from the schema of a field: None is leaving it out."""
    plain = {key: value for key, value in schema.items() if key not in {"title", "default", "description"}}
    kinds = [_resolved(kind, shared) for kind in plain.pop("anyOf", []) if kind != {"type": "null"}]
    plain |= kinds[0] if len(kinds) == 1 else {"oneOf": kinds} if kinds else {}
    made = {"title": schema.get("description", name), "minOccurs": 0, "maxOccurs": 1}
    return {**made, "schema": _resolved(plain, shared)}


def _resolved(schema: Any, shared: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return a schema that stands alone."""
    if isinstance(schema, list):
        return [_resolved(one, shared) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(shared[schema["$ref"].rpartition("/")[2]], shared)
    return {key: _resolved(value, shared) for key, value in schema.items()}


def _landing_links(root: str, lang: Lang) -> list[Link]:
    titles = {"zh": ("可执行的过程", "任务"), "en": ("What may be computed", "Jobs")}[lang]
    return [
        link(f"{root}/processes", _PROCESS_LIST, title=titles[0]),
        link(f"{root}/jobs", _JOB_LIST, title=titles[1]),
    ]


#: for the landing page
PROCESSING = Part(
    tuple(f"{_PROCESSES}/{name}" for name in ("core", "ogc-process-description", "json", "oas30", "dismiss")),
    _landing_links,
)
