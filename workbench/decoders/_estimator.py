"""The conventions of scikit-learn without importing it: the live engine reads decoders and must start fast."""

from __future__ import annotations

import inspect
from typing import Any, Self

from workbench.errors import BadSignal, BadValue


class Estimator:
    """Parameters are what the constructor takes and stores, nothing else; learned names end in ``_``."""

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Names of the constructor's parameters."""
        return tuple(name for name in inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 scikit-learn's signature
        """Parameters by name; ``deep`` changes nothing, as no parameter is an estimator."""
        return {name: getattr(self, name) for name in self.parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name."""
        for name, value in params.items():
            if name not in self.parameter_names():
                raise BadValue(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(self.parameter_names())}"
                )
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of an estimator: a classifier of three-dimensional arrays."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether ``fit`` has run."""
        return hasattr(self, "classes_")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({shown})"

    def _require_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise BadSignal(f"this {type(self).__name__} is not fitted; call fit first")
