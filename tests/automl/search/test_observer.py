"""Observers override what matters to them, and several can follow one run."""

from pathlib import Path

from automl.records import RunState, Stage, TrialRecord, TrialState
from automl.search.observer import NoteKeeper, Observer, Observers
from automl.search.space import SearchSpace

RECORD = TrialRecord(
    number=0,
    state=TrialState.COMPLETE,
    backbones=("mobilenet_v2",),
    image_size_px=224,
    params={},
    score=0.8,
    started_s=0.0,
    duration_s=1.0,
)


def report_everything(observer: Observer) -> None:
    observer.state(RunState.SEARCHING)
    observer.activity("Reading", 0.5)
    observer.note("A note.")
    observer.space(Stage.HEADS, SearchSpace(()))
    observer.trying(RECORD)
    observer.epoch(1, 0.8, 0.5)
    observer.trial(RECORD, None)
    observer.best_so_far(Path("model.zip"), 0.8)
    observer.winner({})


def events_of(observer: type[Observer]) -> set[str]:
    return {name for name in vars(observer) if not name.startswith("_")}


def test_an_observer_may_ignore_everything() -> None:
    report_everything(Observer())


def test_several_observers_get_every_event_in_their_order() -> None:
    calls: list[tuple[str, str]] = []

    def noting(name: str) -> Observer:
        observer = Observer()
        for event in events_of(Observer):
            setattr(observer, event, lambda *_, event=event: calls.append((name, event)))
        return observer

    report_everything(Observers(noting("first"), noting("second")))
    assert calls[::2] == [("first", event) for _, event in calls[1::2]]
    assert {event for _, event in calls} == events_of(Observer)


def test_notes_are_kept_in_their_order() -> None:
    keeper = NoteKeeper()
    for text in ("one", "two"):
        keeper.note(text)
    report_everything(keeper)
    assert keeper.notes == ["one", "two", "A note."]
