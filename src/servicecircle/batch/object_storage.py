"""Results in an object storage, or another that fsspec reaches: no mount, no rename, one file at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .._optional import import_optional
from ..errors import MissingPackageError, OutputError
from .leases import leased, unreached
from .temporary import temporary_folder

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_LOCK_FILE = ".lock"
#: so many files are removed at the same time
_AT_ONCE = 8

_T = TypeVar("_T")


@dataclass(frozen=True)
class ObjectStorage:
    """A folder at an address; its files are looked at anew each time."""

    address: str

    @property
    def root(self) -> None:
        """It is no folder of this machine."""
        return

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return self._asked(lambda: self._kind(self._path(name)) == "file")

    def read(self, name: str) -> bytes:
        """Return what a file holds."""
        return self._asked(lambda: bytes(self._files.cat_file(self._path(name))))

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size of every file in a folder and those below, by name in it."""
        return self._asked(lambda: self._sizes(self._path(folder)))

    def put(self, name: str, data: bytes) -> None:
        """Write a file: one request, which an object storage does whole or not at all."""
        path = self._path(name)
        with self._reached():
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path, data)

    def put_folder(self, made: Path, name: str, last: str, is_wanted: Callable[[], bool]) -> bool:
        """Put the files of a folder in their place: `last` is empty until the others are there."""
        files = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
        there, told = self.sizes(name), files.pop(last).read_bytes()
        is_there = all(there.get(one) == path.stat().st_size for one, path in files.items())
        if is_there and last in there and self.read(f"{name}/{last}") == told:
            return True  # another worker that had the same to do has done it
        self._check_own(name, last, there)
        if not is_wanted():
            return False
        self.put(f"{name}/{last}", b"")
        for stale in there.keys() - files.keys() - {last}:
            self.remove(f"{name}/{stale}")
        self._upload({f"{name}/{one}": path for one, path in files.items()})
        if not is_wanted():
            return False
        self.put(f"{name}/{last}", told)
        return True

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that it holds, where there is one."""
        if self._asked(lambda: self._kind(self._path(name))) == "file":
            self._remove_files([name])
        else:
            self._remove_files([f"{name}/{one}".lstrip("/") for one in self.sizes(name)])
            self._remove_folders(name)

    def remove_folder(self, name: str, last: str) -> None:
        """Remove a folder that `put_folder` made, where there is one: `last` is the last to go."""
        there = self.sizes(name)
        self._check_own(name, last, there)
        if there:
            self.put(f"{name}/{last}", b"")
            self._remove_files([f"{name}/{one}" for one in there if one != last])
            self._remove_files([f"{name}/{last}"])
        self._remove_folders(name)

    def _remove_files(self, names: list[str]) -> None:
        """Remove files as they are named: what fsspec has for many takes `*`, `?` and `[` for patterns."""

        def remove(name: str) -> None:
            with suppress(FileNotFoundError), self._reached():
                self._files.rm_file(self._path(name))

        with ThreadPoolExecutor(_AT_ONCE if self._files.async_impl else 1) as pool:
            list(pool.map(remove, names))

    def _remove_folders(self, name: str) -> None:
        """Remove the empty folders of a storage that has folders."""
        if not self._files.async_impl:
            with suppress(Exception):  # they are in nobody's way
                place = self._path(name)
                for folder in sorted(self._files.find(place, withdirs=True), key=len, reverse=True):
                    self._files.rmdir(folder)
                self._files.rmdir(place)

    def _check_own(self, name: str, last: str, there: dict[str, int]) -> None:
        """Refuse a folder that holds files of another origin."""
        if there and last not in there:
            msg = f"`{self.address}/{name}` holds files that are not of a batch: move them, or take another folder."
            zh = f"{self.address}/{name} 中另有不属于批量运行的文件：请移走，或换一个文件夹。"
            raise OutputError(msg, zh=zh)

    @contextmanager
    def making(self, run: str) -> Iterator[Path]:
        """Give an empty folder for temporary files."""
        del run
        with temporary_folder() as made:
            yield made

    @contextmanager
    def opened(self, folder: str) -> Iterator[Path]:
        """Give a copy of a folder."""
        with temporary_folder() as made:
            self.fetch([f"{folder}/{name}" for name in self.sizes(folder)], made)
            yield made / folder

    def locked(self, run: str) -> AbstractContextManager[Callable[[], None]]:
        """Hold a lease here, renewed as long as this process lives."""
        self._check_container()
        return leased(self._new_files, self._path(_LOCK_FILE), run, self.address)

    @contextmanager
    def at_hand(self) -> Iterator[Path]:
        """Give an empty folder for temporary files."""
        with temporary_folder() as made:
            yield made

    def fetch(self, names: Iterable[str], at_hand: Path) -> None:
        """Copy files to a folder of this machine."""
        files = {self._path(name): at_hand / name for name in names}
        for folder in {file.parent for file in files.values()}:
            folder.mkdir(parents=True, exist_ok=True)
        if files:
            with self._reached():
                self._files.get(list(files), [str(file) for file in files.values()])

    def hand_in(self, names: Iterable[str], at_hand: Path) -> None:
        """Put files from a folder of this machine in their place; remove those that are not in it."""
        files = {name: at_hand / name for name in names}
        self._upload({name: file for name, file in files.items() if file.is_file()})
        for name, file in files.items():
            if not file.is_file():
                self.remove(name)

    # ------------------------------------------------------------------------------------------------------ fsspec
    @cached_property
    def _files(self) -> AbstractFileSystem:
        return self._new_files()

    def _new_files(self) -> AbstractFileSystem:
        """
        Return what reaches the address, with a connection and a memory of its own.

        Raises
        ------
        MissingPackageError
            If fsspec, or its package for such addresses, is not installed.
        OutputError
            If the address is of no known kind.
        """
        import_optional("fsspec", extra="cluster")
        from fsspec.core import url_to_fs
        from fsspec.registry import known_implementations

        scheme = self.address.partition(":")[0]
        made = {"auto_mkdir": True} if scheme == "local" else {}
        try:
            files, _ = url_to_fs(self.address, use_listings_cache=False, skip_instance_cache=True, **made)
        except ImportError as error:
            needs = known_implementations.get(scheme, {}).get("err", str(error))
            msg = f"`{scheme}://` needs a package that is not installed: {needs}."
            raise MissingPackageError(msg, zh=f"访问 {scheme}:// 所需的包没有安装：{needs}。") from error
        except ValueError as error:
            msg = f"`{self.address}` is no address of a storage: {error}"
            raise OutputError(msg, zh=f"{self.address} 不是存储地址：{error}") from error
        except Exception as error:
            raise self._unreached(error) from error
        return files

    @cached_property
    def _root_path(self) -> str:
        return str(self._files._strip_protocol(self.address)).rstrip("/")

    def _path(self, name: str) -> str:
        return f"{self._root_path}/{name}" if name else self._root_path

    def _check_container(self) -> None:
        """See that the bucket is there: none is made because of a slip of the pen."""
        bucket = self._root_path.split("/")[0]
        with self._reached():
            is_there = not bucket or self._kind(bucket) is not None
        if not is_there:
            msg = f"`{self.address}` cannot be written: there is no `{bucket}`."
            raise OutputError(msg, zh=f"无法写入 {self.address}：{bucket} 不存在。")

    def _kind(self, path: str) -> str | None:
        """Return what is there: file, directory, or nothing."""
        self._files.invalidate_cache()
        try:
            return str(self._files.info(path)["type"])
        except FileNotFoundError:
            return None

    def _sizes(self, place: str) -> dict[str, int]:
        self._files.invalidate_cache()
        try:
            found = self._files.find(place, detail=True, **self._strictly())
        except FileNotFoundError:
            if self._kind(place) is not None:
                msg = f"`{place}` changes while it is listed."
                raise OutputError(msg, zh=f"{place} 在列出时有改动。") from None
            return {}
        sizes, base = {}, place.lstrip("/") + "/"
        for path, told in found.items():
            name = path.lstrip("/").removeprefix(base)
            if told["type"] == "file" and name and not path.endswith("/") and path.lstrip("/").startswith(base):
                sizes[name] = int(told["size"])  # no placeholder of a folder, and no file of this very name
        return sizes

    def _strictly(self) -> dict[str, str]:
        """Return what makes a listing fail that cannot be read: fsspec's own leaves it out in silence."""
        from fsspec import AbstractFileSystem

        is_its_own = type(self._files).find is AbstractFileSystem.find and not self._files.async_impl
        return {"on_error": "raise"} if is_its_own else {}

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """Return an answer; a connection that fails, it may be of long ago, is made anew once."""
        try:
            with self._reached():
                return ask()
        except OutputError:
            with self._reached():
                return ask()

    def _upload(self, files: dict[str, Path]) -> None:
        with self._reached():
            for folder in sorted({self._path(name).rpartition("/")[0] for name in files}):
                self._files.makedirs(folder, exist_ok=True)
            if files:
                self._files.put([str(file) for file in files.values()], [self._path(name) for name in files])

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Tell in one line what a storage answers that is at fault; that a file is missing passes."""
        try:
            yield
        except (FileNotFoundError, OutputError, MissingPackageError):
            raise
        except Exception as error:
            self.__dict__.pop("_files", None)
            raise self._unreached(error) from error

    def _unreached(self, error: Exception) -> OutputError:
        return unreached(self.address, error)
