"""The media lane: pictures that updates refer to are fetched, judged, rendered and indexed, beside the text and never before it."""
