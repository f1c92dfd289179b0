"""What is tried again, and what is wrong with the way to Twilio."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit
from weakref import WeakSet

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers import BackoffStrategy
from airbyte_cdk.sources.streams.http.error_handlers.response_models import (
    ErrorResolution,
    ResponseAction,
)

from source_twilio.credentials import known


class JitteredBackoff(BackoffStrategy):
    """Waits as long as Retry-After says, else 1, 2, 4, ... seconds, and up to half as much again.

    Why not YAML: the CDK's strategies have no such jitter, so requests that were refused together
    would come back together; and they take `Retry-After: 0` for no answer.
    """

    def backoff_time(
        self,
        response_or_exception: requests.Response | requests.RequestException | None,
        attempt_count: int,
    ) -> float:
        """Return the seconds to wait, to which the CDK adds one."""
        seconds: float = 2 ** (attempt_count - 1)
        if isinstance(response_or_exception, requests.Response):
            said = response_or_exception.headers.get("Retry-After", "")
            seconds = float(said) if re.fullmatch(r"\d+(\.\d+)?", said) else seconds
        return seconds * random.uniform(1, 1.5) + random.uniform(0.01, 0.1)


@dataclass
class TwilioErrorHandler(DefaultErrorHandler):
    """Says at once what is wrong with the network, if it was never right.

    Why not YAML: response filters see responses, not exceptions, which the CDK asks again five
    times, for half a minute. A sync that has got going keeps these retries; before anything was
    answered, a request that cannot be sent fails after one more attempt, or none where another
    attempt cannot help.
    """

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Note which requests have failed."""
        super().__post_init__(parameters)
        self._failed: WeakSet[requests.PreparedRequest] = WeakSet()

    def interpret_response(
        self, response_or_exception: requests.Response | Exception | None
    ) -> ErrorResolution:
        """Return what to do, and what to say."""
        usual = super().interpret_response(response_or_exception)
        request = getattr(response_or_exception, "request", None)
        if not isinstance(response_or_exception, Exception) or known(self.config).answered:
            return usual
        wrong = unreachable(response_or_exception, urlsplit(str(getattr(request, "url", ""))))
        if not wrong or request is None:
            return usual
        final = wrong.failure_type == FailureType.config_error or request in self._failed
        # A time-out has had its second chance: each address of the host was tried.
        if final or isinstance(response_or_exception, requests.exceptions.ConnectTimeout):
            return wrong
        self._failed.add(request)
        return ErrorResolution(ResponseAction.RETRY, wrong.failure_type, wrong.error_message)


def unreachable(cause: Exception, url: SplitResult) -> ErrorResolution | None:
    """Return why a request could not be sent, or None if it was, or may have been."""
    said, host = str(cause), url.hostname
    tunnel = re.search(r"Tunnel connection failed: (\d{3})", said)
    failure_type = FailureType.config_error
    if tunnel and tunnel[1] == "407":
        message = (
            "The proxy wants a user name and a password (HTTP 407): put them into HTTPS_PROXY, as "
            "in http://user:password@host:port."
        )
    elif tunnel and tunnel[1] == "403":
        message = f"The proxy refuses connections to {host} (HTTP 403): have *.twilio.com allowed."
    elif isinstance(cause, requests.exceptions.SSLError):
        message = (
            f"The certificate that {host} shows is not trusted: if a proxy or firewall reads "
            "along, add its authority to the file that REQUESTS_CA_BUNDLE names."
        )
        if "CERTIFICATE_VERIFY_FAILED" not in said:
            failure_type = FailureType.transient_error
            message = f"There is no TLS connection to {host}: check proxies and firewalls."
    elif isinstance(cause, requests.exceptions.ProxyError):
        failure_type = FailureType.transient_error
        message = f"The proxy does not connect to {host}: check HTTPS_PROXY, and the proxy."
    elif (
        isinstance(cause, requests.exceptions.ConnectTimeout)
        or "NewConnectionError" in said
        or "NameResolutionError" in said
    ):
        failure_type = FailureType.transient_error
        message = (
            f"There is no connection to {host}: check network, DNS and firewall, the edge if one "
            "is set, and HTTPS_PROXY if the way out is a proxy."
        )
    else:
        return None
    return ErrorResolution(ResponseAction.FAIL, failure_type, message)
