"""The Kiln face: a product that there is not, added by the suite to prove that a face is a folder and a word."""
