"""The package as a Python library: one call for a whole revision."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.spec.spec import CohortSpec
from monai_unlearn.errors import ConfigError, NotAccepted, SpecError
from monai_unlearn.index.store.store import Index
from monai_unlearn.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_OWN = {"index_dir": "index", "cohort_spec": "spec"}


def unlearn(
    bundle: str | Path,
    *,
    index: str | Path | Index,
    spec: str | Path | CohortSpec,
    output_dir: str | Path,
    reference: str | Sequence[str | Path] | None = None,
    tracking: str | None = None,
    **settings: Any,  # noqa: ANN401 - settings of a config are any plain values
) -> Result:
    """Revise a bundle's weights so that they forget a cohort, write bundle and evidence, and return the result.

    It does what `python -m monai.bundle run unlearn` does, in this process:

    ```python
    result = unlearn("bundle", index="index", spec="cohort.yaml", output_dir="revision", reference="retrain")
    result.verdict, result.metrics, result.card
    result = unlearn("bundle", …, method="reset", seed=1, **{"decision::objective": "erase"})
    ```

    Args:
        bundle: The bundle's folder, with `configs/unlearn.yaml`. For a bundle of others, this is laid over the config
            of the bundle that defines what it uses; see `experiments/run_configs.py`.
        index: The index, or its folder.
        spec: The cohort spec, or its file.
        output_dir: Where results go; new or empty.
        reference: What the result is compared with: `retrain`, or weights trained without the cohort; None for nothing.
        tracking: `mlflow`, or a file of tracking settings, as MONAI's option of this name.
        settings: Settings of the bundle's config by their ids, such as `method`, `budget`, `protocol` or `device`.

    Returns:
        The result, whatever its verdict.

    Raises:
        InputError: The bundle, index, spec or a setting cannot be used; nothing was written.
        TrainingError: The loss or a weight stopped being finite.
    """
    from monai_unlearn.engine.hosted import run_hosted
    from monai_unlearn.experiments.run_configs import check_parts_of_method, run_configs

    for name, argument in _OWN.items():
        if name in settings:
            raise ConfigError(f"{name}: unlearn() takes it as {argument}=…; leave {name} out.")
    configs = run_configs(Path(bundle))
    check_parts_of_method(configs, settings)
    with _spec_file(spec) as file:
        given: Mapping[str, Any] = {
            "index_dir": str(index.directory if isinstance(index, Index) else index),
            "cohort_spec": str(file),
            "output_dir": str(output_dir),
            **({} if reference is None else {"reference": _plain(reference)}),
            **{name: _plain(value) for name, value in settings.items()},
        }
        with suppress(NotAccepted):  # a result like any other: its verdict says so
            run_hosted(configs, "unlearn", given, tracking=tracking)
    return Result.read(output_dir)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any setting
    """Return a setting as configs take it: paths as text, tuples as lists."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value


@contextmanager
def _spec_file(spec: str | Path | CohortSpec) -> Iterator[Path]:
    """Yield the file of a spec; one that was not read from a file is written, for its owner alone, during the run.

    Raises:
        SpecError: The spec cannot be written as a file.
    """
    if not isinstance(spec, CohortSpec):
        yield Path(spec)
        return
    source = Path(spec.source)
    if source.is_file() and _is_of(source, spec):
        yield source
        return
    with TemporaryDirectory(prefix="monai-unlearn-") as folder:
        path = Path(folder, f"{spec.name}.yaml")
        path.write_text(spec.to_yaml(), encoding="utf-8")
        if not _is_of(path, spec):
            raise SpecError(f"{spec.source}: this spec cannot be written as a file. Read it from one: CohortSpec.read.")
        yield path


def _is_of(path: Path, spec: CohortSpec) -> bool:
    try:
        return CohortSpec.read(path).digest == spec.digest
    except SpecError:
        return False
