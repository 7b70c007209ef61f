"""Fetching a public feed: bounded in time and size, and every failure is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

# What reading an untrusted JSON document into numbers can raise, huge and deep ones included.
BROKEN_JSON = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)

Fetch = Callable[[str], bytes]

TIMEOUT_S = 10.0
MOST_BYTES = 5_000_000


class FeedError(OSError):
    """A feed that could not be read or believed; worth a retry, not before `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def http_get(url: str) -> bytes:
    """Read one page.

    Raises: FeedError if the address is no web address, or there is no whole answer in time.
    """
    if not url.startswith(("https://", "http://127.0.0.1")):
        raise FeedError(f"{url!r} is not read: a feed's address begins with https://")
    request = Request(url, headers={"User-Agent": "pems-actors", "Accept": "application/json"})  # noqa: S310 - the scheme was checked above
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
            body: bytes = answer.read(MOST_BYTES + 1)
    except HTTPError as error:
        with error:  # it holds the connection
            told = f"{url} answers {error.code} {error.reason}"
            raise FeedError(told, _retry_after(error)) from error
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise FeedError(f"{url} cannot be read: {error}") from error
    if len(body) > MOST_BYTES:
        raise FeedError(f"{url} gives more than {MOST_BYTES // 1_000_000} MB; is it the right one?")
    return body


def _retry_after(error: HTTPError) -> float:
    """How long the server asks us to wait [s], when it says so in seconds."""
    said = error.headers.get("Retry-After", "") if error.headers else ""
    return float(said) if said.isdigit() else 0.0
