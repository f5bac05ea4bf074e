"""Which fields of an event the names of columns suggest, so that a header is known as one and its
columns can be proposed. Nothing is ever read by a guess.

In: the names of CSV columns. Out: field → name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from difflib import get_close_matches

_WORDS = {
    "user": "user userid uid customer customerid client clientid visitor visitorid member "
    "memberid account accountid buyerid shopperid reviewerid profileid useruuid userpseudoid "
    "anonymousid distinctid deviceid session sessionid",
    "item": "item itemid itemno itemnumber product productid sku article articleid content "
    "contentid movie movieid asin parentasin book bookid isbn game gameid track trackid song "
    "songid video videoid newsid "
    "businessid business listingid offerid objectid entityid goodsid aid",
    "type": "type eventtype event eventname action actiontype behavior behaviour behaviortype "
    "behaviourtype feedbacktype interaction interactiontype activity activitytype",
    "ts": "ts timestamp time datetime date eventtime eventtimestamp eventdate createdat created "
    "occurredat happenedat receivedat servertime unixtime epoch clickedat viewedat",
    "value": "value rating ratings score stars overall bookrating eventvalue",
    "id": "eventid messageid insertid eventuuid",
}
# German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish and Polish, without accents.
_ABROAD = {
    "user": "kunde kundenid kundennr kundennummer benutzer benutzerid nutzer nutzerid kaufer "
    "utilisateur idutilisateur idclient cliente idcliente usuario idusuario utente idutente "
    "utilizador klant klantid gebruiker kund anvandare bruger klient uzytkownik",
    "item": "artikel artikelid artikelnr artikelnummer produkt produktid produktnr produktnummer "
    "ware produit idproduit idarticle producto idproducto articulo prodotto idprodotto articolo "
    "produto idproduto vara vare towar",
    "type": "aktion ereignis typ evenement accion evento tipo azione acao actie handelse handling",
    "ts": "datum zeit zeitpunkt zeitstempel datumuhrzeit uhrzeit horodatage dateheure heure fecha "
    "fechahora hora dataora data ora tijd tijdstip tidpunkt tid dato czas",
    "value": "bewertung wert sterne note puntuacion valor valutazione voto avaliacao nota "
    "beoordeling waardering betyg bedommelse ocena",
}
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words.split()}
_FIELD_ABROAD = {word: field for field, words in _ABROAD.items() for word in words.split()}
_RANK = {word: rank for rank, word in enumerate([*_FIELD_OF, *_FIELD_ABROAD])}


def fold(name: str) -> str:
    """A column's name without case, the blanks and quotes around it, and a byte order mark.

    >>> fold('\\ufeff"User-ID" ')
    'user-id'
    """
    text = unicodedata.normalize("NFKC", name)
    return text.strip().strip("\ufeff\"'`").strip().casefold()


def without_accents(text: str) -> str:
    """A text whose letters have no accents.

    >>> without_accents("Épuisé, für")
    'Epuise, fur'
    """
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def roles(names: Iterable[str], abroad: bool = False) -> dict[str, str]:
    """The fields that the names suggest, each with the likeliest name for it.

    Args:
        abroad: whether names in other languages than English count, which is for advice alone.

    RecBole's `name:kind` is known too: https://recbole.io/docs/user_guide/data/atomic_files.html

    >>> roles(["session", "Movie ID", "user_id:token", "Rating", "colour"])
    {'user': 'user_id:token', 'item': 'Movie ID', 'value': 'Rating'}
    >>> roles(["Kunde", "Artikel-Nr."]), roles(["Kunde", "Artikel-Nr."], abroad=True)
    ({}, {'user': 'Kunde', 'item': 'Artikel-Nr.'})
    """
    found: dict[str, tuple[int, str]] = {}
    for name in names:
        word = re.sub(r"[\W_]", "", fold(name).partition(":")[0])
        field = _FIELD_OF.get(word)
        if abroad and not field:
            word = without_accents(word)
            field = _FIELD_ABROAD.get(word)
        if field and (field not in found or _RANK[word] < found[field][0]):
            found[field] = _RANK[word], name.strip("\ufeff\"' ")
    return {field: found[field][1] for field in _WORDS if field in found}


def instead(word: str, known: Collection[str]) -> str:
    """The nearest known word as a question, or all of them.

    >>> instead("usr", ["user", "item"]), instead("x", ["user", "item"])
    ("did you mean 'user'?", 'choose one of user, item')
    """
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
