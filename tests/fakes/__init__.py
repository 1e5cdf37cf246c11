"""Small real implementations of our protocols, for tests of what uses them."""
