"""What is a code, a radius, an id, an item; and what to call instead when it is not."""
