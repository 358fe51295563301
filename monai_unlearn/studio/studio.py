"""What all pages share while a studio runs: one opened index, its folder, and what was computed last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING

from monai_unlearn.cohort.reports.field_values import field_values
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.errors import ConfigError
from monai_unlearn.studio.masking import Masking
from monai_unlearn.studio.session import Session
from monai_unlearn.studio.turns import OutdatedError, Turns
from monai_unlearn.studio.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monai_unlearn.cohort import Cohort, CohortSpec
    from monai_unlearn.index import Index
    from monai_unlearn.studio.settings import Settings

_KEPT = 3
"""Cohorts of a million images that are kept: what was typed last, and what it is compared with."""


class Studio:
    """A running studio.

    Args:
        settings: What it was given.
        session: The secrets of this run; new ones by default.
    """

    def __init__(self, settings: Settings, session: Session | None = None) -> None:
        self.settings, self.session = settings, session or Session()
        self.workspace, self.turns = Workspace(settings.work), Turns()
        self._lock = threading.Lock()
        self._cohorts: OrderedDict[str, Cohort] = OrderedDict()
        self._values: dict[str, Mapping[str, int]] = {}

    @cached_property
    def index(self) -> Index | None:
        """The index, opened once; None where the studio was started without one.

        Raises:
            IndexReadError: It cannot be opened.
        """
        if self.settings.index is None:
            return None
        from monai_unlearn.index import Index

        return Index.open(self.settings.index, trust=self.settings.trust)

    @cached_property
    def masking(self) -> Masking:
        """What hides the identifiers of the index in what a run prints.

        Raises:
            IndexReadError: The index cannot be opened.
        """
        return Masking(self.index)

    def cohort(self, spec: CohortSpec, *, is_wanted: Callable[[], bool] = lambda: True) -> Cohort:
        """Resolve a spec without its guards; the last few are kept.

        Args:
            spec: The spec.
            is_wanted: Tells whether anybody still waits for it once it has its turn.

        Raises:
            OutdatedError: Nobody does.
            SpecError: A field or value does not fit the index.
            IndexReadError: The index cannot be read.
            ConfigError: There is no index.
        """
        if self.index is None:
            raise ConfigError("the studio was started without an index: start it with --index DIR.")
        # One at a time: two would each take twice as long, and the older one is no longer asked for.
        with self._lock:
            if not is_wanted():
                raise OutdatedError
            found = self._cohorts.get(spec.digest) or resolve_unguarded(spec, self.index)
            self._cohorts[spec.digest] = found
            self._cohorts.move_to_end(spec.digest)
            while len(self._cohorts) > _KEPT:
                self._cohorts.popitem(last=False)
        return found

    def values(self, index: Index, name: str) -> Mapping[str, int]:
        """Return `field_values`, counted once a field.

        Raises:
            IndexReadError: The index cannot be read.
        """
        if name not in self._values:
            self._values[name] = field_values(index, name)
        return self._values[name]
