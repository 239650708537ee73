"""`slugline deadletters`: messages that could not be handled, looked at, sent again or closed."""
