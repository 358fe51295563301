"""The studio's own folder: specs as they were saved, drafts as they were typed, frozen cohorts, and runs."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn import strict_yaml
from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import InputError
from monai_unlearn.staging import write_text
from monai_unlearn.studio.confined import inside

if TYPE_CHECKING:
    from pathlib import Path

NEW = "new"
"""The draft of a spec that was not saved yet."""
_SUFFIX, _FROM = ".yaml", ".from"
_LONGEST_ORIGIN = 1_000


class ChangedError(InputError):
    """A spec was saved by somebody else since it was opened."""


@dataclass(frozen=True)
class Saved:
    """A spec as it was saved.

    Attributes:
        text: Its text; empty where there is none.
        digest: What tells whether it was saved again since; empty where there is none.
    """

    text: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Draft:
    """What was typed on one page and not saved: two tabs do not write over each other's.

    Attributes:
        key: The page on which it was typed.
        text: The text.
        digest: What tells whether it was typed on since.
        origin: The drafts that it began as, each as `KEY.DIGEST`, the last one first.
    """

    key: str
    text: str
    digest: str
    origin: str


@dataclass(frozen=True)
class Workspace:
    """The folder, for its owner alone: what an author types may name patients.

    Attributes:
        root: The folder.
    """

    root: Path

    @property
    def specs(self) -> Path:
        """Where specs are saved, with the files of their value sets."""
        return self.root / "specs"

    @property
    def cohorts(self) -> Path:
        """Where cohorts are frozen."""
        return self.root / "cohorts"

    @property
    def runs(self) -> Path:
        """Where revisions go."""
        return self.root / "runs"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            InputError: The folder cannot be written.
        """
        try:
            for folder in (self.root, self.specs, self._drafts, self.cohorts, self.runs):
                folder.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
        except OSError as error:
            raise InputError(
                f"{self.root}: cannot be written ({error.strerror}). Name another with --work DIR."
            ) from None

    @property
    def _drafts(self) -> Path:
        return self.root / "drafts"

    def names(self) -> list[str]:
        """Return the names of the saved specs, sorted."""
        return sorted(path.stem for path in self.specs.glob(f"*{_SUFFIX}"))

    def saved(self, name: str) -> Saved:
        """Return a saved spec; an empty one where there is none of this name.

        Raises:
            InputError: The name leads elsewhere, or the file cannot be read.
        """
        path = inside(self.specs, name + _SUFFIX)
        if not path.is_file():
            return Saved()
        text = strict_yaml.read(path)
        return Saved(text, digest_of(text))

    def seen(self, name: str, digest: str) -> Saved:
        """Return a saved spec as a page showed it.

        Args:
            name: Its name.
            digest: Its digest, as the page knew it.

        Raises:
            ChangedError: It was saved again, or removed, since then.
            InputError: The name leads elsewhere, or the file cannot be read.
        """
        found = self.saved(name)
        if found.digest != digest:
            raise ChangedError(
                f"'{name}' was saved again since this page was opened. Look at it as it is now. Nothing was done."
            )
        return found

    def parse(self, text: str) -> CohortSpec:
        """Read a spec as if it were saved already: its lists lie in the folder of specs.

        Raises:
            SpecError: It is not valid; the message lists every fault with its line.
        """
        return CohortSpec.parse(text, source="spec", folder=self.specs)

    def save(self, text: str, *, over: str) -> str:
        """Save a valid spec under its own name, and return that.

        Args:
            text: The spec.
            over: The digest of what it replaces; empty for a new one.

        Raises:
            SpecError: It is not valid.
            ChangedError: Something else was saved under its name in the meantime.
        """
        name = self.parse(text).name
        before = self.saved(name)
        # A new name replaces nothing, whatever the page was opened with.
        if before.text != text and before.digest and before.digest != over:
            raise ChangedError(
                f"'{name}' was saved before, by another tab or somebody else, since this page was opened. Nothing was "
                "changed. Save once more to replace it."
            )
        write_text(inside(self.specs, name + _SUFFIX), text)
        return name

    def drafts(self, name: str) -> list[Draft]:
        """Return what was typed for a spec and not saved, the newest first.

        Raises:
            InputError: The name leads elsewhere, or a file cannot be read.
        """
        paths = inside(self._drafts, name).glob(f"*{_SUFFIX}")
        newest = sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)
        texts = ((path.stem, strict_yaml.read(path), path.with_suffix(_FROM)) for path in newest)
        return [
            Draft(key, text, digest_of(text), begun.read_text(encoding="utf-8") if begun.is_file() else "")
            for key, text, begun in texts
        ]

    def keep_draft(self, name: str, key: str, text: str, *, origin: str = "") -> None:
        """Keep what is typed on a page: a browser may close at any time.

        Args:
            name: The spec.
            key: The page.
            text: What is typed.
            origin: What the page was opened with; see `Draft`.
        """
        if len(text.encode("utf-8", "surrogatepass")) <= strict_yaml.MAX_BYTES:
            path = self._draft(name, key)
            path.parent.mkdir(exist_ok=True)
            write_text(path, text.encode("utf-8", "replace").decode())
            write_text(path.with_suffix(_FROM), origin[:_LONGEST_ORIGIN])

    def drop_draft(self, name: str, key: str, *, only: str | None = None) -> None:
        """Forget a draft.

        Args:
            name: The spec.
            key: The page on which it was typed.
            only: Its digest as it was read; it stays if it was typed on since. None forgets it in any case.
        """
        path = self._draft(name, key)
        if path.is_file() and only in {None, digest_of(strict_yaml.read(path))}:
            path.unlink(missing_ok=True)
            path.with_suffix(_FROM).unlink(missing_ok=True)

    def _draft(self, name: str, key: str) -> Path:
        return inside(inside(self._drafts, name), key + _SUFFIX)


def new_key() -> str:
    """Return a name for what is typed on one page."""
    return secrets.token_hex(8)


def digest_of(text: str) -> str:
    """Return what tells whether a text was changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
