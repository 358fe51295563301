from __future__ import annotations

import pytest
from watch_example import plan_of

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.release.store import Store
from monai_unlearn.watch.base import base_of


def test_the_bundle_that_was_given_or_is_deployed(place):
    protocol = Protocol.read(place / "protocol.yaml")
    assert base_of(plan_of(place)).why_not(protocol) is None
    with pytest.raises(ConfigError, match="give --bundle DIR, or a --store that deploys one"):
        base_of(plan_of(place, bundle=None))
    store = Store(place / "store")
    store.deploy(store.keep(place / "bundle", name="Some", version="1.1.0"))
    base = base_of(plan_of(place, bundle=None))
    assert base.root == store.current.resolve()
    assert base.why_not(protocol) is None


def test_what_is_no_bundle_to_revise(place):
    (place / "bundle" / "configs" / "unlearn.yaml").unlink()
    with pytest.raises(ConfigError, match="expected a bundle with configs/unlearn.yaml"):
        base_of(plan_of(place))
