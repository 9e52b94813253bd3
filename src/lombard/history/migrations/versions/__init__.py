"""One file for each format: what it changes in the tables of the one before."""
