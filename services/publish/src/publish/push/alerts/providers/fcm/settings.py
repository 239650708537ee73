"""Settings of Firebase Cloud Messaging."""

from pathlib import Path

from pydantic import BaseModel, Field, field_validator


class FcmSettings(BaseModel):
    """Part of the push process's settings."""

    publish_push_fcm_account: Path | None = Field(
        default=None, description="JSON file of the Google service account for FCM; no FCM when empty"
    )
    publish_push_fcm_url: str = Field(default="https://fcm.googleapis.com", description="Where FCM is")

    @field_validator("publish_push_fcm_account", mode="before")
    @classmethod
    def _empty_account_is_none(cls, value: object) -> object:
        return None if value == "" else value
