"""NewsML 1.0 to 1.2, which agencies still send: https://iptc.org/standards/newsml-1/"""
