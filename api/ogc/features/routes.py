"""The addresses of the collections and their items."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, cast
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from servicecircle.errors import Lang
from servicecircle.writers import json_text

from ...bodies import Body, answer
from ...errors import asked_lang
from ...routes import GEOJSON, PROBLEMS
from ..links import GEOJSON as GEOJSON_TYPE
from ..links import JSON_ANSWER, ROOT, Link, answer_json, link, root_of
from .collections import COLLECTIONS, Collection
from .layers import Layer, Layers
from .query import Page, parameters_of, read_page

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
_FEATURE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {GEOJSON_TYPE: {"schema": {"type": "object"}}}}
}
Answering = Callable[..., Response]


def get_layers(request: Request) -> Layers:
    """Return the layers of the served study."""
    return cast("Layers", request.app.state.layers)


LayersOfStudy = Annotated[Layers, Depends(get_layers)]
router = APIRouter(prefix=f"{ROOT}/collections", responses=PROBLEMS, tags=["OGC API - Features"])


@router.get("", summary="OGC API: the collections", response_class=Response, responses=JSON_ANSWER)
def read_collections(request: Request, layers: LayersOfStudy) -> Response:
    """Return what each collection holds, where it lies, and where its items are."""
    root, lang = root_of(request), asked_lang(request)
    told = {
        "links": [link(f"{root}/collections", "self")],
        "collections": [_collection(one, layers(one.id), root, lang) for one in COLLECTIONS.values()],
    }
    return answer_json(request, told, lang=lang)


def _add_collection(collection: Collection) -> None:
    """Add the addresses of one collection."""
    name, title = collection.id, collection.title["en"]

    def read_collection(request: Request, layers: LayersOfStudy) -> Response:
        lang = asked_lang(request)
        return answer_json(request, _collection(collection, layers(name), root_of(request), lang), lang=lang)

    def read_items(request: Request, layers: LayersOfStudy) -> Response:
        page = read_page(collection, request.query_params)
        return answer(request, Body(_page_text(request, layers(name), page).encode("utf-8"), GEOJSON_TYPE))

    def read_item(request: Request, layers: LayersOfStudy, featureId: str) -> Response:  # noqa: N803
        layer = layers(name)
        at = layer.position(featureId)
        if at is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        own = f"{root_of(request)}/collections/{name}"
        links = [link(f"{own}/items/{quote(featureId, safe='')}", "self", media_type=GEOJSON_TYPE)]
        feature = layer.features[at] | {"links": [*links, link(own, "collection")]}
        return answer_json(request, feature, media_type=GEOJSON_TYPE)

    def add(path: str, made: Answering, what: str, more: dict[int | str, dict[str, Any]], **extra: Any) -> None:  # noqa: ANN401
        router.add_api_route(
            f"/{name}{path}",
            made,
            methods=["GET"],
            name=f"{made.__name__}_{name}",
            summary=f"OGC API: {title}: {what}",
            description=collection.description["en"],
            response_class=Response,
            responses=more,
            **extra,
        )

    add("", read_collection, "the collection", JSON_ANSWER)
    add("/items", read_items, "items", GEOJSON, openapi_extra={"parameters": parameters_of(collection)})
    add("/items/{featureId:path}", read_item, "one item", _FEATURE_ANSWER)


for _one in COLLECTIONS.values():
    _add_collection(_one)


# -------------------------------------------------------------------------------------------------- what is told
def _collection(collection: Collection, layer: Layer, root: str, lang: Lang) -> dict[str, Any]:
    """Return what is told of a collection."""
    own = f"{root}/collections/{collection.id}"
    extent: dict[str, Any] = {}
    if layer.bounds is not None:
        extent["spatial"] = {"bbox": [list(layer.bounds)], "crs": CRS84}
    if (interval := layer.interval) is not None:
        extent["temporal"] = {"interval": [list(interval)], "trs": GREGORIAN}
    return {
        "id": collection.id,
        "title": collection.title[lang],
        "description": collection.description[lang],
        "itemType": "feature",
        "crs": [CRS84],
        **({"extent": extent} if extent else {}),
        "links": [
            link(own, "self", title=collection.title[lang]),
            link(f"{own}/items", "items", media_type=GEOJSON_TYPE, title=collection.title[lang]),
        ],
    }


def _page_text(request: Request, layer: Layer, page: Page) -> str:
    """Return a page of items as GeoJSON, a feature a line."""
    found = layer.find(page.wanted)
    shown = found[page.offset : page.offset + page.limit]
    head = json_text(
        {
            "type": "FeatureCollection",
            "numberMatched": len(found),
            "numberReturned": len(shown),
            "links": _page_links(request, layer, page, len(found)),
        }
    )
    lines = ",\n".join(layer.texts[i] for i in shown)
    return f'{head[:-1]}, "features": [\n{lines}\n]}}\n'


def _page_links(request: Request, layer: Layer, page: Page, n_found: int) -> list[Link]:
    """Return the links of a page: itself, those before and after it, its collection."""
    root = root_of(request)
    own = f"{root}/collections/{layer.collection.id}"
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "offset"]

    def at(offset: int) -> str:
        asked = given + ([("offset", str(offset))] if offset else [])
        return f"{own}/items" + (f"?{urlencode(asked)}" if asked else "")

    links = [link(at(page.offset), "self", media_type=GEOJSON_TYPE)]
    if page.offset + page.limit < n_found:
        links.append(link(at(page.offset + page.limit), "next", media_type=GEOJSON_TYPE))
    if page.offset:
        links.append(link(at(max(0, page.offset - page.limit)), "prev", media_type=GEOJSON_TYPE))
    return [*links, link(own, "collection")]
