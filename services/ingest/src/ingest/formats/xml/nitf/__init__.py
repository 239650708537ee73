"""NITF, the News Industry Text Format, 2.0 to 3.6, with and without a namespace: https://iptc.org/std/NITF/"""
