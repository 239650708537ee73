"""Media Topics that a text seems to be about, for desks; readers see none of them."""
