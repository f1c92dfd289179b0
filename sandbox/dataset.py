"""The initial data set: a year of rows, in the lists that have a pattern in `rows.json`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from sandbox import traffic
from sandbox.available_numbers import add_available_numbers
from sandbox.data import ACCOUNTS, PATTERNS, AccountSpec, Store
from sandbox.usage import BILLED_STREAMS, usage_rows
from sandbox.wire import DAY, Wire, iso8601, rfc2822

# Rows of the main account at scale 1; the other accounts hold a share of each long list.
LONG = {"messages": 3_200, "calls": 2_600, "alerts": 2_800, "recordings": 2_200}
LONG |= {"conferences": 60}
SHORT = {"addresses": 3, "applications": 4, "incoming_phone_numbers": 5, "keys": 3, "queues": 3}
SHORT |= {"outgoing_caller_ids": 3, "transcriptions": 6, "usage_triggers": 3}
BODIES = (
    "Your order is on its way.",
    "Fri, 24 May 2019 17:44:46 +0000",
    "Größe 42 → ausverkauft, désolé",
    "Thanks! 🎉👍🏽 See you at 10:30",
    "",
    "2024-01-31",
    'Line one\nline "two"\t\\ end\u2028',
    "お問い合わせありがとうございます",
)


def build_dataset(
    seed: int,
    now: int,
    scale: float,
    counts: Mapping[str, int],
    accounts: Sequence[AccountSpec] = ACCOUNTS,
) -> Store:
    """Return all lists, with rows of the year before the midnight before `now`."""
    store = Store(seed, now)
    for number, (name, status, holds) in enumerate(accounts):
        fields = {"friendly_name": name, "status": status, "owner_account_sid": store.main}
        if number == 0:
            fields["sid"] = store.main
        account = store.add("accounts", store.main, store.start + number * DAY, **fields)
        share, own = (0.0, holds) if isinstance(holds, Mapping) else (holds * scale, {})
        store.counts[account.key] = own if number else {**own, **counts}
        AccountRows(store, account.key, share).fill()
    return store


class AccountRows:
    """Generates one account's rows."""

    def __init__(self, store: Store, account: str, share: float) -> None:
        """Take an account and its share of the long lists."""
        self.store = store
        self.account = account
        self.share = share
        self.counts = store.counts[account]
        self.random = store.rng.random
        # Number and SID of the numbers in use; the last two are unused.
        self.numbers: list[tuple[str, str]] = []
        # Calls and errors for other rows to refer to, newest first: time of creation, SID, and
        # seconds or error code.
        self.connected_calls: list[tuple[int, str, int]] = []
        self.errors: list[tuple[int, str, int]] = []
        self.recordings: list[str] = []

    def fill(self) -> None:
        """Add the rows."""
        first = ["incoming_phone_numbers", *LONG, "usage_records"]
        for stream in dict.fromkeys([*first, *SHORT]):
            getattr(self, f"_{stream}", self._plain)(stream)
        add_available_numbers(self.store, self.account)

    def _count(self, stream: str) -> int:
        default = SHORT.get(stream) or max(6, round(LONG[stream] * self.share))
        return self.counts.get(stream, default)

    def _spread(self, stream: str, days: int = 365, live: int = 0) -> Iterator[tuple[int, int]]:
        """Yield number and time of creation; the first `live` belong to the last hour."""
        count = self._count(stream)
        step = days * DAY / max(count, 1)
        for number in range(count):
            ago = 600 * number if number < live else (number + self.random()) * step
            yield number, self.store.end - int(ago) - 1

    def _plain(self, stream: str) -> None:
        for number, created in self._spread(stream):
            named = '"friendly_name"' in PATTERNS[stream][1]
            fields = {"friendly_name": f"{stream} {number}"} if named else {}
            self.store.add(stream, self.account, created, **fields)

    def _incoming_phone_numbers(self, stream: str) -> None:
        for number, created in self._spread(stream):
            place = 10 * (len(self.store.accounts) - 1) + number
            phone, sid = f"+1415555{place % 10_000:04}", self.store.sid("PN")
            self.numbers.append((phone, sid))
            names = {"phone_number": phone, "friendly_name": traffic.format_phone(phone)}
            self.store.add(stream, self.account, created, sid=sid, **names)
        self.numbers = self.numbers[:-2] or self.numbers

    def _ends(self, number: int, inbound: bool) -> tuple[str, str, str]:
        """Return sender and receiver, and the SID of the account's own number among them."""
        other = traffic.random_phone(self.store.rng)
        own, sid = (
            self.numbers[number % len(self.numbers)]
            if self.numbers
            else (traffic.random_phone(self.store.rng), self.store.sid("PN"))
        )
        return (other, own, sid) if inbound else (own, other, sid)

    def _messages(self, stream: str) -> None:
        for number, created in self._spread(stream, live=len(traffic.LIVE_MESSAGES)):
            outcome = traffic.outcome(number, self.store.rng)
            sid, later = self.store.sid("SM"), created + int(self.random() * 20)
            sender, receiver, _ = self._ends(number, outcome.direction == "inbound")
            media = 1 + number // 12 % 3 if number % 12 == 6 else 0
            if media:
                sid = "MM" + sid[2:]
                for _ in range(media):
                    self.store.add("message_media", self.account, created, sid)
            fields: Wire = {
                "sid": sid,
                "status": outcome.status,
                "direction": outcome.direction,
                "body": BODIES[number % len(BODIES)],
                "from": sender,
                "to": receiver,
                "num_media": str(media),
                "date_sent": rfc2822(later) if outcome.sent else None,
                "date_updated": rfc2822(later + 3),
                "price": traffic.message_price(outcome, receiver, media),
                "error_code": outcome.error,
            }
            if outcome.error:
                fields["error_message"] = traffic.ERRORS[outcome.error]
                self.errors.append((created, sid, outcome.error))
            self.store.add(stream, self.account, created, **fields)

    def _calls(self, stream: str) -> None:
        live, usual = traffic.LIVE_CALLS, traffic.CALLS
        for number, created in self._spread(stream, live=len(live)):
            call = live[number] if number < len(live) else usual[(number - len(live)) % len(usual)]
            start, duration = created + 2, 1 + int(self.random() * 600)
            done, inbound = call.status == "completed", bool(number % 3)
            sid, (sender, receiver, own) = self.store.sid("CA"), self._ends(number, inbound)
            fields: Wire = {
                "sid": sid,
                "status": call.status,
                "direction": "inbound" if inbound else "outbound-dial",
                "from": sender,
                "from_formatted": traffic.format_phone(sender),
                "to": receiver,
                "to_formatted": traffic.format_phone(receiver),
                "phone_number_sid": own,
                "start_time": rfc2822(start) if call.started else None,
                "end_time": rfc2822(start + duration * done) if call.ended else None,
                "date_updated": rfc2822(start + duration * done),
                "duration": str(duration) if done else "0" if number >= len(live) else None,
                "price": traffic.call_price(inbound, receiver, duration) if done else None,
            }
            if done and number % 7 == 0:
                fields |= {"annotation": "billing", "answered_by": "human"}
            if done or call.status == "in-progress":
                self.connected_calls.append((start, sid, duration))
            self.store.add(stream, self.account, created, **fields)

    def _conferences(self, stream: str) -> None:
        for number, created in self._spread(stream, live=4):
            fields: Wire = {"date_updated": rfc2822(created + 1800)}
            if number < 4:
                fields = {
                    "status": "in-progress" if number else "init",
                    "reason_conference_ended": None,
                    "call_sid_ending_conference": None,
                }
            sid = self.store.add(stream, self.account, created, **fields).key
            for participant in range(number % 4):
                label = f"agent-{participant}" if participant else None
                when = created + participant
                self.store.add("conference_participants", self.account, when, sid, label=label)

    def _recordings(self, stream: str) -> None:
        count = self._count(stream)
        for number, created in self._spread(stream, live=1):
            sid, fields = self.store.sid("RE"), Wire()
            seconds = 1 + int(self.random() * 600)
            if self.connected_calls:
                # That of the call in progress, then those of the others, evenly.
                last = min(1, len(self.connected_calls) - 1)
                place = (
                    last + (number - 1) * (len(self.connected_calls) - last) // count
                    if number
                    else 0
                )
                start, fields["call_sid"], talked = self.connected_calls[place]
                created, seconds = start + 1, min(seconds, talked)
            fields |= {"sid": sid, "duration": str(seconds)}
            fields["price"] = traffic.price_by_minute("0.0025", seconds)
            # Twilio drops the metadata 40 days after the deletion.
            if number % 6 == 2 and DAY < self.store.end - created < 39 * DAY:
                fields |= {"status": "deleted", "date_updated": rfc2822(self.store.end - 60)}
            elif number == 0:
                fields |= {"status": "processing", "duration": "-1", "price": None}
            self.recordings.append(sid)
            self.store.add(stream, self.account, created, **fields)

    def _transcriptions(self, stream: str) -> None:
        for number, created in self._spread(stream):
            known = self.recordings[number : number + 1]
            self.store.add(
                stream, self.account, created, **({"recording_sid": known[0]} if known else {})
            )

    def _alerts(self, stream: str) -> None:
        # A quarter is older than the 30 days that can be queried.
        for number, created in self._spread(stream, days=40):
            fields: Wire = {"log_level": ("error", "warning", "notice")[number % 3]}
            if number % 10 == 4:
                fields["date_generated"] = iso8601(created - 900)
            about = self.connected_calls if number % 3 else self.errors or self.connected_calls
            if about:
                # The one just before it, if there is one.
                place = bisect_left(about, -created, key=lambda one: -one[0])
                _, sid, error = about[min(place, len(about) - 1)]
                code = error if about is self.errors else 11200
                fields |= {
                    "resource_sid": sid,
                    "error_code": str(code),
                    "alert_text": f"Msg={quote(traffic.ERRORS[code])}",
                    "more_info": f"https://www.twilio.com/docs/errors/{code}",
                }
            self.store.add(stream, self.account, created, **fields)

    def _usage_records(self, stream: str) -> None:
        """Add the usage of the rows so far, repeated up to the requested number of rows."""
        rows = {name: self.store.table(name, self.account) for name in BILLED_STREAMS}
        owned = self._count("incoming_phone_numbers")
        billed = [*usage_rows(self.store.start, self.store.end, owned, **rows)]
        count = self.counts.get(stream, len(billed)) if billed else 0
        for number in range(count):
            midnight, fields = billed[number % len(billed)]
            earlier = number // len(billed) * 365 * DAY
            self.store.add(stream, self.account, midnight - earlier, **fields)

    def _addresses(self, stream: str) -> None:
        number_sid = self.store.sid("PN")
        for number, created in self._spread(stream):
            address = self.store.add(stream, self.account, created).key
            # One number has two addresses, and the last address has none.
            for sid in ([number_sid, self.store.sid("PN")], [number_sid], [])[min(number, 2)]:
                self.store.add("dependent_phone_numbers", self.account, created, address, sid=sid)
