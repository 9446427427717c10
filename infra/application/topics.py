"""The topics that there should be on the brokers, shown or made."""

from dataclasses import dataclass

from replayhouse.infra.application.site import Site
from replayhouse.infra.kafka.clients import bootstrap_of
from replayhouse.infra.kafka.topics import Action, Planned, make_topics, plan_topics


@dataclass(frozen=True)
class TopicsReport:
    """What is to be done about each topic on the brokers at `bootstrap`; where it `is_applied`, what was done."""

    bootstrap: str
    is_applied: bool
    topics: tuple[Planned, ...]

    @property
    def is_refused(self) -> bool:
        """Whether topics were to be made, and some that are there are not as they should be."""
        return self.is_applied and any(planned.action is Action.TELL for planned in self.topics)

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "bootstrap": self.bootstrap,
            "applied": self.is_applied,
            "topics": [planned.document() for planned in self.topics],
        }


def topics(site: Site, *, apply: bool) -> TopicsReport:
    """The plan of all topics, carried out if it is to be applied: what is there is never changed or removed."""
    kafka = site.kafka
    bootstrap = bootstrap_of(site.settings, kafka)
    plan = make_topics(kafka, bootstrap) if apply else plan_topics(kafka, bootstrap)
    return TopicsReport(bootstrap, apply, tuple(plan))
