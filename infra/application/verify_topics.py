"""Do the topics hold what the log holds? Every message is held against the event that the log has at its position."""

from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.kafka.clients import bootstrap_of
from replayhouse.infra.kafka.comparison import Chain, Compared, Comparison, Differs, Verified
from replayhouse.infra.kafka.positions import relay_positions
from replayhouse.infra.kafka.reader import reading
from replayhouse.infra.publishing.log_reader import ContextLog


def verify_topics(site: Site, contexts: Iterable[str] | None) -> Verified:
    """Compares the contexts' topics, as far as they are published, with the log of this database.

    What is not published yet is no difference, nor what retention has removed. Raises UsageError where a topic does not
    exist, Unreachable where Kafka or the database does not answer.
    """
    wanted, kafka, database = chosen(contexts), site.kafka, site.database
    bootstrap = bootstrap_of(site.settings, kafka)
    records = relay_positions(kafka, bootstrap, wanted)
    known = {context: Compared(record.position if record else None) for context, record in records.items()}
    with reading(kafka, bootstrap, wanted) as topics, ExitStack() as stack:
        # After the ends of the topics are known: what stands there was in the log before.
        conns = {
            context: stack.enter_context(database.connect("replayhouse publish", autocommit=True))
            for context in (*wanted, "commits")
        }
        head = read_head(conns["commits"]).position
        logs = {context: ContextLog(conns[context], context) for context in wanted}
        chain = Chain(conns["commits"], head) if wanted == CONTEXTS else None
        comparison = Comparison(kafka, topics, known, topics.newest(), chain)
        topics.start()
        try:
            comparison.run(logs, head, partial(site.tell, "comparing"))
            comparison.refuse_the_rest(head, read_head(conns["commits"]).position)
        except Differs as found:
            comparison.verified.difference = found.difference
        return comparison.verified
