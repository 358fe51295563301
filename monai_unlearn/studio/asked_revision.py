"""What the form of a new revision asks for: checked before anything starts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.experiments.estimate import estimate
from monai_unlearn.locks import locked
from monai_unlearn.staging import write_text
from monai_unlearn.studio.bundles import bundle_named
from monai_unlearn.studio.confined import inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.studio.forms import Form
    from monai_unlearn.studio.studio import Studio

PROTOCOL = "protocol"
PROTOCOL_FILE = "protocol.yaml"
_RETRAIN = "retrain"
_SETTINGS = {"index": "index_dir", "spec": "cohort_spec"}
_OPTIONS = ("method", "budget", "reference", PROTOCOL)


@dataclass(frozen=True)
class AskedRevision:
    """A revision that is asked for.

    Attributes:
        spec: The name of the spec.
        job: Bundle, index, spec and options; see `job.command_of`.
        protocol: The text of the protocol that it follows; empty where it follows none.
    """

    spec: str
    job: Mapping[str, str]
    protocol: str = ""

    @property
    def files(self) -> dict[str, str]:
        """The texts that belong to it, by the option that names their file."""
        return {PROTOCOL_FILE: self.protocol} if self.protocol else {}


def asked_revision(studio: Studio, form: Form) -> AskedRevision:
    """Return what a form asks for.

    Raises:
        ConfigError: There is no index, or the protocol cannot be read.
        ChangedError: The spec was saved again since the page was opened.
        InputError: There is no such spec or bundle, the budget is no share, or the method no name.
    """
    if studio.settings.index is None:
        raise ConfigError("the studio was started without an index: start it with --index DIR.")
    # The choice says which text was meant: the file may be saved again by now, or before a resume.
    spec, _, digest = form.required("spec", what="The spec").partition(" ")
    if spec not in studio.workspace.names():
        raise InputError("there is no such spec: save it on the page Cohort first. Nothing was started.")
    studio.workspace.seen(spec, digest)
    options = _options(form)
    job = {
        "bundle": str(bundle_named(studio, form["bundle"]).resolve()),
        "index": str(studio.settings.index.resolve()),
        "spec": str(inside(studio.workspace.specs, f"{spec}.yaml").resolve()),
        "spec_digest": digest,
        **options,
    }
    return AskedRevision(spec, job, _protocol(form, options))


def estimate_of(studio: Studio, asked: AskedRevision) -> dict[str, Any]:
    """Return what a revision would cost; see `experiments.estimate`.

    Raises:
        ConfigError: The run would refuse its input.
        InputError: Another estimate is being made.
    """
    busy = InputError("another estimate is being made: wait for it.")
    with locked(studio.workspace.runs / ".estimating", refusal=busy), _written(asked) as job:
        settings = {_SETTINGS.get(name, name): job[name] for name in (*_SETTINGS, *_OPTIONS) if job.get(name)}
        return estimate(Path(job["bundle"]), settings)


@contextmanager
def _written(asked: AskedRevision) -> Iterator[Mapping[str, str]]:
    """Yield the job, with its protocol as a file for the time of the block."""
    with TemporaryDirectory(prefix="monai-unlearn-protocol-") as folder:
        if asked.protocol:
            write_text(path := Path(folder, PROTOCOL_FILE), asked.protocol)
            yield {**asked.job, PROTOCOL: str(path)}
        else:
            yield asked.job


def _protocol(form: Form, options: Mapping[str, str]) -> str:
    """Return the text of the protocol that a form brings; empty where it brings none."""
    given = form.files.get(PROTOCOL)
    if given is None:
        return ""
    if named := [name for name in ("method", "budget", "reference") if name in options]:
        raise InputError(
            f"a protocol says itself how to revise, and needs no retrained models: leave {', '.join(named)} as the "
            "form had it, or leave the protocol out. Nothing was started."
        )
    text = given.text()
    Protocol.from_dict(strict_yaml.load(text, source=PROTOCOL), source=PROTOCOL)
    return text


def _options(form: Form) -> dict[str, str]:
    """Return the options that a form names, of those that it may name."""
    found: dict[str, str] = {}
    if method := form["method"].strip():
        if not method.replace("_", "").isalnum():
            raise InputError("expected the name of a method, such as psg, got something else. Nothing was started.")
        found["method"] = method
    if budget := form["budget"].strip():
        try:
            share = float(budget) / 100
        except ValueError:
            share = -1.0
        if not 0 < share <= 1:
            raise InputError("expected a budget from 1 to 100 percent of retraining. Nothing was started.")
        found["budget"] = f"{share:g}"
    if form["reference"] == _RETRAIN:
        found["reference"] = _RETRAIN
    return found
