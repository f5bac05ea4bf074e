"""Items and users as arrays, and the compiled loops over them."""
