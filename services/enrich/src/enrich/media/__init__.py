"""enrich media: pictures that updates refer to are fetched, checked, rendered and indexed, beside enrich text."""
