"""Applies a rehearsed protocol in a bundle run: its method, settings, budget and decision, and no others."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle import ConfigWorkflow
from torch import Tensor

from monai_unlearn import strict_yaml
from monai_unlearn.engine.chosen_method import method_of
from monai_unlearn.engine.config_values import on_the_stack
from monai_unlearn.engine.host import HostedWorkflow
from monai_unlearn.errors import ConfigError, SpecError
from monai_unlearn.evaluation.decision import Decision
from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
from monai_unlearn.evaluation.decision.held_settings import GIVEN_WITHIN, not_held
from monai_unlearn.evaluation.decision.protocol import GIVEN_TO_A_RUN, Protocol, setting_at
from monai_unlearn.methods import info_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.evaluation.decision.applied_protocol import CohortFacts
    from monai_unlearn.methods import Method
    from monai_unlearn.release import BundleInfo

# What MONAI takes on the command line for itself.
_OF_MONAI = {*inspect.signature(ConfigWorkflow.__init__).parameters, "workflow_name", "args_file"}
# Without retrained networks there is nothing to stop by; rehearsal runs set none either.
_STOP: dict[str, Any] = {}
_PACKAGE = __name__.partition(".")[0]


def follow_protocol() -> None:
    """Put what the protocol of a run says into its config, before anything is built from it.

    A bundle's config calls this in `initialize`. Without a protocol it does nothing.

    Raises:
        ConfigError: The protocol cannot be read; or the command line sets something that decides how the network is
            revised or judged, otherwise than the protocol says.
    """
    workflow = on_the_stack(ConfigWorkflow)
    given = None if workflow is None else workflow.parser.config.get("protocol")
    if workflow is None or given is None:
        return
    protocol = Protocol.read(Path(given))
    said = dict(settings_of(protocol))
    refuse_contradictions(_overrides(), said)
    for name, value in said.items():
        workflow.parser.set(value, name)
    workflow.parser.parse(reset=True)


def settings_of(protocol: Protocol) -> Iterator[tuple[str, Any]]:
    """Yield what a protocol says, by ids of the config."""
    yield "method", dict(protocol.method)
    yield "budget", protocol.budget
    yield "decision", dict(protocol.decision)
    yield "stop", dict(_STOP)
    yield from protocol.settings.items()


def refuse_contradictions(overrides: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Refuse settings of a command line that a protocol sets otherwise, or does not have at all.

    Args:
        overrides: The settings of the command line, by id.
        said: What the protocol says, by id; a value may be a mapping of further ids.

    Raises:
        ConfigError: There is such a setting; the message names it.
    """
    for name, value in overrides.items():
        key = name.replace("#", "::")
        if _is_given(key):
            continue
        known, expected = setting_at(said, key)
        if known and _same(value, expected):
            continue
        told = f"the protocol sets {expected!r}" if known else "the protocol does not have it"
        raise ConfigError(
            f"--{name}: a run by a protocol revises and judges as it was rehearsed; {told}. Leave --{name} out, or run "
            "without --protocol and with --reference retrain."
        )


def _is_given(key: str) -> bool:
    """Return whether an id is one that each run is given anew."""
    section, _, rest = key.partition("::")
    within = GIVEN_WITHIN.get(section)
    return section in GIVEN_TO_A_RUN if within is None else rest.partition("::")[0] in within


def applied_protocol(
    given: str | Path | None,
    *,
    accept_bound: float | None,
    cohort: CohortFacts,
    bundle: BundleInfo,
    weights: str,
    decision: Decision,
    method: Method,
    config: Mapping[str, Any],
) -> AppliedProtocol | None:
    """Return the protocol that a run applies, after comparing it with what the run does; None without one.

    Args:
        given: The file.
        accept_bound: The largest bound on failures that the run accepts; None for the default.
        cohort: The cohort, as the data of the run hold it.
        bundle: The bundle that is revised.
        weights: The digest of the weights that are revised. A protocol holds for the weights that it was rehearsed on:
            other weights, those of a later version of the bundle too, would be revised otherwise.
        decision: What the run is judged by.
        method: Its method.
        config: The config as executed, with `RECIPE`; empty where the run was built in Python.

    Raises:
        ConfigError: The protocol cannot be read, is another bundle's, or says otherwise than the run does; or a bound
            is to be accepted and there is no protocol.
    """
    if given is None:
        if accept_bound is not None:
            raise ConfigError("accept_bound: it is the bound of a protocol. Give --protocol FILE, or leave it out.")
        return None
    protocol = Protocol.read(Path(given))
    applied = AppliedProtocol(protocol=protocol, cohort=cohort, accept_bound=accept_bound)
    if (protocol.bundle.name, protocol.bundle.weights) != (bundle.name, weights):
        known = protocol.bundle
        raise ConfigError(
            f"{given}: it was rehearsed with {known.name} {known.version}, weights {known.weights[:19]}…; this run "
            f"revises {bundle.name} {bundle.version}, weights {weights[:19]}…. Rehearse with this bundle and these "
            "weights: monai-unlearn rehearse."
        )
    base = decision.base_healthy_classes
    declared = Decision.from_config(protocol.decision, class_names=decision.class_names, base_healthy_classes=base)
    if declared != decision:
        raise _not_followed(given, "decision")
    if (name := _method_differs(protocol, method)) or (name := _config_differs(protocol, config)):
        raise _not_followed(given, name)
    return applied


def _method_differs(protocol: Protocol, method: Method) -> str | None:
    """Return the first setting of the method that is not the protocol's, or None.

    What the protocol leaves out is at the method's default, and what the method does not take is refused.
    """
    if protocol.method["name"] != info_of(method).name:
        return "method"
    place = _state_differs(method_of(dict(protocol.method)), method)
    names = inspect.signature(type(method).__init__).parameters
    return None if place is None else "::".join(["method", *(name for name in place[-1:] if name in names)])


def _state_differs(one: object, other: object) -> list[str] | None:
    """Return the path to the first attribute in which two objects of this package differ, or None."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return None if torch.equal(one, other) else []
    if type(one) is not type(other) or not type(one).__module__.startswith(_PACKAGE):
        return None if one == other else []
    for name in {**vars(one), **vars(other)}:
        below = _state_differs(vars(one).get(name), vars(other).get(name))
        if below is not None:
            return [name, *below]
    return None


def _config_differs(protocol: Protocol, config: Mapping[str, Any]) -> str | None:
    """Return the first setting of a config that is not the protocol's, or None; an empty config has none."""
    if not config:
        return None
    said = {name: value for name, value in settings_of(protocol) if name not in {"method", "decision"}}
    found = {name: setting_at(config, name) for name in said}
    named = next((name for name, (known, one) in found.items() if not known or not _same(one, said[name])), None)
    return named or not_held(protocol, config)


def _not_followed(given: str | Path, name: str) -> ConfigError:
    return ConfigError(
        f"{given}: the run does not follow it in '{name}'. Put $monai_unlearn.engine.follow_protocol() first into "
        "`initialize` of the config, as the bundles of this package do, and leave the rest as it was rehearsed; or "
        "leave the protocol out."
    )


def _overrides() -> dict[str, Any]:
    """Return the settings of the command line, or of its file: MONAI's own function that is starting the run has them.

    Empty where a program built the workflow itself; what it sets is compared once the run is built.
    """
    hosted = on_the_stack(HostedWorkflow)
    if hosted is not None:
        return dict(hosted.given)
    frame = sys._getframe()  # noqa: SLF001 - MONAI hands the settings to nobody
    found: dict[str, Any] = {}
    while frame is not None:
        if frame.f_code.co_name == "create_workflow" and isinstance(frame.f_locals.get("_args"), dict):
            found = frame.f_locals["_args"]
        frame = frame.f_back  # type: ignore[assignment]  # None at the end, as the loop asks
    return {name: value for name, value in found.items() if name not in _OF_MONAI}


def _same(one: object, other: object) -> bool:
    """Return whether two settings are the same; on a command line, a mapping or a list may be given as text."""
    return _plain(one) == _plain(other)


def _plain(value: object) -> object:
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return strict_yaml.load(value, source="--")
        except SpecError:
            return value
    return list(value) if isinstance(value, tuple) else value
