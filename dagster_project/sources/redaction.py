"""Nothing that opens a door is kept: secrets of addresses are masked, credentials of headers dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NEVER_LOGGED = {"set-cookie", "set-cookie2", "cookie", "authorization", "proxy-authorization"}
_SECRET_PARAMETER = re.compile(
    r"([?&;](?:[\w.-]*[-_.])?(?:api-?key|key|token|secret|password|passwd|pwd|signature|sig|credential)s?=)"
    r"[^&#\s'\"<>)]*",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


def redact(text: str) -> str:
    """The text with the secrets of any address in it masked: query keys and tokens, user and password."""
    return _USER_INFO.sub("***@", _SECRET_PARAMETER.sub(r"\1***", text))


def loggable_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Response headers under lower-case names, without cookies and credentials."""
    kept = {name.lower(): redact(value) for name, value in headers.items() if name.lower() not in _NEVER_LOGGED}
    return dict(sorted(kept.items()))
