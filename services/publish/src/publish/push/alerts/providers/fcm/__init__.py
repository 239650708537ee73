"""Firebase Cloud Messaging to Android devices."""
