"""Reading files on the workers of dask.distributed, which must see the files at the same paths."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import Reader, read_files
from monai_unlearn.index.scan.packing import packed, unpacked, unreadable
from monai_unlearn.index.scan.pixel_digests import with_pixel_digests
from monai_unlearn.safe_path import safe_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from monai_unlearn.index.listing import Listed

LOCAL = "local"
# Chunks in flight for each thread: enough that no thread waits for the next one.
_AHEAD = 3
_SECONDS_TO_CONNECT = 20


def read_on_dask(
    chunks: Iterable[Sequence[Listed]], *, reader: Reader, address: str, pixel_digest: bool = False
) -> Iterator[tuple[int, pa.Table]]:
    """Yield the number and the rows of each chunk, in the order in which they are finished.

    A chunk that kills its workers is read again file by file with pydicom.

    Args:
        chunks: The files.
        reader: The reader that is tried first.
        address: The address of the scheduler, or `local` for a cluster on this machine.
        pixel_digest: Whether the rows get digests of pixels.

    Raises:
        IndexReadError: dask is not installed, or nothing answers at the address.
    """
    distributed = _distributed()
    with _client(address) as client:
        numbered = enumerate(chunks)
        asked: dict[Any, tuple[int, Sequence[Listed]]] = {}
        done = distributed.as_completed(())

        def ask() -> None:
            for number, files in numbered:
                future = client.submit(read_chunk, files, reader.value, pixel_digest=pixel_digest, pure=False)
                asked[future] = number, files
                done.add(future)
                return

        for _ in range(_AHEAD * max(sum(client.nthreads().values()), 1)):
            ask()
        for future in done:
            number, files = asked.pop(future)
            try:
                yield number, unpacked(future.result())
            except distributed.KilledWorker:
                yield number, pa.concat_tables([_read_one(client, file, pixel_digest=pixel_digest) for file in files])
            future.release()
            ask()


def read_chunk(files: Sequence[Listed], reader: str, *, pixel_digest: bool = False) -> bytes:
    """Return the rows of files, packed; this is what a dask worker runs."""
    rows = read_files(files, reader=Reader(reader))
    return packed(with_pixel_digests(rows) if pixel_digest else rows)


def _read_one(client: Any, file: Listed, *, pixel_digest: bool) -> pa.Table:  # noqa: ANN401 - dask's types leave it open
    try:
        future = client.submit(read_chunk, [file], Reader.PYDICOM.value, pixel_digest=pixel_digest, pure=False)
        return unpacked(future.result())
    except _distributed().KilledWorker:
        return unreadable([file])


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """Connect to the scheduler, or start a local cluster with one process per core."""
    distributed = _distributed()
    if address == LOCAL:
        with (
            safe_start(),  # for as long as it runs: a worker that dies is replaced
            distributed.LocalCluster(threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    try:
        connected = distributed.Client(address, timeout=_SECONDS_TO_CONNECT)
    except (OSError, TimeoutError, ValueError):
        raise IndexReadError(
            f"--dask {address}: expected the address of a dask scheduler, such as tcp://host:8786, got no answer. "
            "Start one with `dask scheduler`, or give --dask local."
        ) from None
    with connected as client:
        yield client


def _distributed() -> ModuleType:
    """Return the package, unknown to mypy: dask's types leave most of it open."""
    try:
        return import_module("distributed")
    except ImportError:
        raise IndexReadError(
            "--dask: dask.distributed is not installed. Install it with: pip install 'monai-unlearn[dask]', "
            "or leave --dask out."
        ) from None
