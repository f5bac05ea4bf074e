"""Keeps secrets out of what is printed: the configuration in force and error messages.

In: an option's name and its value as text. Out: the text, its secrets replaced by `***`.
"""

from __future__ import annotations

import re

MASK = "***"

_SECRET = (
    "password|passwd|secret|sasl.jaas|token|credential|keystore.key|account.key|api_key|"
    "access-key|access.key"
)
_SECRET_NAME = re.compile(_SECRET.replace(".", r"\."), re.IGNORECASE)
# Up to the last @ before a space: a password that holds an unescaped @ or / is hidden whole.
_URL_PASSWORD = re.compile(r"(://[^:@/\s]*):\S*@")
# password=… as in a URL's query, or in a JAAS line under any name.
_ASSIGNED = re.compile(rf"((?:{_SECRET})\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s&;,]+)", re.IGNORECASE)


def masked(name: str, text: str) -> str:
    """`text` as it may be shown, for the option or table entry `name`.

    >>> masked("redis.url", "redis://ann:pa:ss@cache:6379/0")
    'redis://ann:***@cache:6379/0'
    >>> masked("source.properties.sasl.jaas.config", "… required username=a;")
    '***'
    >>> masked("redis.password", "")
    ''
    """
    if not text:
        return text
    if _SECRET_NAME.search(name):
        return MASK
    return _ASSIGNED.sub(rf"\1{MASK}", _URL_PASSWORD.sub(rf"\1:{MASK}@", text))
