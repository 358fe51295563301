"""What experiments on many cohorts share: their folder, their runs, what is tried of each method, and the progress."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.experiments.plan import Plan, require_validation
from monai_unlearn.experiments.rehearsal_runs import COHORTS, RehearsalRuns
from monai_unlearn.experiments.runner import threads_each
from monai_unlearn.experiments.search_space import search_spaces
from monai_unlearn.experiments.sharing import sharing
from monai_unlearn.experiments.warm_runs import warm_runs
from monai_unlearn.locks import locked
from monai_unlearn.staging import check_writable, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.experiments.draw import RehearsalCohort
    from monai_unlearn.experiments.search_space import Space

README = "README.md"


class ExperimentPlan(Protocol):
    """What every plan says; see `RehearsalPlan` and `ComparisonPlan`."""

    @property
    def config(self) -> Path: ...  # noqa: D102 - as in the plans
    @property
    def index(self) -> Path: ...  # noqa: D102
    @property
    def methods(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def seeds(self) -> int: ...  # noqa: D102
    @property
    def fixed(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def jobs(self) -> int: ...  # noqa: D102
    @property
    def trust(self) -> bool: ...  # noqa: D102


@contextmanager
def owned_folder(
    out: Path, *, what: str, readme: str, fixed: Mapping[str, str] = MappingProxyType({})
) -> Iterator[None]:
    """Make the folder of an experiment, for its owner alone, and keep others out while it is written.

    Its runs share one import of what they need, and what they decode. Where input is refused before the first run, a
    folder that was made for it is removed again.

    Args:
        out: The folder: new, empty, or of an earlier experiment of the same kind.
        what: Its kind, for messages, such as `rehearsal`.
        readme: The content of its `README.md`, by which a folder of this kind is known.
        fixed: Settings that all runs share, by their ids: they may name a place for decoded images.

    Raises:
        ConfigError: It is something else's, or another process is writing there.
        InputError: It cannot be made, or written.
    """
    check_writable(out)
    marker = out / README
    mine = marker.is_file() and marker.read_text(encoding="utf-8", errors="replace") == readme
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not mine):
        raise ConfigError(f"--out {out}: expected a new or empty folder, or that of an earlier {what}. Choose another.")
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    refusal = ConfigError(f"--out {out}: another {what} is writing there. Wait for it, or choose another folder.")
    with locked(out / ".lock", refusal=refusal):
        out.chmod(0o700)
        write_text(marker, readme)
        try:
            with warm_runs(), sharing(out, fixed):
                yield
        except InputError:
            if is_new and not (out / COHORTS).exists():
                shutil.rmtree(out, ignore_errors=True)
            raise


class Experiment:
    """One experiment while it goes on.

    Args:
        plan: What to run.
        out: Its folder.
        progress: Called with what is going on, how many runs are done, and how many there may be.
    """

    def __init__(self, *, plan: ExperimentPlan, out: Path, progress: Callable[[str, int, int], None]) -> None:
        from monai_unlearn.index import Index

        self.out, self._progress = out, progress
        self._plan = plan
        self.index = Index.open(plan.index, trust=plan.trust)
        self.runs = RehearsalRuns(
            config=plan.config,
            index=plan.index,
            index_digest=self.index.digest,
            fixed=plan.fixed,
            seeds=plan.seeds,
            out=out,
            threads=threads_each(plan.jobs),
        )
        self._done, self._total, self._lock = 0, 0, threading.Lock()

    @property
    def bundle(self) -> Path:
        """The folder of the bundle."""
        return self._plan.config.parent.parent.resolve()

    def spaces(self, *, default: bool = False) -> dict[str, Space]:
        """Return what is tried of each method, but for what the user fixes.

        Args:
            default: Whether `default` may be among the methods.
        """
        found = search_spaces(self._plan.methods, folder=self.bundle, default=default)
        return {
            name: {key: values for key, values in space.items() if key not in self._plan.fixed}
            for name, space in found.items()
        }

    def require_validation(self, cohort: RehearsalCohort) -> None:
        """Refuse a cohort that has no validation images to choose settings by.

        Raises:
            DataError: It has none.
        """
        plan = self._plan
        require_validation(
            Plan(
                config=plan.config,
                spec=cohort.path,
                index=plan.index,
                axes={},
                fixed=plan.fixed,
                reference=None,
                trust=plan.trust,
            )
        )

    def going_on(self, what: str) -> None:
        """Say what is going on."""
        self._progress(what, self._done, self._total)

    def one_done(self, what: str) -> None:
        """Count a run that is done."""
        with self._lock:
            self._done += 1
            self.going_on(what)
