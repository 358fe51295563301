"""What a bundle run needs from MONAI: the bundle's folder, the config as executed, and readable errors.

MONAI evaluates configs by calling our functions from within a `ConfigWorkflow`, but does not pass them the workflow,
and a config cannot name the folder it was loaded from. Both are found on the call stack.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
import traceback
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle import ConfigWorkflow
from torch import nn

from monai_unlearn.engine.bundle_configs import bundle_configs
from monai_unlearn.engine.config_values import on_the_stack, owners_on_the_stack, taken_by_name
from monai_unlearn.errors import ConfigError, ExitCode, NotAccepted, UnlearnError, is_interrupt
from monai_unlearn.evaluation.decision.decision import KEYS as DECISION_KEYS
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType

INTERRUPTED = "Interrupted: no result was written. If there is a checkpoint, the same command resumes from it."


class HostedWorkflow(ConfigWorkflow):
    """A bundle run within a program of its own, which handles its errors itself; see `hosted.py`.

    Attributes:
        given: The settings that its caller gave, as a command line would, by their ids.
    """

    given: Mapping[str, Any] = MappingProxyType({})


def current_workflow() -> ConfigWorkflow | None:
    """Return the nearest workflow that is evaluating the calling code, or None."""
    return on_the_stack(ConfigWorkflow)


def bundle_root() -> str:
    """Return the folder of the bundle whose config is being run; otherwise the working folder."""
    workflow = current_workflow()
    if workflow is None:
        return str(Path.cwd())
    return str(root_of(Path(workflow.config_root_path)))


def root_of(configs: Path) -> Path:
    """Return the bundle's folder by the folder that its configs are in, as MONAI finds it."""
    configs = configs.resolve()
    return configs.parent if configs.name == "configs" else configs


def executed_config() -> dict[str, Any]:
    """Return the config being run, overrides included, as plain values; empty outside a run."""
    workflow = current_workflow()
    if workflow is None:
        return {}
    content = {key: value for key, value in workflow.parser.config.items() if key != workflow.parser.meta_key}
    plain = _plain(content)
    return plain if isinstance(plain, dict) else {}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    # An override given from Python may be any object.
    return type(value).__name__ if isinstance(value, nn.Module) else str(value)


def usable_device(name: str | torch.device) -> torch.device:
    """Return a device after trying it.

    Raises:
        ConfigError: This machine does not have it.
    """
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"device: '{name}' cannot be used here. Give --device cpu, or a device that this machine has."
        ) from error
    return device


def report_errors() -> None:
    """Install a `sys.excepthook` that prints this package's errors as one message and exits with their code.

    A bundle's config calls this in `initialize`. MONAI wraps what a component raises, often more than once, and Python
    then prints pages of traceback with the message that says what to do in the middle. Other errors keep their
    traceback. Only where MONAI is the program, `python -m monai.bundle`: any other one has hooks of its own.

    Raises:
        ConfigError: A setting is misspelt; see `refuse_misspelt`.
    """
    if _is_monai_the_program():
        sys.excepthook = _report
    workflow = current_workflow()
    if workflow is not None:
        # MONAI itself runs some ids, and an id that the bundle's files define is not a typing error: other people's
        # bundles may have ids that only their other configs use.
        called = {workflow.init_id, workflow.run_id, workflow.final_id}
        content = workflow.parser.config
        files = list(bundle_configs(Path(workflow.config_root_path)))
        # A run is told its settings, not its files: a file that defines an id the run lacks is none of its files.
        own = {name for file in files if file.keys() <= content.keys() for name in file}
        # Settings of a training run within a run come from that run: a training config need not know them all.
        is_inner = any(outer is not workflow for outer in owners_on_the_stack(ConfigWorkflow))
        given = [name for name in _given(workflow, content) if name not in called | own] if not is_inner else []
        refuse_misspelt(content, known=called | {name for file in files for name in file}, given=given)


def _is_monai_the_program() -> bool:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec is not None and str(spec.name).startswith("monai.bundle")


def _given(workflow: ConfigWorkflow, content: Mapping[str, Any]) -> list[str]:
    """Return the ids that the caller of a run set, or set something within: in Python, or on the command line."""
    if isinstance(workflow, HostedWorkflow):
        words: Sequence[str] = [f"--{name}" for name in workflow.given]
    else:
        words = sys.argv
    return [name for name in content if _is_given(name, words)]


def _is_given(name: str, words: Sequence[str]) -> bool:
    """Return whether a command line sets a setting, or something within it."""
    return any(re.match(rf"--?{re.escape(name)}(=|::|$)", word) for word in words)


def refuse_misspelt(config: Mapping[str, Any], *, known: Collection[str] = (), given: Collection[str] = ()) -> None:
    """Refuse a setting that nothing uses: given on the command line, or close to the name of one that is used.

    MONAI takes any `--name value` into the config, and would silently ignore `--refrence retrain`. A setting is used
    if the config refers to it as `@name`, or if a component takes it by its name (see `Revision.from_config`).

    Args:
        config: The config, overrides included.
        known: Ids that are right as they are.
        given: Settings of the command line that no file of the run defines.

    Raises:
        ConfigError: There is such a setting; the message suggests the name that was probably meant.
    """
    text = json.dumps(_plain(config))
    # What a component would take by name counts even where the config leaves it at its default.
    used = {key for key in config if re.search(rf"@{re.escape(key)}\b", text)} | set(taken_by_name(config))
    for key in (key for key in config if key not in used and (key in given or key not in known)):
        if "decision" in used and key in DECISION_KEYS:
            raise ConfigError(f"nothing in the config uses '{key}'. Did you mean '--decision::{key}'?")
        cutoff = 0.0 if key in given else 0.8
        meant = difflib.get_close_matches(key, sorted(used), n=1, cutoff=cutoff)
        if meant or key in given:
            hint = f" Did you mean '--{meant[0]}'?" if meant else ""
            raise ConfigError(f"nothing in the config uses '{key}'.{hint}")


def ours(error: BaseException | None) -> UnlearnError | None:
    """Return the `UnlearnError` in a chain of exceptions, if there is one."""
    while error is not None:
        if isinstance(error, UnlearnError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if is_interrupt(error):
        say(INTERRUPTED, err=True)
        raise SystemExit(130)
    found = ours(error)
    if found is None:
        say("".join(traceback.format_exception(kind, error, trace)).rstrip(), err=True)
        raise SystemExit(int(ExitCode.UNEXPECTED))
    summary, *details = str(found).splitlines() or [""]
    if details:
        say(*(() if isinstance(found, NotAccepted) else (summary,)), *details, err=True)
        if summary.endswith(":"):
            summary = f"{summary} {details[0].strip()}"
    # The last line says what is wrong, or which verdict it is, for people and pipelines that see only that.
    say(summary if isinstance(found, NotAccepted) else f"Error: {summary}", err=True)
    raise SystemExit(int(found.exit_code))
