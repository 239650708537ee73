"""The providers: their names, which are those of a subscription's `service`, and their settings. A new one is added here."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from publish.push.alerts.providers.apns.client import open_apns
from publish.push.alerts.providers.apns.settings import ApnsSettings
from publish.push.alerts.providers.fcm.client import open_fcm
from publish.push.alerts.providers.fcm.settings import FcmSettings
from publish.push.alerts.providers.provider import Provider, Resources
from publish.push.alerts.providers.web.client import open_web_push
from publish.push.alerts.providers.web.settings import WebPushSettings


class ProviderSettings(WebPushSettings, FcmSettings, ApnsSettings):
    """The settings of all providers."""


Open = Callable[[ProviderSettings, Resources], AbstractAsyncContextManager[Provider | None]]
"""Makes a provider and closes it at the end; None where its settings are empty."""

PROVIDERS: dict[str, Open] = {"web": open_web_push, "fcm": open_fcm, "apns": open_apns}


async def open_providers(
    settings: ProviderSettings, resources: Resources, stack: contextlib.AsyncExitStack
) -> dict[str, Provider]:
    """The providers that are configured."""
    opened = {name: await stack.enter_async_context(open_(settings, resources)) for name, open_ in PROVIDERS.items()}
    return {name: provider for name, provider in opened.items() if provider is not None}
