"""What a source of items says that is read as attributes, though some of it may be fields.

In: a `Tally`, the first lines about items, and the configuration. Out: a check, with the options
that name the fields; they have been tried on these lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from flink_app.config import Config
from flink_app.console.live import counted
from flink_app.data.recorded import Block
from flink_app.data.validate.candidates import LINES
from flink_app.data.validate.checks import Check
from flink_app.data.validate.suggest import changed, shown
from flink_app.data.validate.tally import Tally
from flink_app.graph.event_settings import decode_settings
from udfs.events.items import ItemReader, ReadItems
from udfs.events.layout import listed
from udfs.events.names import fold, without_accents

# German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish and Polish, without accents;
# and English names that may mean something else.
_WORDS = {
    "title": "bezeichnung artikelbezeichnung produktbezeichnung artikelname produktname titel nom "
    "nomproduit libelle titre designation nombre nombreproducto titulo nome nomeprodotto titolo "
    "denominazione naam productnaam benamning produktnamn navn nazwa displayname "
    "productdisplayname label",
    "text": "beschreibung artikelbeschreibung produktbeschreibung langtext kurztext descripcion "
    "descrizione descricao omschrijving beskrivning beskrivelse opis longdescription "
    "shortdescription details",
    "categories": "kategorie kategorien warengruppe produktgruppe rubrik categorie famille rayon "
    "categoria categorias reparto kategori kategoria categoryname categorypath productcategory "
    "department section",
    "tags": "schlagwort schlagworte schlagworter stichworte etiquettes motscles etiquetas "
    "etichette trefwoorden etiketter tagi",
    "price": "preis verkaufspreis bruttopreis prix prixttc prixvente precio precioventa pvp prezzo "
    "preco prijs pris cena saleprice sellingprice listprice unitprice retailprice amount",
    "currency": "wahrung waehrung devise monnaie moneda valuta moeda waluta",
    "provider": "marke hersteller anbieter lieferant marque fabricant fournisseur marca fabricante "
    "proveedor produttore fornitore merk fabrikant leverancier tillverkare marka producent "
    "brandname supplier seller author artist",
    "image": "bild bildurl bildlink produktbild photo foto imagen immagine imagem afbeelding "
    "billede obraz zdjecie photourl imageurl1 mainimage",
    "available": "verfugbar verfuegbar verfugbarkeit lagerbestand bestand lieferbar disponible "
    "disponibilite stock enstock disponibilidad existencias disponibilita disponibile giacenza "
    "disponivel estoque voorraad lagersaldo dostepnosc stockquantity quantity qty inventory",
    "published": "erscheinungsdatum veroffentlicht erschienen datepublication fechapublicacion "
    "datapubblicazione publicationdate datepublished",
    "expires": "ablaufdatum gultigbis dateexpiration fechacaducidad datascadenza",
}
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words.split()}
_TELLING = frozenset(_WORDS) - {"currency", "image", "available", "published", "expires"}
_NAME = "if one of them is a field, name it: --set items.fields.title=NAME"


def attributes_checks(tally: Tally, block: Block, config: Config, now_ms: int) -> Iterator[Check]:
    """The check, if there are attributes; it is a PASS unless some of them seem to be fields, or
    nothing is a field by which items can be compared."""
    names = [name for name, _ in tally.attributes.most_common()]
    if not names:
        return
    fields = _fields(names, tally, block, config, now_ms)
    advice = ""
    if fields:
        advice = f"if these are fields, name them: {shown({'items.fields': fields})}"
    elif not _TELLING & set(tally.fields):
        advice = _NAME
    yield Check(
        name="attributes",
        status="WARN" if advice else "PASS",
        found=f"{counted(len(names), 'attribute')}: {listed(names)}",
        advice=advice,
    )


def _fields(
    names: list[str], tally: Tally, block: Block, config: Config, now_ms: int
) -> dict[str, str]:
    """The fields that attributes may be, each with the attribute's name: with these options every
    line can be used that can be used now, and half of them have the field."""
    found: dict[str, str] = {}
    rejected = len(_read(block, config, now_ms, found).rejected)
    for name in names:
        field = _FIELD_OF.get(re.sub(r"[\W_]", "", without_accents(fold(name))), "")
        if not field or field in found or field in tally.fields:
            continue
        read = _read(block, config, now_ms, {**found, field: name})
        having = sum(change.fields.get(field) is not None for change in read.changes)
        if len(read.rejected) == rejected and 2 * having >= len(read.changes) > 0:
            found[field] = name
    return found


def _read(block: Block, config: Config, now_ms: int, fields: dict[str, str]) -> ReadItems:
    config = changed(config, {"items.fields": {**config.items.fields, **fields}})
    settings = replace(decode_settings(config), user_per_minute=0)
    lines = block.lines[:LINES]
    return ItemReader(settings).decode(lines, now_ms, block.files[: len(lines)])
