"""The addresses of OGC API - Processes: what may be asked, and the jobs that come of it."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from servicecircle.errors import Lang

from ...closures import ReportsOfStudy
from ...dependencies import PlansOfStudy, StoreOfStudy
from ...errors import answer_problem, asked_lang
from ...incoming import SAID
from ...jobs.runner import Runner
from ...jobs.stages import WAITING
from ...keys import NeedsKey
from ...routes import PROBLEMS
from ...settings import Settings
from ...store import Job, Store
from ..links import ROOT, link, root_of
from . import errors
from .descriptions import FOLDER, PROCESSES, ZIP, Process, brief, whole
from .requests import asked_for
from .status import is_over, packed, results, status_info

MOST_LISTED = 1000
#: what a request says that has no JSON
NOTHING: dict[str, Any] = {}
_EXECUTE_BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "inputs": {"type": "object"},
                        "outputs": {"type": "object"},
                        "response": {"type": "string", "enum": ["document", "raw"]},
                    },
                    "additionalProperties": False,
                },
                "examples": {"suggest": {"value": {"inputs": {"stations": 2, "shops": 6, "minutes": [10, 15]}}}},
            },
            ZIP: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}
router = APIRouter(prefix=ROOT, responses=PROBLEMS, tags=["OGC API - Processes"])


async def get_runner(request: Request) -> Runner:
    """Return the workers of this server."""
    return cast("Runner", request.app.state.runner)


RunnerOfServer = Annotated[Runner, Depends(get_runner)]


def add_handlers(app: FastAPI) -> None:
    """Let the application answer the errors of processes with the types of the standard."""

    async def answer(request: Request, error: errors.ProcessError) -> Response:
        told: dict[Lang, str] = {"zh": error.zh, "en": error.en}
        return answer_problem(request, error.status, told, code=error.code, kind=error.type)

    app.exception_handler(errors.ProcessError)(answer)


# ------------------------------------------------------------------------------------------------------ processes
@router.get("/processes", summary="OGC API: what may be computed")
def read_processes(request: Request) -> Response:
    """Return the processes: `suggest` and `plan`."""
    root, lang = root_of(request), asked_lang(request)
    listed = [brief(process, root, lang) for process in PROCESSES.values()]
    return _json({"processes": listed, "links": [link(f"{root}/processes", "self")]}, lang)


@router.get("/processes/{process_id}", summary="OGC API: what a process takes and gives")
def read_process(request: Request, process_id: str) -> Response:
    """Return the inputs and outputs of a process."""
    lang = asked_lang(request)
    return _json(whole(_process(process_id), root_of(request), lang), lang)


@router.post(
    "/processes/{process_id}/execution",
    summary="OGC API: compute something, as a job",
    status_code=201,
    openapi_extra=_EXECUTE_BODY,
    dependencies=[NeedsKey],
)
async def execute_process(
    request: Request,
    process_id: str,
    *,
    plans: PlansOfStudy,
    reports: ReportsOfStudy,
    store: StoreOfStudy,
    runner: RunnerOfServer,
) -> Response:
    """
    Accept a job, and answer with its address before it begins.

    The body has the `inputs` that the process describes; what is left out is the study's own. `plan` takes a study
    of your own: as `application/zip`, or among the inputs in base64. Needs the key. 503 while too many jobs wait.
    """
    process, settings = _process(process_id), cast("Settings", request.app.state.settings)
    body = await request.body()
    said = request.scope.get("state", {}).get(SAID, NOTHING)
    packed = body if said is NOTHING else b""

    def accept() -> Job:
        asked = asked_for(process, said, packed, study=plans.study, reports=reports, settings=settings)
        return store.add_job(process.id, asked.inputs, files=asked.files, most_waiting=settings.jobs_waiting)

    job = await run_in_threadpool(accept)
    runner.wake()
    root, lang = root_of(request), asked_lang(request)
    place = {"Location": f"{root}/jobs/{job.id}", "Preference-Applied": "respond-async"}
    return _json(_told(job, root, lang), lang, status=201, headers=place)


# ----------------------------------------------------------------------------------------------------------- jobs
@router.get("/jobs", summary="OGC API: the jobs, the latest first")
def read_jobs(
    request: Request,
    store: StoreOfStudy,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many jobs at most.")] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9, description="How many of the latest jobs to leave out.")] = 0,
) -> Response:
    """Return a page of the jobs; the link `next` leads to the next one."""
    root, lang = root_of(request), asked_lang(request)
    found, n_all = store.jobs(limit=limit, offset=offset)
    links = [link(f"{root}/jobs?limit={limit}&offset={offset}", "self")]
    if offset + len(found) < n_all and found:
        links.append(link(f"{root}/jobs?limit={limit}&offset={offset + limit}", "next"))
    if offset:
        links.append(link(f"{root}/jobs?limit={limit}&offset={max(offset - limit, 0)}", "prev"))
    jobs = [_told(job, root, lang) for job in found]
    return _json({"jobs": jobs, "numberMatched": n_all, "numberReturned": len(jobs), "links": links}, lang)


@router.get("/jobs/{job_id}", summary="OGC API: how far a job is")
def read_job(request: Request, store: StoreOfStudy, job_id: str) -> Response:
    """Return status, stage and progress; of a search the best known, the bound and the gap so far (`found`)."""
    lang = asked_lang(request)
    return _json(_told(_job(store, job_id), root_of(request), lang), lang)


@router.delete("/jobs/{job_id}", summary="OGC API: end a job, or forget one", dependencies=[NeedsKey])
def dismiss_job(request: Request, store: StoreOfStudy, runner: RunnerOfServer, job_id: str) -> Response:
    """End a job that waits or runs: its work stops. One that has ended is forgotten with its result."""
    lang = asked_lang(request)
    job = store.dismiss(job_id)
    if job is None:
        raise errors.no_such_job(job_id)
    runner.wake()
    return _json(_told(job, root_of(request), lang), lang)


@router.get("/jobs/{job_id}/results", summary="OGC API: the result of a job")
def read_results(request: Request, store: StoreOfStudy, job_id: str) -> Response:
    """Return the outputs of a job that has ended well, and links to all its files."""
    job = _ended_well(store, job_id)
    return JSONResponse(results(job, store.job_files(job.id, made=True), root_of(request)))


@router.get("/jobs/{job_id}/results/{name}", summary="OGC API: a file of the result of a job")
def read_result_file(store: StoreOfStudy, job_id: str, name: str) -> Response:
    """Return one file by its name; `result.zip` is all of them."""
    files = store.job_files(_ended_well(store, job_id).id, made=True)
    every = packed(files) if name == FOLDER else None
    file = every or next((one for one in files if one.name == name), None)
    if file is None:
        raise errors.no_such_file(name)
    policy = {"Content-Security-Policy": "sandbox allow-scripts", "X-Content-Type-Options": "nosniff"}
    return Response(file.body, media_type=file.media_type, headers=policy)


# ----------------------------------------------------------------------------------------------------------- parts
def _process(process_id: str) -> Process:
    if process_id not in PROCESSES:
        raise errors.no_such_process(process_id)
    return PROCESSES[process_id]


def _job(store: Store, job_id: str) -> Job:
    job = store.job(job_id)
    if job is None:
        raise errors.no_such_job(job_id)
    return job


def _ended_well(store: Store, job_id: str) -> Job:
    """Return a job that has a result; else the error that says why it has none."""
    job = _job(store, job_id)
    if not is_over(job):
        raise errors.result_not_ready(job.note.progress)
    if job.status == "dismissed":
        raise errors.was_dismissed()
    if job.status == "failed":
        raise errors.has_failed(job.problem, job.note.en, job.note.zh)
    return job


def _told(job: Job, root: str, lang: Lang) -> dict[str, Any]:
    info = status_info(job, root, lang)
    if job.status == "accepted":
        info["message"] = WAITING.zh if lang == "zh" else WAITING.en
    return info


def _json(
    content: dict[str, Any], lang: Lang, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Answer with JSON whose words hang on `Accept-Language`; it changes from one look to the next."""
    about = {"Content-Language": lang, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    return JSONResponse(content, status_code=status, headers={**about, **(headers or {})})
