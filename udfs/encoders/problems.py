"""Why an image has no vector: a reason to count by, and what a person wants to know."""

from __future__ import annotations

from udfs.errors import MillirecError

REASONS = {
    "unknown_form": "it is no data URL, no http or https URL and no path below images.folder",
    "not_allowed": "its host is not one of images.hosts, or its address is private",
    "not_found": "there is no such file, or the host answered with an error",
    "unreachable": "the host does not answer",
    "timeout": "it took longer than images.timeout_s",
    "too_large": "it has more bytes than images.max_bytes",
    "too_many_pixels": "it has more pixels than images.max_pixels",
    "not_an_image": "it is no JPEG, PNG, WebP, GIF or BMP, or a damaged one",
}
"""The reasons, and what they mean."""


class ImageProblem(MillirecError):
    """An image that cannot be had or read.

    Attributes:
        reason: one of `REASONS`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        assert reason in REASONS
        super().__init__(detail)
        self.reason = reason
