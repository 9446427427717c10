"""The one error of the domain: a decision that would break a rule."""

from collections.abc import Callable


class DomainError(Exception):
    """Says which rule, on which aggregate, with which values."""

    def __init__(self, rule: str, aggregate: str, **values: object) -> None:
        self.rule = rule
        self.aggregate = aggregate
        self.values = values
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        super().__init__(f"{rule}: {aggregate} ({told})" if told else f"{rule}: {aggregate}")

    def __reduce__(self) -> "tuple[Callable[..., DomainError], tuple[str, str, dict[str, object]]]":
        """The same error in another process: loads are decided by several."""
        return _told_again, (self.rule, self.aggregate, self.values)


def _told_again(rule: str, aggregate: str, values: dict[str, object]) -> DomainError:
    return DomainError(rule, aggregate, **values)
