"""What is particular about the agencies that are known, as data: profiles that a source's own profile may extend."""
