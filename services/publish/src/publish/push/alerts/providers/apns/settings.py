"""Settings of Apple's Push Notification service."""

from pathlib import Path

from pydantic import BaseModel, Field, field_validator


class ApnsSettings(BaseModel):
    """Part of the push process's settings."""

    publish_push_apns_key: Path | None = Field(
        default=None, description="Private key (.p8) for APNs; no APNs when empty"
    )
    publish_push_apns_key_id: str = Field(default="", description="Id of the APNs key")
    publish_push_apns_team: str = Field(default="", description="Team of the APNs key")
    publish_push_apns_app: str = Field(default="", description="Bundle id of the app (apns-topic)")
    publish_push_apns_url: str = Field(default="https://api.push.apple.com", description="Where APNs is")

    @field_validator("publish_push_apns_key", mode="before")
    @classmethod
    def _empty_key_is_none(cls, value: object) -> object:
        return None if value == "" else value
