"""Apple's Push Notification service."""
