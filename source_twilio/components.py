"""The classes that manifest.yaml names: each does what YAML cannot say, and says why.

"BEHAVIOR n" refers to the numbered entry of BEHAVIOR.md that gives the fact and its source.
"""

from source_twilio.accounts import AccountsRetriever, ListsRouter
from source_twilio.auth import TwilioAuthenticator
from source_twilio.config import SettingsTransformation
from source_twilio.error_handler import TwilioErrorHandler
from source_twilio.records import PageExtractor, SchemaNormalization, UpdatedSince
from source_twilio.retriever import TwilioRetriever
from source_twilio.state import AccountStateMigration
from source_twilio.windowed import WindowedRetriever

__all__ = [
    "AccountStateMigration",
    "AccountsRetriever",
    "ListsRouter",
    "PageExtractor",
    "SchemaNormalization",
    "SettingsTransformation",
    "TwilioAuthenticator",
    "TwilioErrorHandler",
    "TwilioRetriever",
    "UpdatedSince",
    "WindowedRetriever",
]
