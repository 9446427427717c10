"""The warehouse as a whole."""

from replayhouse.infra.application.api.access import Access
from replayhouse.infra.application.api.answers import Answers
from replayhouse.infra.application.api.audit import Audit
from replayhouse.infra.application.api.loads import Loads
from replayhouse.infra.application.api.operations import Operations
from replayhouse.infra.application.api.privacy import Privacy
from replayhouse.infra.application.api.publishing import Publishing
from replayhouse.infra.application.api.quality import Quality
from replayhouse.infra.application.api.read_models import ReadModels


class Warehouse(
    Loads,
    Quality,
    ReadModels,
    Answers,
    Publishing,
    Audit,
    Privacy,
    Access,
    Operations,
):
    """A warehouse, with every use case as a method: what the command line does, and what it prints with `--json`.

    Results have a `document()`: the JSON document of the command, without `seconds`. Errors are exceptions below
    ReplayhouseError.
    """
