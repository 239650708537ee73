"""What stands on a page beside its feed: the lead, cards of stories, key events, what is near an update, its history."""
