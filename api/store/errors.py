"""What can go wrong with a store, in words that tell nothing of its inside: no paths, no SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from servicecircle.errors import OutputError


class StoreError(OutputError):
    """The store could not be read or written; what it held is unchanged."""


class StoreBusyError(StoreError):
    """The store is not to be had now: another writes for long, or the database cannot be reached."""


class QueueFullError(StoreBusyError):
    """As many jobs wait as may."""

    def __init__(self, n_waiting: int) -> None:
        super().__init__(
            f"{n_waiting} jobs are waiting already, as many as may. Ask again later.",
            zh=f"已有 {n_waiting} 个任务在排队，达到上限，请稍后再试。",
        )


class ClosuresFullError(StoreError):
    """As many reports of trouble on the road are kept as may be."""

    def __init__(self, n_kept: int) -> None:
        super().__init__(
            f"{n_kept} reports are kept already, as many as may be. Remove those that are over.",
            zh=f"已有 {n_kept} 条路况报告，达到上限，请先删除过期的报告。",
        )


@contextmanager
def told_as_store_errors() -> Iterator[None]:
    """
    Tell what a database refuses as an error of the store.

    Raises
    ------
    StoreBusyError
        If it is locked, or cannot be reached.
    StoreError
        If it has no room, may not be written, or is broken.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise _told(error) from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise _other(error.strerror or "") from error


def _told(error: exc.DBAPIError) -> StoreError:
    """Return the error of the store for one of its database."""
    text = str(error.orig).lower()
    if "disk is full" in text or "no space left" in text or "disk i/o error" in text or "could not extend" in text:
        return StoreError(
            "The store has no room left on its disk. What it held is unchanged; make room, then ask again.",
            zh="存储所在磁盘空间不足。已有内容未改动；请腾出空间后重试。",
        )
    if "readonly" in text or "read-only" in text or "unable to open" in text or "permission denied" in text:
        return StoreError(
            "The store may not be written. What it held is unchanged; see to the rights of its folder.",
            zh="存储不可写入。已有内容未改动；请检查其所在文件夹的权限。",
        )
    if "locked" in text or "busy" in text:
        return StoreBusyError(
            "Another program is writing to the store for long. Ask again later.",
            zh="另一个程序正长时间写入存储，请稍后再试。",
        )
    if isinstance(error, exc.OperationalError) and not isinstance(error.orig, sqlite3.Error):
        return StoreBusyError(
            "The database of the store cannot be reached. Ask again later.", zh="无法连接存储数据库，请稍后再试。"
        )
    return _other("")


def _other(reason: str) -> StoreError:
    told = f": {reason}" if reason else ""
    return StoreError(
        f"The store cannot be used{told}. The server's log says why.", zh=f"存储无法使用{told}。原因见服务器日志。"
    )
