"""What stands for the ids of users where `privacy.pseudonyms` is on: a hash with a secret key.

In: ids of users, in `parse` and wherever a list is looked up. Out: 32 hexadecimal digits for each,
the same everywhere where the key is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from udfs.errors import ConfigError

VARIABLE = "MILLIREC_PSEUDONYM_KEY"
"""The environment variable that has the key."""
SHORTEST, LONGEST = 16, 64
"""Bytes of a key; BLAKE2b takes no longer one."""
_KNOWN = 50_000  # ids that are remembered: some ten megabytes


class Pseudonyms:
    """Replaces ids; it remembers those of late.

    Args:
        key: the secret, as text whose UTF-8 form has `SHORTEST` to `LONGEST` bytes.

    Raises:
        ConfigError: there is no key, or it is too short or too long.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode("utf-8", "surrogateescape")
        size = len(self._key)
        if not SHORTEST <= size <= LONGEST:
            found = f"has {size} bytes" if size else "is not set"
            raise ConfigError(
                f"privacy.pseudonyms is true, but the environment variable {VARIABLE} {found}: set "
                f"it to a secret of {SHORTEST} to {LONGEST} bytes, such as what `openssl rand -hex "
                "32` prints, the same for the job, for `millirec serve` and for whatever looks up "
                "lists."
            )
        self._known: dict[str, str] = {}

    def of(self, user: str) -> str:
        """The pseudonym of an id: BLAKE2b (RFC 7693) of its UTF-8 form with the key, 16 bytes, in
        hexadecimal digits.

        >>> Pseudonyms("0123456789abcdef").of("alice")
        '07428b8bbeecf38c233900e698b96466'
        """
        return blake2b(user.encode(), digest_size=16, key=self._key).hexdigest()

    def all(self, users: Iterable[str]) -> list[str]:
        """The pseudonym of each id; "" stays "", which is no id."""
        known, found = self._known, []
        if len(known) > _KNOWN:
            known.clear()
        for user in users:
            pseudonym = known.get(user)
            if pseudonym is None:
                pseudonym = known[user] = self.of(user) if user else ""
            found.append(pseudonym)
        return found
