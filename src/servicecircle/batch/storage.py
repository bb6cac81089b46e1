"""Where the results of a batch stand: a folder of this machine, or a storage that an address names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..errors import InputError
from .disk import Disk
from .object_storage import ObjectStorage

#: `s3://bucket` and, as a path has it, `s3:/bucket`; a letter of a Windows disk is one letter
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?::/+|::)")
#: schemes of which one slash too few is a slip, and no folder of such a name
_SLIP = re.compile(r"(s3a?|gs|gcs|oss|abfss?|az|s?ftp|ssh|(web)?hdfs|https?):(?!/)", re.IGNORECASE)
#: storage that only one process sees
_OF_ONE_PROCESS = frozenset({"memory"})


class Storage(Protocol):
    """
    Files by name, with `/` between folders, that the command and its workers share.

    What cannot be reached or written is an `OutputError`; a file that is not there is a `FileNotFoundError`.
    """

    @property
    def address(self) -> str:
        """Where it is, as `storage_at` takes it."""

    @property
    def root(self) -> Path | None:
        """Its folder where this machine has it; None: files are fetched and handed in."""

    def has(self, name: str) -> bool:
        """Whether a file is there."""

    def read(self, name: str) -> bytes:
        """Return what a file holds."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size of every file in a folder and those below, by name in it; of none nothing."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all."""

    def put_folder(self, made: Path, name: str, last: str, is_wanted: Callable[[], bool]) -> bool:
        """
        Put a folder of files in its place, and what stood there away; False, and no more, once it is not wanted.

        Who stops in between leaves the old files, the new ones, no folder, or one whose file `last` is empty. One
        that holds files and no `last` is none of ours: an `OutputError`.
        """

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that it holds, where there is one."""

    def remove_folder(self, name: str, last: str) -> None:
        """Remove a folder that `put_folder` made, where there is one."""

    def making(self, run: str) -> AbstractContextManager[Path]:
        """Give an empty folder of this machine for results in the making of a run."""

    def opened(self, folder: str) -> AbstractContextManager[Path]:
        """Give a folder as one of this machine, to read it."""

    def locked(self, run: str) -> AbstractContextManager[Callable[[], None]]:
        """
        Keep other runs out; gives what tells that this one still does, by an `OutputError` where it does not.

        Raises
        ------
        InputError
            If another run is at work here.
        """

    def at_hand(self) -> AbstractContextManager[Path]:
        """Give the folder of this machine in which files of the whole are written, and those of towns are read."""

    def fetch(self, names: Iterable[str], at_hand: Path) -> None:
        """Bring files to where they are at hand."""

    def hand_in(self, names: Iterable[str], at_hand: Path) -> None:
        """Put files that were written at hand in their place, each whole; remove those that are not at hand."""


@lru_cache(maxsize=4)
def storage_at(address: str) -> Storage:
    """
    Return the storage at an address or path that `checked_address` let through.

    Raises
    ------
    MissingPackageError
        If a package for such addresses is not installed.
    """
    found = _ADDRESS.match(address)
    return Disk(Path(address)) if found is None else ObjectStorage(address)


def checked_address(told: str | Path, name: str) -> str:
    """
    Return the address of a folder for results: a path, or `s3://bucket/folder` and the like.

    Raises
    ------
    InputError
        If it chains addresses, holds a password, names no place, or what only one process sees.
    """
    if _SLIP.match(str(told)):
        scheme, _, rest = str(told).partition(":")
        msg = f"`{name}` is no address: write `{scheme}://{rest}` (or `./{told}` for a folder of that name)."
        raise InputError(msg, zh=f"{name} 不是完整地址：请写 {scheme}://{rest}（若为同名文件夹请写 ./{told}）。")
    found = _ADDRESS.match(str(told))
    if found is None or found[1].lower() == "file":
        return str(local_folder(told, name).resolve())
    if "::" in str(told):
        msg = f"`{name}` must be one address, without `::`, got `{told}`."
        raise InputError(msg, zh=f"{name} 应为单个地址，不能含 ::，现为 {told}。")
    scheme, rest = found[1].lower(), str(told)[found.end() :]
    if ":" in rest.rpartition("@")[0]:
        msg = f"`{name}` must not hold a password: give it to `{scheme}` by its settings or the environment."
        raise InputError(msg, zh=f"{name} 中不能含密码：请用 {scheme} 的配置或环境变量提供。")
    if not rest.strip("/"):
        msg = f"`{name}` must name a place in the storage, as `{scheme}://bucket/folder` does, got `{told}`."
        raise InputError(msg, zh=f"{name} 应写明存储中的位置，如 {scheme}://bucket/folder，现为 {told}。")
    if scheme in _OF_ONE_PROCESS:
        msg = f"`{name}` must be storage that every worker reaches, not `{scheme}://`."
        raise InputError(msg, zh=f"{name} 应为各工作进程都能访问的存储，不支持 {scheme}://。")
    is_rooted = scheme == "local" or str(told)[: found.end()].endswith("///")  # workers have other folders to be in
    slashes = "///" if is_rooted else "//"
    return f"{scheme}:{slashes}{rest.rstrip('/')}"


def folder_of_address(address: str) -> Path | None:
    """Return the folder of this machine at an address that `checked_address` gave, None where it is none."""
    found = _ADDRESS.match(address)
    if found is None:
        return Path(address)
    return Path(address[found.end() - 1 :]) if found[1] == "local" else None


def local_folder(told: str | Path, name: str) -> Path:
    """
    Return a folder as a path: of this machine's disks, or of a storage that it has mounted.

    Raises
    ------
    InputError
        If an address stands there; that of a file (`file:///srv/towns`) is a path.
    """
    found = _ADDRESS.match(str(told))
    if found is None:
        return Path(told)
    scheme = found[1].lower()
    if scheme == "file":
        parts = urlsplit(re.sub(r"^file:/+", "file:///", str(told), flags=re.IGNORECASE))
        return Path(url2pathname(parts.path))
    msg = f"`{name}` must be a folder that this machine has mounted (a path, or file:///...), not `{scheme}://`."
    zh = f"{name} 应为本机已挂载的文件夹（路径或 file:///…），不支持 {scheme}://。"
    raise InputError(msg, zh=zh)
