"""Alerts to readers' browsers and phones: rules, decisions, subscriptions, sending."""
