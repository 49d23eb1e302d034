"""The conventions of scikit-learn without importing it: the live engine reads decoders and must start fast."""

from __future__ import annotations

import inspect
from copy import deepcopy
from typing import Any, ClassVar, Self

from workbench.errors import BadValue


class Estimator:
    """Parameters are what the constructor takes and stores, nothing else; learned names end in ``_``."""

    fit_metadata: ClassVar[tuple[str, ...]] = ()
    """What ``fit`` takes beside epochs and classes."""

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

    # ------------------------------------------------------------------ metadata routing
    def set_fit_request(self, **requested: bool | str | None) -> Self:
        """Ask scikit-learn's metadata routing to hand ``lead_in`` or ``blocks`` on to ``fit``.

        Parameters
        ----------
        **requested : True or False for whether it is asked for, None where handing it in is an error, or the name
            under which it is handed in; ``set_fit_request(blocks=True)``.

        Raises
        ------
        BadValue
            For a name that ``fit`` does not take.
        """
        unknown = sorted(set(requested) - set(self.fit_metadata))
        if unknown:
            raise BadValue(f"fit takes no {', '.join(unknown)}; it takes {', '.join(self.fit_metadata)}")
        request = self.get_metadata_routing()
        for name, alias in requested.items():
            request.fit.add_request(param=name, alias=alias)
        # The name under which scikit-learn's clone looks for it.
        self._metadata_request = request
        return self

    def get_metadata_routing(self) -> Any:
        """What ``fit`` asks for, as scikit-learn's ``MetadataRequest``."""
        from sklearn.utils.metadata_routing import MetadataRequest

        if hasattr(self, "_metadata_request"):
            return deepcopy(self._metadata_request)
        request = MetadataRequest(owner=type(self).__name__)
        for name in self.fit_metadata:
            request.fit.add_request(param=name, alias=None)
        return request

    # ------------------------------------------------------------------ shown
    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({shown})"

    def require_fitted(self) -> None:
        """Raise scikit-learn's ``NotFittedError``, which is a :class:`BadSignal` too, before ``fit``."""
        if not self.__sklearn_is_fitted__():
            from workbench.decoders._not_fitted import NotFitted

            raise NotFitted(f"this {type(self).__name__} is not fitted; call fit first")
