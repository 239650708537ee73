"""Web Push to browsers."""
