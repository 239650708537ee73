"""Settings of the push process."""

from pathlib import Path

from pydantic import Field, field_validator

from publish.push.alerts.providers.registry import ProviderSettings
from publish.push.purge.settings import PurgeSettings
from publish.settings import Settings


class PushSettings(PurgeSettings, ProviderSettings, Settings):
    """What all processes of publish share, what push needs, and the settings of its channels and providers."""

    publish_push_port: int = Field(
        default=8097, description="Port of the push process: subscriptions, webhooks, the WebSub hub, health"
    )
    publish_push_readable_s: float = Field(
        default=10.0,
        gt=0,
        description="Seconds to wait for a revision to be readable before what follows from it leaves",
    )
    publish_push_allow_private: bool = Field(
        default=False, description="Permit http and private addresses as endpoints: for development only"
    )
    publish_push_timeout_s: float = Field(default=15.0, gt=0, description="Seconds that a recipient may take to answer")
    publish_push_in_flight: int = Field(default=2000, ge=10, description="Webhook requests under way at one time")
    publish_push_per_endpoint: int = Field(default=4, ge=1, description="Requests under way to one webhook endpoint")
    publish_push_schedule_s: str = Field(
        default="5,300,1800,7200,18000,36000,50400,72000,86400",
        description="Seconds before each further attempt of a webhook, comma-separated; a fifth more or less by chance",
    )
    publish_push_disable_after_h: float = Field(
        default=120.0, gt=0, description="Hours of nothing but failure after which a webhook endpoint is disabled"
    )
    publish_push_rules: Path | None = Field(
        default=None, description="JSON file of the alert rules and the budget; the built-in ones when empty"
    )
    publish_push_keep_days: int = Field(default=14, ge=1, description="Days for which delivery logs are kept")
    publish_push_monitor_page_s: float = Field(
        default=2.0,
        gt=0,
        description="Seconds in which each web address must show a publish; past it the monitor calls it late",
    )
    publish_push_monitor_cache_s: float = Field(default=2.0, gt=0, description="The same for the Redis read model")
    publish_push_monitor_webhook_s: float = Field(
        default=5.0, gt=0, description="The same for webhooks, of endpoints that do not fail already"
    )
    publish_push_monitor_alert_s: float = Field(
        default=120.0, gt=0, description="The same for alerts, until the first reader is sent one"
    )
    publish_push_monitor_cdn_s: float = Field(default=10.0, gt=0, description="The same for purges of shared caches")

    @property
    def push_schedule_s(self) -> tuple[float, ...]:
        """The pauses of `publish_push_schedule_s`."""
        return tuple(float(pause) for pause in self.publish_push_schedule_s.split(","))

    @field_validator("publish_push_rules", mode="before")
    @classmethod
    def _empty_rules_are_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("publish_push_schedule_s")
    @classmethod
    def _only_numbers(cls, value: str) -> str:
        if any(float(pause) <= 0 for pause in value.split(",")):
            raise ValueError("pauses are positive numbers of seconds, comma-separated")
        return value
