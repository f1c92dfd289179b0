"""Twilio's error responses."""

from __future__ import annotations

from http import HTTPStatus

import orjson

from sandbox.wire import Wire

MESSAGES = {
    20005: "Account not active",
    20008: "Resource not accessible with Test Account Credentials",
    70051: "Authorization Failed",
}
CODES = {400: 20001, 401: 20003, 404: 20404, 405: 20004, 429: 20429, 500: 20500, 503: 20503}


class ApiError(Exception):
    """An error response."""

    def __init__(self, status: int, code: int | None = None, message: str = "") -> None:
        """Build the response; without a code, the status has a default one; 0 is no code."""
        super().__init__(message)
        code = CODES.get(status, 0) if code is None else code
        default = "Authenticate" if status == 401 else HTTPStatus(status).phrase
        text = message or MESSAGES.get(code, default)
        body: Wire = {"message": text, "status": status}
        if code:
            body |= {"code": code, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
        self.status = status
        self.body = orjson.dumps(body)


def missing(path: str) -> ApiError:
    """Return the response for an unknown path."""
    return ApiError(404, 20404, f"The requested resource {path} was not found")
