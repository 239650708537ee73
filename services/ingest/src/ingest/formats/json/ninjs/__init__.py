"""ninjs, IPTC's News in JSON, 1.0 to 3.1, and what agencies and Superdesk make of it.

1.x has pattern keys (`body_html`) and objects (`associations`), 2.x arrays (`bodies`), 3.x camelCase. Names are taken
without regard to case, so that one reader understands all of them and their mixtures. Sources:
https://www.iptc.org/std/ninjs/ and the released JSON Schemas.
"""
