"""What is kept in files: the container, segments and whole indexes in it."""
