"""Lines about items: what a shop says of a thing, read and cleaned."""

from udfs.events.items.reader import ItemReader as ItemReader
from udfs.events.items.reader import ReadItems as ReadItems
