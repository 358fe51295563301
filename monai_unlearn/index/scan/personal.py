"""Which columns of a table may describe a person: by the words in their names, or because their texts are many."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monai_unlearn.index.pseudonyms import domain_of

if TYPE_CHECKING:
    import pyarrow as pa

# Names of columns, in English, German, French, Spanish, Italian and Dutch, without accents.
_WORDS = (
    # names of people
    r"(?:first|last|family|given|sur|fore|full|user|maiden|patient|pat|vor|nach|familien|geburts)?_?names?",
    r"(?:pre)?noms?|(?:pre)?nom_\w+|nombres?|apellidos?|cognome|(?:voor|achter)?naam|initials?|initialen",
    # birth, address, contact
    r"birth\w*|dob|born|geb\w*|naissance|nacimiento|nascita|geboorte\w*",
    r"address\w*|adress\w*|street|strasse|city|town|ort|wohnort|stadt|ville|zip|plz|post_?code|postleitzahl",
    r"phone\w*|telephone|telefon\w*|mobile|handy|fax|e?_?mail|url|contact|kontakt|guardian",
    # numbers of people and cases
    r"ssn|nhs\w*|insurance\w*|versicher\w*|pat|pid|pat_?(?:id|no|nr|num|number|nummer|code)s?",
    r"(?:case|chart|record|hospital|encounter|visit|client|member|fall|akten)_?(?:id|no|nr|num|number|nummer|code)s?",
    r"other_(?:patient_)?ids?",
    # staff
    r"physician\w*|doctor\w*|operator\w*|owner|referr\w*|arzt|aerztin|zuweiser|medecin|medico",
    # free text and places of files
    r"comments?|notes?|remarks?|reports?|findings?|impression|description|text|free_?text|history|anamnes\w*",
    r"befund\w*|bemerkung\w*|kommentar\w*|notiz\w*|commentaires?|comentarios?|commenti?|path|file_?path",
)
_PERSONAL = re.compile(rf"(?:^|_)(?:{'|'.join(_WORDS)})(?:_|$)")
# A column of text with more different values than this, and more than this share of its rows, is no list of categories.
_CATEGORIES, _SHARE = 20, 0.05


def is_personal(name: str) -> bool:
    """Return whether a column may describe a person, by the words in its name; hashed identifiers do not.

    >>> [is_personal(name) for name in ("LastName", "Geburtsdatum", "findings", "site", "PatientID")]
    [True, True, True, False, False]
    """
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    spelled = re.sub(r"[^a-z0-9]+", "_", spelled.lower())
    return domain_of(name) is None and _PERSONAL.search(spelled) is not None


def is_telling(texts: pa.ChunkedArray) -> bool:
    """Return whether a column has so many different texts that each may be that of one person."""
    import pyarrow.compute as pc

    different = int(pc.count_distinct(texts).as_py())
    return different > _CATEGORIES and different > _SHARE * (len(texts) - texts.null_count)
