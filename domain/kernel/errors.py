"""The one error of the domain: a decision that would break a rule."""


class DomainError(Exception):
    """Says which rule, on which aggregate, with which values."""

    def __init__(self, rule: str, aggregate: str, **values: object) -> None:
        self.rule = rule
        self.aggregate = aggregate
        self.values = values
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        super().__init__(f"{rule}: {aggregate} ({told})" if told else f"{rule}: {aggregate}")
