"""One file per training framework; each is imported only when it is used."""
