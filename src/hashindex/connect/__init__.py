"""Other systems that codes come from and go to: a file for each, which imports it only when it is used."""
