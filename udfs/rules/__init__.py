"""Rules and filters: conditions on the fields of an item, written in CEL."""
