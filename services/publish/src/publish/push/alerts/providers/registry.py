"""The providers by name. A subscription's `service` is one of these names."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from publish.push.alerts.providers.apns.client import open_apns
from publish.push.alerts.providers.fcm.client import open_fcm
from publish.push.alerts.providers.provider import Provider, Resources
from publish.push.alerts.providers.web.client import open_web_push
from publish.push.settings import PushSettings

Open = Callable[[PushSettings, Resources], AbstractAsyncContextManager[Provider | None]]
"""Makes a provider and closes it at the end; None where its settings are empty."""

PROVIDERS: dict[str, Open] = {"web": open_web_push, "fcm": open_fcm, "apns": open_apns}


async def open_providers(
    settings: PushSettings, resources: Resources, stack: contextlib.AsyncExitStack
) -> dict[str, Provider]:
    """The providers that are configured."""
    opened = {name: await stack.enter_async_context(open_(settings, resources)) for name, open_ in PROVIDERS.items()}
    return {name: provider for name, provider in opened.items() if provider is not None}
