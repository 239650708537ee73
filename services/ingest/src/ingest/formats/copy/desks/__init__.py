"""What is for desks: notes, scripts of videos, copy that waits."""
