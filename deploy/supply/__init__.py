"""What the images are made of: its licences, its age, and what is known against it."""
