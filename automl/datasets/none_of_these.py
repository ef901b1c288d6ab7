"""A class of photos of anything else, so that a model has an answer for what is none of its kinds.

It is learned as any other class. What is special is only how it is spoken of: it is no kind of its own.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

NONE_OF_THESE = "none of these"
"""What the class is called where Darkroom makes it."""

_NAMES = """
    none,none of these,none of the above,none of them,no class,nothing,nothing else,other,others,other things,otherwise,
    something else,anything else,everything else,else,rest,the rest,misc,miscellaneous,various,unknown,unknowns,
    unclassified,background,backgrounds,bg,distractor,distractors,irrelevant,out of scope,
    sonstige,sonstiges,sonst,andere,anderes,andere sachen,nichts,nichts davon,keines,keins,hintergrund,unbekannt,
    übrige,übriges,
    autre,autres,autre chose,aucun,aucune,rien,divers,fond,arrière plan,inconnu,inconnus,
    otro,otros,otra,otras,otra cosa,ninguno,ninguna,ninguno de estos,nada,fondo,desconocido,varios,
    outro,outros,outra,outras,nenhum,nenhuma,fundo,desconhecido,
    altro,altri,altre,nessuno,nessuna,niente,sfondo,sconosciuto,vari,
    overig,overige,ander,anders,geen,niets,achtergrond,onbekend,
    annat,andra,övrigt,inget,bakgrund,okänd,andet,andre,annet,ingen,baggrund,bakgrunn,ukendt,ukjent,
    inne,inny,żadne,żaden,tło,nieznane,jiné,ostatní,nic,pozadí,neznámé,
    diğer,diğerleri,hiçbiri,arka plan,bilinmeyen,
    другое,другие,прочее,остальное,ничего,фон,неизвестно,інше,інші,тло,
    其他,其它,其余,背景,未知,无,都不是,その他,他,なし,背景画像,不明,기타,배경,없음,알 수 없음
"""


def is_none_of_these(label: str) -> bool:
    """Whether a class is called as people call photos of anything else, in one of some twenty languages."""
    return _spelled(label) in _KNOWN


def _spelled(name: str) -> str:
    """A name however it is written: `Arrière-plan` and `arrière plan` are one."""
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFC", name)).strip(" ()[]!.").casefold()


_KNOWN = frozenset(map(_spelled, _NAMES.split(",")))


def class_of_anything_else(labels: Sequence[str]) -> str | None:
    """The class among these that is one of anything else; None where there is none, or more than one."""
    found = [label for label in labels if is_none_of_these(label)]
    return found[0] if len(found) == 1 and len(labels) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnythingElse:
    """How a model did on photos of anything else.

    Attributes:
        label: The class.
        n_else: Tested photos of anything else.
        n_taken: How many of them were taken for one of the kinds.
        n_kinds: Tested photos of the kinds.
        n_missed: How many of them were taken for something else.
    """

    label: str
    n_else: int
    n_taken: int
    n_kinds: int
    n_missed: int


def anything_else(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> AnythingElse | None:
    """Counts it; None where no class is one of anything else.

    Args:
        labels: The classes.
        confusion: Counts (n_classes, n_classes): rows are the truth, columns what the model said.
    """
    label = class_of_anything_else(labels)
    if label is None:
        return None
    which = labels.index(label)
    n_else, n_kinds = sum(confusion[which]), sum(map(sum, confusion)) - sum(confusion[which])
    return AnythingElse(
        label=label,
        n_else=n_else,
        n_taken=n_else - confusion[which][which],
        n_kinds=n_kinds,
        n_missed=sum(row[which] for index, row in enumerate(confusion) if index != which),
    )
