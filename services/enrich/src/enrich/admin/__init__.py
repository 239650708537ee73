"""What editors and operators do with the service: its API and its commands."""
