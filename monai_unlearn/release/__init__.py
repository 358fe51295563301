"""Weights and bundles: read, revise, sign, verify and write them whole. Loads torch only for weights."""

import lazy_loader

# In the stub, so that a release can be verified, and its ledger read, without torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
