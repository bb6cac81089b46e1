"""The layers of all towns, each as one GeoParquet file and one GeoPackage; read and written town by town."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..geopackages import GPKG_VERSION
from ..whole_files import NO_DATE, gdal_date, make_folder, remove_file, write_whole
from .disk import LAYERS_FOLDER
from .layers import LAYERS
from .records import not_whole

if TYPE_CHECKING:
    import pyarrow as pa

_GEO = b"geo"


def merge_layers(folders: Mapping[str, Path], out: Path) -> list[Path]:
    """
    Write the layers of all towns to the folder `layers` of a batch; a layer without a row is removed.

    Parameters
    ----------
    folders
        Town -> folder of its results; rows come in the order of the towns.
    out
        Folder of the batch.

    Returns
    -------
    files
        For each layer `NAME.parquet` (GeoParquet) and `NAME.gpkg`, with the same rows. A column that only some
        towns have is empty in the others.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    target = make_folder(out / LAYERS_FOLDER)
    files = []
    for name in LAYERS:
        pieces = [folder / LAYERS_FOLDER / f"{name}.parquet" for folder in folders.values()]
        pieces = [piece for piece in pieces if piece.is_file()]
        parquet, package = target / f"{name}.parquet", target / f"{name}.gpkg"
        if not pieces:
            remove_file(parquet)
            remove_file(package)
            continue
        files += [write_whole(parquet, partial(_join, pieces)), to_package(parquet, package)]
    return files


def layer_paths(out: Path) -> list[Path]:
    """Return the files that `merge_layers` may write."""
    return [out / LAYERS_FOLDER / f"{name}{suffix}" for name in LAYERS for suffix in (".parquet", ".gpkg")]


def to_package(parquet: Path, package: Path) -> Path:
    """
    Write the rows of a GeoParquet file as a GeoPackage; the same rows give the same bytes.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with gdal_date(NO_DATE):
        return write_whole(package, partial(_convert, parquet))


def _join(pieces: Sequence[Path], path: Path) -> None:
    """Write the rows of all pieces behind each other, a row group each."""
    import pyarrow.parquet as pq

    schemas = []
    for piece in pieces:
        with _whole_piece(piece):
            schemas.append(pq.read_schema(piece))
            _geo_of(schemas[-1])["columns"]["geometry"]["geometry_types"]
    schema = _one_schema(schemas)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for piece in pieces:
            with _whole_piece(piece):
                table = _as_schema(pq.read_table(piece), schema)
            writer.write_table(table)


@contextmanager
def _whole_piece(piece: Path) -> Iterator[None]:
    """Tell of a town's file that it cannot be read."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise not_whole(piece, error) from error


def _one_schema(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the columns of all pieces in the order of their first coming, geometry last."""
    import pyarrow as pa

    bare = pa.unify_schemas([schema.remove_metadata() for schema in schemas], promote_options="permissive")
    fields = [pa.field(field.name, pa.string()) if pa.types.is_null(field.type) else field for field in bare]
    fields = [*(f for f in fields if f.name != "geometry"), *(f for f in fields if f.name == "geometry")]
    return pa.schema(
        fields, metadata={_GEO: json.dumps(_one_geo([_geo_of(schema) for schema in schemas])).encode()}
    )


def _geo_of(schema: pa.Schema) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(schema.metadata[_GEO])
    return told


def _one_geo(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what GeoParquet tells of a geometry column, of all pieces together."""
    columns = [one["columns"]["geometry"] for one in told]
    kinds = sorted({kind for column in columns for kind in column["geometry_types"]})
    boxes = [column["bbox"] for column in columns if "bbox" in column]
    low = [min(box[k] for box in boxes) for k in (0, 1)]
    high = [max(box[k] for box in boxes) for k in (2, 3)]
    geometry = {**columns[0], "geometry_types": kinds, "bbox": [*low, *high]}
    return {**told[0], "columns": {"geometry": geometry}}


def _as_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with all columns of the schema, those that it lacks empty."""
    import pyarrow as pa

    own = set(table.column_names)
    columns = [
        table[field.name].cast(field.type) if field.name in own else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _convert(parquet: Path, path: Path) -> None:
    """Write a GeoParquet file as a GeoPackage, town by town."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import pyogrio

    path.unlink()
    with pq.ParquetFile(parquet, pre_buffer=False) as source:
        geo = _geo_of(source.schema_arrow)["columns"]["geometry"]
        kinds = geo["geometry_types"]
        towns = (source.read_row_group(k) for k in range(source.num_row_groups))
        batches = (batch for town in towns for batch in town.to_batches())
        reader = pa.RecordBatchReader.from_batches(source.schema_arrow, batches)
        pyogrio.write_arrow(
            reader,
            path,
            layer=parquet.stem,
            driver="GPKG",
            geometry_name="geometry",
            geometry_type=kinds[0] if len(kinds) == 1 else "Unknown",
            crs="EPSG:4326",
            dataset_options={"VERSION": GPKG_VERSION},
        )
