"""What partners build on beside pages of updates: filters, searches, stories with their key events, documentation, embeds, text."""
