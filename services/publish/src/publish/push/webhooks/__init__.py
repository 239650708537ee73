"""Webhooks by Standard Webhooks."""
