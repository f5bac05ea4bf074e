"""What is said in German.

In: nothing. Out: `TEXTS`, of `flink_app.lookup.words`.
"""

from __future__ import annotations

TEXTS = {
    "because": "weil du dir {items} angesehen hast",
    "like": "neu, ähnlich wie {item}",
    "like_in": "neu, ähnlich wie {item}: {words}",
    "followed": "gefällt {name} (du folgst)",
    "followed.author": "von {name} (du folgst)",
    "followed.provider": "von {name} (du folgst)",
    "followed.category": "neu in {name} (du folgst)",
    "popular_in": "beliebt in {place}",
    "popular_with": "beliebt bei Leuten wie dir: {place}",
    "model.item-cf": "passt zu dem, was du dir angesehen hast",
    "model.user-cf": "Leute wie du haben es gewählt",
    "model.mf": "trifft deinen Geschmack",
    "model.popular": "gerade beliebt",
    "model.trending": "gerade im Kommen",
    "model.content": "passt zu dem, was du suchst",
    "model.segments": "damit beginnen viele wie du",
    "model.social": "von denen, denen du folgst",
    "model.sequence": "passt zu dem, was du zuletzt angesehen hast",
    "model.": "für dich ausgewählt",
    "fact.unknown_item": "der Job kennt es nicht: niemand hat es gewählt und keine Zeile "
    "beschreibt es, oder es ist abgelaufen",
    "fact.unknown_user": "der Job weiß nichts über diesen Nutzer",
    "fact.expired": "es ist abgelaufen: lange hat es niemand gewählt",
    "fact.not_allowed": "es ist nicht verfügbar, verborgen oder gelöscht, oder eine Regel "
    "schließt es aus",
    "fact.not_yet": "es erscheint erst am {at}",
    "fact.over": "es war nur bis {at} zu zeigen",
    "fact.consumed": "du hattest es schon",
    "fact.own": "du hast es selbst veröffentlicht",
    "fact.few_events": "du hast zu wenige Ereignisse für eine eigene Liste: {events} von {least}",
    "fact.no_candidate": "keine Quelle schlägt es für dich vor",
    "fact.ranked_below": "es steht auf Platz {place} von {candidates} Kandidaten; "
    "die Liste hat {length}",
    "fact.below": "es ist nicht unter den ersten {length} der Listen von {source}",
    "fact.moved": "der Schritt {step} hat es von Platz {before} auf {after} verschoben",
    "fact.dropped": "der Schritt {step} hat es herausgenommen, von Platz {before}",
    "place": "{item} steht auf Platz {place} von {length} in der Liste",
    "absent": "{item} steht nicht in der Liste",
    "chance": "dort steht es durch Zufall, {chance}, um bekannt zu werden",
    "without": "ohne das, was du mit {item} getan hast, stünde es nicht in der Liste",
    "without_none": "nichts, was du getan hast, entscheidet für sich allein, ob es in der Liste "
    "steht",
}
