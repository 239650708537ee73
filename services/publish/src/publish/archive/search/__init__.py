"""Finding updates in the archive: by words, and by what they are about. `engine` is what another search server would take the place of."""
