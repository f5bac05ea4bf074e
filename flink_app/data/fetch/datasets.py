"""The data sets that `millirec fetch` knows: their addresses, checksums, owners and terms.

In: nothing. Out: `DATA_SETS`, by name. MD5 is what GroupLens publishes next to each archive (at the
archive's address followed by .md5); SHA-256 is of the same archives.
"""

from __future__ import annotations

import msgspec


class DataSet(msgspec.Struct, frozen=True, kw_only=True):
    """An archive at a fixed address.

    Attributes:
        size: bytes. md5, sha256: of the archive. top: the archive's only top-level folder.
        events, items: the files of events and of titles. preset: how to read the events.
        about: what it holds. owner: who collected it. terms: what its licence allows.
        cite: what publications must cite. page: the owner's description of it.
    """

    name: str
    url: str
    size: int
    md5: str
    sha256: str
    top: str
    events: str
    items: str
    preset: str
    about: str
    owner: str
    terms: str
    cite: str
    page: str

    @property
    def pins(self) -> dict[str, str]:
        """The checksums by algorithm."""
        return {"sha256": self.sha256, "md5": self.md5}


_TITLES = {
    "movielens": "u.item",
    "movielens-dat": "movies.dat",
    "movielens-csv": "movies.csv",
}
_EVENTS = {
    "movielens": "u.data",
    "movielens-dat": "ratings.dat",
    "movielens-csv": "ratings.csv",
}


def _movielens(
    name: str, size: int, md5: str, sha256: str, preset: str, about: str, top: str = ""
) -> DataSet:
    return DataSet(
        name=name,
        url=f"https://files.grouplens.org/datasets/movielens/{name}.zip",
        size=size,
        md5=md5,
        sha256=sha256,
        top=top or name,
        events=_EVENTS[preset],
        items=_TITLES[preset],
        preset=preset,
        about=about,
        owner="GroupLens Research, University of Minnesota",
        terms="For research. Not for commercial use, or any that brings revenue, without the "
        "owner's permission; not to be redistributed except as its README allows; do not state or "
        "imply that the owner endorses you. Publications must cite it.",
        cite="Harper and Konstan: The MovieLens Datasets: History and Context. ACM Transactions on "
        "Interactive Intelligent Systems 5(4), 2015, doi:10.1145/2827872",
        page=f"https://grouplens.org/datasets/movielens/{name.removeprefix('ml-')}/",
    )


_SETS = (
    _movielens(
        name="ml-100k",
        size=4_924_029,
        md5="0e33842e24a9c977be4e0107933c0723",
        sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
        preset="movielens",
        about="100,000 ratings of 1,682 films by 943 people, 1997 to 1998",
    ),
    _movielens(
        name="ml-1m",
        size=5_917_549,
        md5="c4d9eecfca2ab87c1945afe126590906",
        sha256="a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
        preset="movielens-dat",
        about="1,000,209 ratings of films by 6,040 people",
    ),
    _movielens(
        name="ml-10m",
        size=65_566_137,
        md5="ce571fd55effeba0271552578f2648bd",
        sha256="813c411ccb6122564edfe752e7f80c4dcc5aa25fa94c93622f6877a7ba252862",
        preset="movielens-dat",
        about="10,000,054 ratings of films by 71,567 people",
        top="ml-10M100K",
    ),
    _movielens(
        name="ml-20m",
        size=198_702_078,
        md5="cd245b17a1ae2cc31bb14903e1204af3",
        sha256="96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
        preset="movielens-csv",
        about="20,000,263 ratings of films",
    ),
    _movielens(
        name="ml-25m",
        size=261_978_986,
        md5="6b51fb2759a8657d3bfcbfc42b592ada",
        sha256="8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
        preset="movielens-csv",
        about="25,000,095 ratings of 62,423 films by 162,541 people",
    ),
)

DATA_SETS: dict[str, DataSet] = {data.name: data for data in _SETS}
