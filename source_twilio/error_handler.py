"""Which requests are sent again, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers.response_models import (
    SUCCESS_RESOLUTION,
    ErrorResolution,
    ResponseAction,
)

from source_twilio.errors import (
    broken_answer,
    is_transient,
    retry_after,
    transient_failure,
    unknown_answer,
    unreachable,
)
from source_twilio.session import SINGLE_TRY, SYNC, request_scope


@dataclass
class TwilioErrorHandler(DefaultErrorHandler):
    """Decides which answers are asked again, how often, and what is said in the end (BEHAVIOR 31).

    Why not YAML: response filters see responses and no exceptions, and the CDK asks again whatever
    it does not know. Nor can they tell the first request, which is tried less often so that a check
    fails within ten seconds, from those that follow: `CheckStream.config_overrides` and an
    interpolated `max_retries` tell a check from a sync, and not one request from the next.
    `HTTPAPIBudget` counts requests by time, and Twilio those that run at once (BEHAVIOR 22).
    """

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        # How often a request has failed, and how many seconds it was told to wait.
        self._failures: WeakKeyDictionary[requests.PreparedRequest, tuple[int, float]] = (
            WeakKeyDictionary()
        )

    def interpret_response(
        self, response_or_exception: requests.Response | Exception | None
    ) -> ErrorResolution:
        """Return what to do, and what to say."""
        result = response_or_exception
        if isinstance(result, requests.TooManyRedirects) and result.response is not None:
            result = result.response
        if isinstance(result, requests.Response):
            return self._interpret_status(result)
        default = super().interpret_response(result)
        if not isinstance(result, requests.RequestException) or not result.request:
            return default
        failure = failed(*(unreachable(result) or (broken_answer(result),)))
        # Another attempt would not help, or takes too long: each address of the host was tried.
        final = failure.failure_type == FailureType.config_error
        final = final or isinstance(result, requests.Timeout)
        if final and request_scope().budget is not SYNC:
            return failure
        return self._again(result.request, failure, ResponseAction.RETRY)

    def _interpret_status(self, response: requests.Response) -> ErrorResolution:
        """Return what to do about an answer, by its status."""
        status = response.status_code
        if status // 100 == 2:
            return SUCCESS_RESOLUTION
        default = super().interpret_response(response)
        if status >= 400 and default.response_action == ResponseAction.SUCCESS:
            return default
        if not is_transient(status):
            return failed(unknown_answer(response), FailureType.system_error)
        failure, wait = failed(transient_failure(response)), retry_after(response)
        if wait is not None:
            # It may be a date, and the CDK's WaitTimeFromHeader reads numbers only.
            response.headers["Retry-After"] = f"{wait:g}"
        limited = status == requests.codes.too_many_requests
        action = ResponseAction.RATE_LIMITED if limited else ResponseAction.RETRY
        return self._again(response.request, failure, action, wait or 0)

    def _again(
        self, request: Any, failure: ErrorResolution, action: ResponseAction, wait: float = 0
    ) -> ErrorResolution:
        """Return that a request is sent again after a failure, or the failure."""
        failures, waited = self._failures.get(request, (0, 0.0))
        self._failures[request] = failures + 1, waited + wait
        budget = request_scope().budget
        if budget is SINGLE_TRY and action == ResponseAction.RATE_LIMITED:
            budget = SYNC
        if failures >= budget.retries or waited + wait > budget.wait_seconds:
            return failure
        return ErrorResolution(action, failure.failure_type, failure.error_message)


def failed(
    message: str, failure_type: FailureType = FailureType.transient_error
) -> ErrorResolution:
    """Return that a request has failed, and why."""
    return ErrorResolution(ResponseAction.FAIL, failure_type, message)
