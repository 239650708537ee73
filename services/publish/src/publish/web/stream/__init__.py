"""The live edge: what is published leaves to every reader who follows it, resumable and without a silent hole."""
