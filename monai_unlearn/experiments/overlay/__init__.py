"""Writes the configs by which a bundle that was made without this package can forget. Never loads torch.

Configs are data here: what a `$` expression says is followed where it is plain, and never evaluated. Only the dry run
evaluates it, in a process of its own.
"""
