"""Answers of Twilio's other than what was asked for."""

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
    """An answer other than the list that was asked for."""

    def __init__(self, status: int, code: int | None = None, message: str = "") -> None:
        """Make the answer; without a code the status tells it, 0 leaves it out."""
        super().__init__(message)
        code = CODES.get(status, 0) if code is None else code
        usual = "Authenticate" if status == 401 else HTTPStatus(status).phrase
        said = message or MESSAGES.get(code, usual)
        body: Wire = {"message": said, "status": status}
        if code:
            body |= {"code": code, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
        self.status = status
        self.body = orjson.dumps(body)


def missing(path: str) -> ApiError:
    """Return the answer to a path that leads nowhere."""
    return ApiError(404, 20404, f"The requested resource {path} was not found")
