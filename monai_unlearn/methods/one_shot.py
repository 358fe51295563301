"""Methods that edit the weights once and take no step."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from monai_unlearn.methods.base import Method, MethodContext, StepSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class OneShot(Method):
    """A method whose `edit` does everything; the engine takes no step.

    A killed run edits the original weights again, which gives the same ones: an edit depends on the weights, the
    images and the seed alone. Every process makes the whole edit.
    """

    one_shot: ClassVar[bool] = True
    # No batch is drawn; its sizes are those of a pass.
    steps = StepSettings(batch_size=1, remain_batch_size=1)

    def prepare(self, context: MethodContext) -> None:
        """Store the network, and edit its weights."""
        super().prepare(context)
        self.edit(context)

    @abstractmethod
    def edit(self, context: MethodContext) -> None:
        """Change the weights of `context.network` in place."""

    def loss(self, batch: Mapping[str, Any]) -> Tensor:  # noqa: ARG002 - the signature of a method
        """Take no step.

        Raises:
            AssertionError: Always.
        """
        raise AssertionError(f"{type(self).__name__} takes no steps")

    @property
    def parts(self) -> tuple[str, ...]:
        """None: there is no step."""
        return ()
