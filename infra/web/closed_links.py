"""Links of a page that lead where whoever asks may not go: they are none, and what they say stays."""

import re

from replayhouse.infra.runtime.identity import Role
from replayhouse.infra.web.auth.permissions import is_open, may

_LINK = re.compile(r"<a\b(?P<attributes>[^>]*)>(?P<says>.*?)</a>", re.DOTALL)
_PATH = re.compile(r'\bhref="(?P<path>/[^"?#]*)')
_OF_LINKS = re.compile(r'\s(?:href|rel)="[^"]*"|\sdownload\b|\bfig\s|\bfig\b(?=")')
_ONLY_LEADS = re.compile(r'\bclass="chip"')


def without_closed(text: str, role: Role) -> str:
    """A page as a role is shown it. What only leads somewhere, such as the chip JSON, is left out where it may not."""
    if role is Role.OWNER:
        return text
    known: dict[str, bool] = {}

    def shown(link: re.Match[str]) -> str:
        attributes = link["attributes"]
        found = _PATH.search(attributes)
        if found is None or known.setdefault(found["path"], leads(role, found["path"])):
            return link[0]
        if _ONLY_LEADS.search(attributes):
            return ""
        return f"<span{_OF_LINKS.sub('', attributes)}>{link['says']}</span>"

    return _LINK.sub(shown, text)


def leads(role: Role, path: str) -> bool:
    """Whether a role may follow a link to a path of the site."""
    return is_open(path) or may(role, path)
