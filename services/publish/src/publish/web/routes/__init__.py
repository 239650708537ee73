"""What the web process answers: pages, API, feeds, pictures, assets."""
