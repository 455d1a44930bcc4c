"""The one place a request leaves.

atlassian-python-api is the transport; what it would do by itself is switched off: it would sleep in the process
on 429 (up to 30 minutes), follow redirects with credentials (S30) and log whole bodies at DEBUG (S41).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import requests
from atlassian.rest_client import AtlassianRestAPI

from connect.errors import Unauthorized, Unavailable, Why
from connect.gateway.answers import error_for, json_of
from connect.gateway.in_time import InTime
from connect.hosts import is_safe_address

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MAX_ANSWER_BYTES = 10 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_PATH = re.compile(r"(/[A-Za-z0-9._~%:@-]+)+")

# S41: whatever level the root logger has, these would write tokens, e-mail addresses and answers at DEBUG.
for _name in ("atlassian", "atlassian.rest_client", "urllib3", "requests"):
    logging.getLogger(_name).setLevel(logging.INFO)

Authorization = Callable[[str, str, str], str]
"""(method, path, raw query) -> the Authorization header of that one request."""


class BoundedSession(requests.Session):
    """A session that cannot be made to wait, to swallow, to follow or to remember too much.

    Time limits on connecting, on each read and on the whole answer; a limit on the answer's size; no redirects,
    no cookies, nothing from the environment (proxies, .netrc). Not to be shared between threads.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        super().__init__()
        self.trust_env = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, InTime())
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._time_limits = (connect_seconds, read_seconds)
        self._max_bytes = max_bytes
        self.calls = 0
        self.seconds_waited = 0.0

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request and read its whole answer within the limits, else requests.RequestException."""
        kwargs.update(stream=True, timeout=self._time_limits, allow_redirects=False)
        started = time.perf_counter()
        self.calls += 1
        try:
            response = super().send(request, **kwargs)
            # requests keeps what was read here; with it `.content`, `.text` and `.json()` read nothing more.
            response._content = self._read(response)  # noqa: SLF001
        finally:
            self.seconds_waited += time.perf_counter() - started
        return response

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: requests would read where it leads even so, and die of an address that is none."""

    def _read(self, response: requests.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK_BYTES):
            size += len(chunk)
            if size > self._max_bytes:
                response.close()
                raise requests.exceptions.ContentDecodingError("the answer is too large")
            chunks.append(chunk)
        return b"".join(chunks)


class Http:
    """Calls to one base address with one credential.

    One Http serves one chain of calls in one thread: it keeps a connection open. `calls` and `seconds_waited`
    count the requests sent and the seconds until their answers were read. `patience` is how many seconds each read may
    take.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authorization: Authorization,
        clock: Callable[[], datetime],
        forbidden_means: Why = Why.RIGHTS,
        patience: float = READ_SECONDS,
    ) -> None:
        if not is_safe_address(base_url):
            raise ValueError("calls leave by https, or by http to this machine only")
        self._authorization = authorization
        self._clock = clock
        self._forbidden_means = forbidden_means
        self._session = BoundedSession(connect_seconds=min(patience, CONNECT_SECONDS), read_seconds=patience)
        self._api = AtlassianRestAPI(
            base_url,
            session=self._session,
            advanced_mode=True,
            retry_with_header=False,
            backoff_and_retry=False,
        )

    @property
    def calls(self) -> int:
        return self._session.calls

    @property
    def seconds_waited(self) -> float:
        return self._session.seconds_waited

    def met(self, error: Unauthorized) -> bool:
        """Whether it is this credential that was rejected, and not one that is in use beside it."""
        return error.met_by is self

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON of an answer to GET. Raises AtlassianError."""
        return self._call("GET", path, query, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of an answer to POST, None when it is empty. Raises AtlassianError."""
        return self._call("POST", path, (), body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON of an answer to PUT, None when it is empty. Raises AtlassianError."""
        return self._call("PUT", path, (), body)

    def delete(self, path: str) -> Any:
        """The JSON of an answer to DELETE, None when it is empty. Raises AtlassianError."""
        return self._call("DELETE", path, (), None)

    def close(self) -> None:
        self._session.close()

    def _call(
        self, method: str, path: str, query: Sequence[tuple[str, str]], body: dict[str, Any] | None
    ) -> Any:
        if not _PATH.fullmatch(path) or "/../" in f"{path}/" or "/./" in f"{path}/":
            raise ValueError("gateways take paths, never addresses (S31)")
        raw_query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query)
        headers = {
            "Accept": "application/json",
            "Authorization": self._authorization(method, path, raw_query),
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        response = self._send(method, f"{path}?{raw_query}" if raw_query else path, headers, body)
        error = error_for(
            response.status_code,
            response.headers,
            response.content,
            now=self._clock(),
            forbidden_means=self._forbidden_means,
        )
        if isinstance(error, Unauthorized):
            error.met_by = self
        if error is not None:
            raise error
        return json_of(response.content)

    def _send(
        self, method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None
    ) -> requests.Response:
        try:
            return self._api.request(method, path, data=body, headers=headers, allow_redirects=False)
        except requests.RequestException as error:
            # The library's words may hold the address with its query: only the kind of failure goes on (S41).
            raise Unavailable(reason=f"atlassian_{type(error).__name__.lower()}") from None
