"""`slugline status`: the whole installation on one screen."""
