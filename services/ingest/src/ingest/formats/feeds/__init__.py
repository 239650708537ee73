"""RSS, Atom, RDF and CDF."""
