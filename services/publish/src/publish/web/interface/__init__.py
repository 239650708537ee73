"""The words of the site around the updates, in the language of its readers."""
