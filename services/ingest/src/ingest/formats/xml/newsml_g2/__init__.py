"""NewsML-G2 by the sections of its specification, 2.35: https://iptc.org/std/NewsML-G2/"""
