"""Where a killed update could still be read: each sink is asked, and clean only where it answers without anything of it."""
