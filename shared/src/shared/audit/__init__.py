"""Who changed what, when and why: a log in each service's schema that only grows, and shows when it was tampered with."""
