"""The year that the data set starts with, in the lists that have a pattern in `rows.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from sandbox.data import ACCOUNTS, PATTERNS, Holder, Store
from sandbox.wire import DAY, Wire, iso8601, rfc2822, snake

# Rows of the main account at scale 1; the other accounts hold a share of each long list.
LONG = {"messages": 3_200, "calls": 2_600, "alerts": 2_800, "recordings": 2_200}
LONG |= {"usage_records": 2_150, "conferences": 60}
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
# status, direction, sent, priced, error code
LIVE_MESSAGES = [
    (status, "outbound-api", False, False, None)
    for status in ("scheduled", "accepted", "queued", "sending")
]
MESSAGES = [
    ("delivered", "outbound-api", True, True, None),
    ("received", "inbound", True, True, None),
    ("failed", "outbound-api", False, False, 30007),
    ("canceled", "outbound-api", False, False, None),
    ("undelivered", "outbound-reply", True, True, 30003),
    ("sent", "outbound-call", True, False, None),
    ("failed", "outbound-api", True, True, 30005),
    *[("delivered", "outbound-api", True, True, None)] * 9,
    *[("received", "inbound", True, True, None)] * 4,
]
# status, start_time known, end_time known
LIVE_CALLS = (("queued", False, False), ("ringing", False, False), ("in-progress", True, False))
CALLS = (
    ("completed", True, True),
    ("busy", True, False),
    ("failed", False, False),
    ("no-answer", True, False),
    ("canceled", False, False),
    ("no-answer", True, True),
    *(("completed", True, True),) * 14,
)
# category, its unit, unit of its count, description
USAGE = (
    ("totalprice", "usd", "", "Total Price"),
    ("sms", "messages", "messages", "SMS"),
    ("sms-outbound", "messages", "messages", "Outbound SMS"),
    ("calls", "minutes", "calls", "Voice Minutes"),
    ("calls-inbound", "minutes", "calls", "Inbound Voice Minutes"),
    ("recordingstorage", "megabytes", "megabytes", "Recording Storage"),
)
COUNTRIES = (
    ("US", "United States", ("Local", "TollFree")),
    ("GB", "United Kingdom", ("Local", "Mobile", "TollFree")),
    ("NO", "Norway", ("Local", "Mobile")),
    ("EE", "Estonia", ("Mobile",)),
)


def filled(
    seed: int,
    now: int,
    scale: float,
    counts: Mapping[str, int],
    accounts: Sequence[Holder] = ACCOUNTS,
) -> Store:
    """Return all lists with the year that ends at the midnight before `now`."""
    store = Store(seed, now)
    for number, (name, status, holds) in enumerate(accounts):
        fields = {"friendly_name": name, "status": status, "owner_account_sid": store.main}
        if number == 0:
            fields["sid"] = store.main
        account = store.add("accounts", store.main, store.start + number * DAY, **fields)
        share, own = (0.0, holds) if isinstance(holds, Mapping) else (holds * scale, {})
        store.counts[account.key] = own if number else {**own, **counts}
        Year(store, account.key, share).fill()
    return store


class Year:
    """One account's rows of the year."""

    def __init__(self, store: Store, account: str, share: float) -> None:
        """Take an account and its share of the long lists."""
        self.store = store
        self.account = account
        self.share = share
        self.counts = store.counts[account]
        self.random = store.rng.random

    def fill(self) -> None:
        """Add the rows."""
        for stream in LONG | SHORT:
            getattr(self, f"_{stream}", self._plain)(stream)
        self._numbers()

    def _count(self, stream: str) -> int:
        usual = SHORT.get(stream) or max(6, round(LONG[stream] * self.share))
        return self.counts.get(stream, usual)

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

    def _phone(self) -> str:
        return f"+1415555{int(self.random() * 10_000):04}"

    def _messages(self, stream: str) -> None:
        live, usual, bodies = len(LIVE_MESSAGES), len(MESSAGES), len(BODIES)
        for number, created in self._spread(stream, live=live):
            status, direction, sent, priced, error = (
                LIVE_MESSAGES[number] if number < live else MESSAGES[number % usual]
            )
            later = created + int(self.random() * 20)
            media = 1 + number % 3 if number % 12 == 6 else 0
            fields: Wire = {
                "status": status,
                "direction": direction,
                "body": BODIES[number % bodies],
                "from": self._phone(),
                "to": self._phone(),
                "date_sent": rfc2822(later) if sent else None,
                "date_updated": rfc2822(later + 3),
            }
            if not priced:
                fields["price"] = None
            if error:
                fields |= {"error_code": error, "error_message": "Not delivered"}
            if media:
                sid = self.store.sid("MM")
                fields |= {"sid": sid, "num_media": str(media), "price": "-0.02000"}
                for _ in range(media):
                    self.store.add("message_media", self.account, created, sid)
            self.store.add(stream, self.account, created, **fields)

    def _calls(self, stream: str) -> None:
        live, usual = len(LIVE_CALLS), len(CALLS)
        for number, created in self._spread(stream, live=live):
            status, started, ended = LIVE_CALLS[number] if number < live else CALLS[number % usual]
            start, duration = created + 2, 1 + int(self.random() * 600)
            done = status == "completed"
            sender, receiver = self._phone(), self._phone()
            fields: Wire = {
                "status": status,
                "direction": "inbound" if number % 3 else "outbound-dial",
                "from": sender,
                "from_formatted": f"({sender[2:5]}) {sender[5:8]}-{sender[8:]}",
                "to": receiver,
                "to_formatted": f"({receiver[2:5]}) {receiver[5:8]}-{receiver[8:]}",
                "start_time": rfc2822(start) if started else None,
                "end_time": rfc2822(start + duration * done) if ended else None,
                "date_updated": rfc2822(start + duration * done),
                "duration": str(duration) if done else "0" if number >= live else None,
            }
            if not done:
                fields["price"] = None
            elif number % 7 == 0:
                fields |= {"annotation": "billing", "answered_by": "human"}
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
        for number, created in self._spread(stream, live=1):
            fields: Wire = {"duration": str(1 + int(self.random() * 600))}
            # Twilio drops the metadata 40 days after the deletion.
            if number % 6 == 2 and self.store.end - created < 39 * DAY:
                fields |= {"status": "deleted", "date_updated": rfc2822(self.store.end - 60)}
            elif number == 0:
                fields |= {"status": "processing", "duration": "-1", "price": None}
            self.store.add(stream, self.account, created, **fields)

    def _alerts(self, stream: str) -> None:
        # A quarter lies before the 30 days that may be queried.
        for number, created in self._spread(stream, days=40):
            fields: Wire = {"log_level": ("error", "warning", "notice")[number % 3]}
            if number % 10 == 4:
                fields["date_generated"] = iso8601(created - 900)
            self.store.add(stream, self.account, created, **fields)

    def _usage_records(self, stream: str) -> None:
        count = self._count(stream)
        days = max(365, -(-count // len(USAGE)))
        for cell in sorted(self.store.rng.sample(range(days * len(USAGE)), count)):
            day, row = divmod(cell, len(USAGE))
            category, unit, count_unit, description = USAGE[row]
            number = 1 + int(self.random() * 900)
            price = str(Decimal(number) * Decimal("0.00750"))
            usage = {"usd": price, "minutes": f"{number * 1.5:.1f}", "megabytes": f"{number}.0417"}
            self.store.add(
                stream,
                self.account,
                self.store.end - (day + 1) * DAY,
                category=category,
                description=description,
                usage=usage.get(unit, str(number)),
                usage_unit=unit,
                count=None if unit == "usd" else usage.get(count_unit, str(number)),
                count_unit=count_unit,
                price=price,
            )

    def _addresses(self, stream: str) -> None:
        number_sid = self.store.sid("PN")
        for number, created in self._spread(stream):
            address = self.store.add(stream, self.account, created).key
            # One number hangs on two addresses, and the last address has none.
            for sid in ([number_sid, self.store.sid("PN")], [number_sid], [])[min(number, 2)]:
                self.store.add("dependent_phone_numbers", self.account, created, address, sid=sid)

    def _numbers(self) -> None:
        base = f"/2010-04-01/Accounts/{self.account}/AvailablePhoneNumbers"
        for code, name, kinds in COUNTRIES:
            self.store.add(
                "available_phone_number_countries",
                self.account,
                0,
                country_code=code,
                country=name,
                beta=code == "EE",
                uri=f"{base}/{code}.json",
                subresource_uris={snake(kind): f"{base}/{code}/{kind}.json" for kind in kinds},
            )
            for kind in kinds:
                for _ in range(3):
                    phone = self._phone()
                    self.store.add(
                        f"available_phone_numbers_{snake(kind)}",
                        self.account,
                        0,
                        code,
                        phone_number=phone,
                        friendly_name=phone,
                    )
