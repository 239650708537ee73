"""Settings of Web Push."""

from pydantic import BaseModel, Field


class WebPushSettings(BaseModel):
    """Part of the push process's settings."""

    publish_push_vapid_key: str = Field(
        default="",
        description="Private VAPID key (32 bytes, base64url); one is made once and kept in Postgres when empty",
    )
    publish_push_vapid_contact: str = Field(
        default="mailto:push@newsroom.example",
        description="Who push services may write to: mailto: or https: (RFC 8292)",
    )
