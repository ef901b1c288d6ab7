"""The pages of a run."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import JSON, type_coerce, update

from automl.options import RUN_OPTIONS
from automl.records import DatasetState, Goal, RunSettings, RunState, Sampler, Scoring, TrialInProgress
from automl.store.tables import LogEntry, Run, TrialSummary, now
from automl.text.numbers import validated
from tests.reports import CROSS_VALIDATED, PARETO_ROW, SMALL_MODEL, report_values
from tests.server.conftest import zip_of

RESULT = report_values(classes=["rose", "tulip <b>"])
HELD_OUT = RunSettings(scoring=Scoring.HELD_OUT)


@pytest.fixture
def searching(world):
    """A run in the middle of its search, with a trial of each kind."""
    run_id = world.add_run(
        RunState.SEARCHING,
        settings=HELD_OUT,
        activity="Trying heads",
        best_score=0.9512,
        best_summary="MobileNetV2, 224 px",
        n_trials=3,
        used_s=60.0,
        lease_until=now() + timedelta(seconds=30),
    )
    with world.database.session() as session:
        for number, state in enumerate(("complete", "pruned", "failed")):
            trial = TrialSummary(
                run_id=run_id, number=number, state=state, image_size_px=224, started_s=1, duration_s=2
            )
            trial.stage, trial.n_bytes, trial.latency_s = "fine-tuning" if number else "heads", 13_200_000, 0.0123
            trial.backbones, trial.score = ["mobilenet_v2"], None if state == "failed" else 0.9
            session.add(trial)
    return run_id


@pytest.fixture
def done(world):
    run_id = world.add_run(RunState.DONE, result=RESULT, n_trials=2)
    bundle = zip_of(**{"model.keras": b"k", "predict.py": b"p", "odd.bin": b"o"})
    world.add_artifact(run_id, "bundle", bundle, "model.zip", "application/zip")
    world.add_artifact(run_id, "plot", b"\x89PNG", "confusion.png", "image/png")
    return run_id


def text_of(client, path):
    return " ".join(client.get(path).text.split())


def details_of(client, run_id):
    return text_of(client, f"/runs/{run_id}/details")


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_has_a_page(client, world, state):
    run_id = world.add_run(state, result=RESULT if state is RunState.DONE else None)
    assert client.get(f"/runs/{run_id}").status_code == 200


def test_a_waiting_run_can_be_cancelled_but_not_stopped(client, world):
    page = text_of(client, f"/runs/{world.add_run()}")
    assert "It starts in a moment." in page
    assert "confirm-cancel" in page
    assert "stop-run" not in page


def test_a_run_that_no_worker_takes_says_so(client, world):
    run_id = world.add_run(created_at=now() - timedelta(minutes=2))
    assert "whether the worker is running" in text_of(client, f"/runs/{run_id}")


def test_a_live_run_says_stage_time_best_and_what_the_score_is_measured_on(client, searching):
    page = text_of(client, f"/runs/{searching}")
    assert "Trying heads" in page
    assert "1 minute left of 2 minutes" in page
    assert "95.1 %" in page
    assert "on photos it had not learned from" in page
    assert "No try sees them." in page


@pytest.mark.parametrize(
    ("state", "words"),
    [(RunState.SEARCHING, "the final score will take that luck off"), (RunState.FINISHING, "takes that luck off")],
)
def test_a_live_run_that_tests_every_photo_promises_no_test_photos(client, world, state, words):
    run_id = world.add_run(state, best_score=0.9, settings=RunSettings())
    page = text_of(client, f"/runs/{run_id}")
    assert words in page
    assert "test photos" not in page


@pytest.mark.parametrize("state", [RunState.SEARCHING, RunState.FINISHING])
def test_a_test_folder_is_the_test_of_a_run_on_few_photos(client, world, state):
    summary = {"n_images": 9, "classes": [{"label": "rose", "n_images": 9, "test": 3}]}
    dataset_id = world.add_dataset(summary=summary)
    run_id = world.add_run(state, dataset_id, best_score=0.9, settings=RunSettings())
    assert "the test photos" in text_of(client, f"/runs/{run_id}")


def test_trials_are_told_apart_by_words(client, searching):
    page = text_of(client, f"/runs/{searching}")
    assert all(words in page for words in ("✓ finished", "↷ given up early", "✕ failed"))


def test_a_trial_says_its_stage_its_size_and_how_long_a_photo_takes(client, searching):
    page = text_of(client, f"/runs/{searching}")
    assert "quick training, 224 px, 13.2 MB, 12 ms for a photo" in page
    assert page.count("fine-tuning, 224 px, 13.2 MB") == 2


def test_a_trial_of_unknown_size_says_nothing_about_it(client, world, searching):
    with world.database.session() as session:
        for trial in session.query(TrialSummary):
            trial.n_bytes, trial.latency_s = 0, 0.0
    page = text_of(client, f"/runs/{searching}")
    assert "quick training, 224 px</small>" in page
    assert "for a photo" not in page


def test_balanced_accuracy_is_named_beside_the_score_and_accuracy_is_not(client, world):
    named = "on photos it had not learned from (balanced accuracy)"
    for goal, expected in (("balanced_accuracy", True), ("accuracy", False), (None, False)):
        run_id = world.add_run(RunState.SEARCHING, best_score=0.9, settings=RunSettings(goal=goal))
        assert (named in text_of(client, f"/runs/{run_id}")) == expected


def test_a_live_run_refreshes_itself_without_javascript(client, searching):
    assert '<noscript><meta http-equiv="refresh" content="5">' in client.get(f"/runs/{searching}").text


def test_an_ended_run_does_not_refresh_itself(client, done):
    page = client.get(f"/runs/{done}").text
    assert "refresh" not in page
    assert "hx-trigger" not in page


def test_the_live_part_leaves_the_buttons_alone_while_only_figures_change(client, searching):
    key = client.get(f"/runs/{searching}").text.split("seen=")[1].split('"')[0]
    answer = client.get(f"/runs/{searching}/live?seen={key}")
    assert "HX-Retarget" not in answer.headers
    assert "best-score" in answer.text
    assert "stop-run" not in answer.text


def test_the_live_part_redraws_everything_when_the_state_changes(client, done):
    answer = client.get(f"/runs/{done}/live?seen=searching-00-")
    assert answer.headers["HX-Retarget"] == "#run"
    assert "test-score" in answer.text
    assert "every 1s" not in answer.text and "seen=" not in answer.text


@pytest.mark.parametrize(("state", "asked"), [(RunState.FINISHING, {}), (RunState.SEARCHING, {"stop_requested": True})])
def test_a_run_that_is_ending_says_how_long_that_takes_and_promises_nothing(client, world, state, asked):
    page = text_of(client, f"/runs/{world.add_run(state, used_s=84.0, best_score=0.9, **asked)}")
    if asked:
        assert "Ending the search" in page
        assert "Then the best model is tested and packed: usually under a minute." in page
    else:
        assert "Testing and packing the best model: usually under a minute." in page
    assert 'The run has taken <span id="so-far">1 minute 24 seconds</span> so far.' in page
    assert "left of" not in page
    assert "At most" not in page


@pytest.mark.parametrize(("state", "goes_on"), [("searching", True), ("finishing", False), ("queued", False)])
def test_a_try_goes_on_only_while_the_search_does(client, world, state, goes_on):
    trying = TrialInProgress(number=4, stage="heads", backbones=["mobilenet_v2"], image_size_px=96, started_s=1.0)
    run_id = world.add_run(RunState(state), trying=trying)
    assert ("◑ running" in client.get(f"/runs/{run_id}").text) == goes_on
    assert (client.get(f"/runs/{run_id}/course").json["trying"] is not None) == goes_on


def test_the_course_is_hidden_until_there_is_something_and_is_a_table_without_a_script(client, world, searching):
    assert 'aria-labelledby="course-title" hidden>' in client.get(f"/runs/{searching}").text
    with world.database.session() as session:
        session.add(LogEntry(run_id=searching, kind="best", text="MobileNetV2", used_s=3.0, score=0.9))
    page = text_of(client, f"/runs/{searching}")
    assert 'aria-labelledby="course-title"> ' in page
    assert '<div id="course-drawn" hidden>' in page
    assert '<details id="course-table" open>' in page


def test_stop_asks_for_the_best_so_far(client, world, searching):
    assert client.post(f"/runs/{searching}/stop").location == f"/runs/{searching}"
    assert world.run(searching).stop_requested
    assert "The best model so far is kept." in text_of(client, f"/runs/{searching}")


def test_cancel_is_asked_for_and_shown(client, world, searching):
    client.post(f"/runs/{searching}/cancel")
    assert world.run(searching).cancel_requested
    assert "Cancelling…" in client.get(f"/runs/{searching}").text


def test_a_waiting_run_is_cancelled_at_once(client, world):
    run_id = world.add_run()
    client.post(f"/runs/{run_id}/cancel")
    assert world.run(run_id).state is RunState.CANCELLED
    assert "This run was cancelled" in client.get(f"/runs/{run_id}").text


def test_an_ended_run_cannot_be_stopped(client, done):
    assert client.post(f"/runs/{done}/stop").status_code == 409


def test_the_result_begins_with_the_sentence_and_says_where_the_score_is_from(client, done):
    page = text_of(client, f"/runs/{done}")
    assert page.index(RESULT["sentence"]) < page.index("90.0 %")
    assert "put aside before the search and used once" in page
    assert "60–98" in page
    assert "50.0 %" in text_of(client, f"/runs/{done}/details")


def test_a_result_without_a_test_set_says_how_every_photo_was_tested(client, world):
    first = {"trial": 0, "accuracy": 0.7, "n_correct": 7, "n_images": 10, "at_s": 12.3}
    result = report_values(**CROSS_VALIDATED, goal="balanced_accuracy", first_model=first)
    run_id = world.add_run(RunState.DONE, result=result)
    page = text_of(client, f"/runs/{run_id}")
    assert page.index(result["sentence"]) < page.index("87.6 %")
    assert "9 of 10 answers were right; the luck in choosing the best of many tries is taken off." in page
    assert "models like yours learned from the others" in page and "chose the best of 2 tries" in page
    assert "The more photos there are, the narrower this is" in page
    details = text_of(client, f"/runs/{run_id}/details")
    assert "auto: cross-validated" in details
    assert "The difference between the two, on the same photos, is what the search was worth." in details
    assert "the score above is corrected for that" in details
    mistakes = text_of(client, f"/runs/{run_id}/mistakes")
    assert "on the diagonal. Each photo was answered by a model that had not seen it." in mistakes
    assert "test photos" not in (page + details + mistakes).lower()


def test_luck_is_not_spoken_of_where_there_was_one_try(client, world):
    result = report_values(**CROSS_VALIDATED, n_trials=1)
    run_id = world.add_run(RunState.DONE, result=result)
    page = text_of(client, f"/runs/{run_id}")
    assert "9 of 10 answers were right.</small>" in page
    assert "Your own model has then learned from all photos." in page and "luck" not in page
    assert "9 of 10 answers were right.</small>" in details_of(client, run_id)


def test_a_first_model_that_was_as_good_on_every_photo_may_be_luck(client, world):
    first = {"trial": 0, "accuracy": 0.9, "n_correct": 9, "n_images": 10, "at_s": 12.3}
    result = report_values(**CROSS_VALIDATED, first_model=first)
    page = details_of(client, world.add_run(RunState.DONE, result=result))
    assert "On these photos the search gained nothing over it, which may be luck." in page


def test_the_validation_score_is_labelled_as_such(client, done):
    assert "95.0 % of 60 (5-fold cross-validation). These photos chose the winner" in details_of(client, done)


def test_a_result_that_was_balanced_says_so_and_shows_both_scores(client, world):
    """Also where the goal was chosen by the data, which only the result knows."""
    balanced = {
        "goal": "balanced_accuracy",
        "validation": {**RESULT["validation"], "score": 0.88},
        "test": {**RESULT["test"], "balanced_accuracy": 0.85},
    }
    page = details_of(client, world.add_run(RunState.DONE, result={**RESULT, **balanced}))
    assert '<p class="score-value" id="balanced-score">85.0 %' in page
    assert "90.0 %" in page
    assert "88.0 % (balanced accuracy) of 60" in page


def test_the_result_says_every_setting_that_the_run_was_asked_for(client, world):
    asked = {"max_model_mb": 12.0, "sampler": Sampler.CMA_ES, "backbones": ("mobilenet_v1",), "lr_scheduler": "cosine"}
    settings = RunSettings(**asked)
    result = {**RESULT, "goal": Goal.BALANCED_ACCURACY}
    run_id = world.add_run(RunState.DONE, result=result, settings=settings)
    page = details_of(client, run_id).split('id="settings"')[1].split("</dl>")[0]
    said = dict(re.findall(r"<code>(\w+)</code></small></dt><dd>(.*?)</dd>", page))
    assert list(said) == list(RUN_OPTIONS)
    assert said["budget"] == "2 minutes" and said["max_model_mb"] == "12 MB" and said["max_trials"] == "no limit"
    assert said["backbones"] == "MobileNetV1" and said["sampler"] == "Evolution strategy (CMA-ES)"
    assert said["tuner"] == "Optuna" and said["pruner"] == "median" and said["lr_scheduler"] == "cosine"
    assert said["goal"] == "the one that fits the photos: balanced accuracy"


def test_the_first_model_has_its_own_card_where_it_was_scored(client, world):
    first = {"trial": 0, "accuracy": 0.7, "n_correct": 7, "n_images": 10, "at_s": 12.3}
    page = details_of(client, world.add_run(RunState.DONE, result={**RESULT, "first_model": first}))
    assert '<p class="score-value" id="first-score">70.0 %</p>' in page
    assert "It was ready after 12 seconds. The difference between the two" in page
    same = {**RESULT, "first_model": {**first, "trial": 1}}
    assert "and no better one was found" in details_of(client, world.add_run(RunState.DONE, result=same))
    part = {**same, "winner": {**RESULT["winner"], "parts": [RESULT["winner"]["trial"], 4, 7]}}
    page = details_of(client, world.add_run(RunState.DONE, result=part))
    assert "The difference between the two" in page and "averaged with tries 5, 8" in page
    without = {**RESULT, "first_model": None}
    assert "first-score" not in details_of(client, world.add_run(RunState.DONE, result=without))


PARETO = [
    {**PARETO_ROW, "number": 4, "score": 0.9, "n_bytes": 9_000_000, "latency_s": 0.008, "image_size_px": 96},
    {**PARETO_ROW, "n_bytes": 20_000_000, "latency_s": 0.02, "backbones": ["mobilenet_v1"], "is_winner": True},
]


def test_the_best_for_each_size_are_listed_and_the_delivered_one_is_marked(client, world):
    page = details_of(client, world.add_run(RunState.DONE, result={**RESULT, "pareto": PARETO}))
    rows = re.findall(r"<tr.*?</tr>", page[page.index('id="pareto"') :].split("</table>")[0])[1:]
    assert ["90.0 %" in rows[0], "9.0 MB" in rows[0], "8.0 ms" in rows[0], "MobileNetV2, 96 px" in rows[0]] == [
        True
    ] * 4
    assert ["★ yours" in row for row in rows] == [False, True]


def test_a_tuned_winner_says_that_its_score_is_of_other_photos(client, world):
    rows = [
        {**PARETO[0], "n_images": 1200},
        {**PARETO[1], "n_images": 300},
    ]
    winner = {**RESULT["winner"], "stage": "fine-tuning"}
    result = {**RESULT, "pareto": rows, "winner": winner}
    page = details_of(client, world.add_run(RunState.DONE, result=result))
    assert "no other try without fine-tuning was better without being larger" in page
    assert "Its score comes from 300 photos, the scores of the others from 1,200" in page


@pytest.mark.parametrize("pareto", [[], PARETO[:1]])
def test_a_choice_of_one_is_not_listed(client, world, pareto):
    page = details_of(client, world.add_run(RunState.DONE, result={**RESULT, "pareto": pareto}))
    assert "Best for its size" not in page


def test_a_small_model_that_was_taught_stands_beside_the_delivered_one(client, world):
    page = text_of(client, f"/runs/{world.add_run(RunState.DONE, result={**RESULT, 'small': SMALL_MODEL})}/details")
    part = page[page.index('id="small-model"') :].split("</section>")[0]
    assert "MobileNetV2, 160 px, learned from the answers of MobileNetV1 + EfficientNet-Lite2" in part
    assert "93.0 %" in part and "of 60 photos" in part and "9.0 MB" in part and "4.0 ms" in part
    assert "2.0 points less" in part and "95 % interval -5.0 to +1.0" in part
    assert "1.0 points more" in part and "-1.0 to +3.0" in part
    won = {**RESULT, "small": {**SMALL_MODEL, "is_winner": True}}
    page = text_of(client, f"/runs/{world.add_run(RunState.DONE, result=won)}/details")
    assert "side by side, which are larger and slower" in page and "Beside the model that you get" not in page
    assert "small-model" not in text_of(client, f"/runs/{world.add_run(RunState.DONE, result=RESULT)}/details")


def test_the_result_lists_what_is_really_in_the_bundle(client, done):
    page = text_of(client, f"/runs/{done}")
    assert "<code>model.keras</code>: the model for TensorFlow and Keras" in page
    assert "<code>odd.bin</code> <small>(1 byte)" in page
    assert "model.onnx" not in page


def test_plots_have_alternative_texts(client, done):
    assert 'alt="Plot: confusion.png"' in client.get(f"/runs/{done}/details").text


def test_the_confusion_matrix_is_a_table_with_headers(client, done):
    page = text_of(client, f"/runs/{done}/mistakes")
    assert '<th scope="row">tulip &lt;b&gt;</th> <td class="miss-2">1</td><td class="hit-8">4</td>' in page


def test_weights_are_credited(client, done):
    assert "MobileNetV2 from somewhere, MIT. Tuned on dogs." in details_of(client, done)


def test_weights_from_a_package_are_credited_without_its_name(client, world):
    weights = {**RESULT["weights"][0], "origin": "package archive", "location": "startling==0.1"}
    page = details_of(client, world.add_run(RunState.DONE, result={**RESULT, "weights": [weights]}))
    assert "MobileNetV2 from a package archive (see the model card), MIT" in page
    assert "startling" not in page


def test_a_bundle_that_was_deleted_is_said(client, world):
    page = client.get(f"/runs/{world.add_run(RunState.DONE, result=RESULT)}").text
    assert "no longer on this server" in page


def test_a_run_of_an_older_version_has_a_page_and_can_be_run_again(client, world):
    older = {"tuner": "optuna", "seed": 1, "max_trials": None, "backbones": [], "max_image_size_px": 224}
    run_id = world.add_run(RunState.FAILED)
    with world.database.session() as session:
        stored = type_coerce({**older, "budget_s": 120.0}, JSON)
        session.execute(update(Run.__table__).where(Run.id == run_id).values(settings=stored))
    page = client.get(f"/runs/{run_id}").text
    assert '<input type="hidden" name="fine_tuning" value="yes">' in page


def test_a_failed_run_says_why_and_can_be_run_again(client, world):
    run_id = world.add_run(RunState.FAILED, error_code="disk_full", error_message="The disk is full. Free some space.")
    page = text_of(client, f"/runs/{run_id}")
    assert "The disk is full. Free some space." in page
    assert "Run it again, 2 minutes" in page
    assert "100 %" not in page


@pytest.mark.parametrize(
    "settings",
    [
        RunSettings(),
        RunSettings(
            goal=Goal.ACCURACY,
            sampler=Sampler.RANDOM,
            backbones=("mobilenet_v1", "mobilenet_v2"),
            head_layers=(),
            max_model_mb=9.5,
            fine_tuning=False,
        ),
    ],
)
def test_run_it_again_uses_the_same_settings(client, world, settings):
    run_id = world.add_run(RunState.FAILED, settings=settings)
    page = client.get(f"/runs/{run_id}").text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', page))
    client.post(f"/datasets/{world.run(run_id).dataset_id}/runs", data=fields)
    again = world.run(world.queue.sent[0][1])
    assert again.settings == world.run(run_id).settings


def test_the_best_so_far_of_a_cancelled_run_can_still_be_downloaded(client, world):
    run_id = world.add_run(RunState.CANCELLED, best_score=0.9, settings=HELD_OUT)
    title = "90.0 % on photos it had not learned from"
    world.add_artifact(run_id, "best_so_far", zip_of(a=b"a"), "model.zip", "application/zip", title)
    page = text_of(client, f"/runs/{run_id}")
    assert "Download the best so far" in page
    assert f"The best model so far: {title}. It has not been tested on test photos." in page
    assert f'href="/runs/{run_id}/try" aria-describedby="download-title">Try the best so far' in page


def test_an_ended_run_without_a_test_set_says_that_there_was_no_final_test(client, world):
    run_id = world.add_run(RunState.CANCELLED, best_score=0.9, settings=RunSettings())
    world.add_artifact(run_id, "best_so_far", zip_of(a=b"a"), "model.zip", "application/zip", "90.0 % on photos")
    page = text_of(client, f"/runs/{run_id}")
    assert "That may be a little lucky: there was no final test." in page
    assert "test photos" not in page


def test_a_model_that_was_not_the_best_when_the_run_was_cancelled_is_not_called_so(client, world):
    run_id = world.add_run(RunState.CANCELLED, best_score=0.906, settings=HELD_OUT)
    title = "77.4 % on photos it had not learned from"
    world.add_artifact(run_id, "best_so_far", zip_of(a=b"a"), "model.zip", "application/zip", title)
    page = text_of(client, f"/runs/{run_id}")
    assert f"The model that was packed last: {title}. It has not been tested on test photos. A try with 90.6 %" in page
    assert "Try the model packed last" in page and "Download the model packed last (.zip" in page
    assert "best model so far" not in page and "best so far" not in page


@pytest.mark.parametrize("state", [RunState.CANCELLED, RunState.FAILED, RunState.SEARCHING])
def test_a_run_without_a_model_does_not_lead_to_trying_it(client, world, state):
    assert "/try" not in client.get(f"/runs/{world.add_run(state, best_score=0.9)}").text


def test_the_loudest_button_tries_the_model_and_does_not_end_the_search(client, world, searching):
    world.add_artifact(searching, "best_so_far", zip_of(a=b"a"), "m.zip", "application/zip", "87.5 % right")
    page = text_of(client, f"/runs/{searching}")
    actions = page[page.index('<div class="run-actions">') : page.index("</section>", page.index("run-actions"))]
    buttons = re.findall(r'<(?:a role="button"|button type="submit")[^>]*>', actions)
    loud = [button for button in buttons if "outline" not in button and "danger" not in button]
    assert loud == [buttons[0]]
    assert buttons[0].startswith(f'<a role="button" id="try-so-far" href="/runs/{searching}/try"')


@pytest.mark.parametrize(("asked", "other"), [("cancel", "stop"), ("stop", "cancel")])
def test_what_cannot_be_taken_back_asks_and_is_drawn_open_for_who_has_asked(client, searching, asked, other):
    page = client.get(f"/runs/{searching}").text
    assert f'data-asks="{asked}">' in page and f'id="ask-{asked}"' in page
    assert page.count(f'action="/runs/{searching}/{asked}"') == 1  # inside the question
    page = client.get(f"/runs/{searching}?ask={asked}").text
    assert f'data-asks="{asked}" open>' in page and f'data-asks="{other}">' in page
    assert f"ask-{asked}" not in page and f"ask-{other}" in page


def test_tries_are_counted_from_one_on_the_page(client, searching):
    page = text_of(client, f"/runs/{searching}")
    rows = re.findall(r'data-number="(\d+)".*?<td class="number">(\d+)</td>', page)
    assert rows == [("2", "3"), ("1", "2"), ("0", "1")]


def test_both_buttons_say_which_model_is_packed_and_that_a_better_try_is_not_yet(client, world, searching):
    world.add_artifact(searching, "best_so_far", b"a", "m.zip", "application/zip", validated(0.803))
    older = (
        "The model that was packed last: 80.3 % on photos it had not learned from, 1 byte. "
        "The try with 95.1 % is not packed yet."
    )
    page = text_of(client, f"/runs/{searching}")
    assert f'<p id="download-title"><small>{older}</small></p>' in page
    assert page.count('aria-describedby="download-title"') == 2
    world.add_artifact(searching, "best_so_far", b"a", "m.zip", "application/zip", validated(0.951))
    page = text_of(client, f"/runs/{searching}")
    assert '<p id="download-title"><small>95.1 % on photos it had not learned from, 1 byte</small></p>' in page


def test_a_better_download_changes_its_title_and_leaves_the_buttons_alone(client, world, searching):
    world.add_artifact(searching, "best_so_far", b"a", "m.zip", "application/zip", validated(0.800))
    key = client.get(f"/runs/{searching}").text.split("seen=")[1].split('"')[0]
    world.add_artifact(searching, "best_so_far", b"a", "m.zip", "application/zip", validated(0.951))
    answer = client.get(f"/runs/{searching}/live?seen={key}")
    title = f'<p id="download-title" hx-swap-oob="innerHTML"><small>{validated(0.951)}, 1 byte'
    assert title in answer.text
    assert "confirm-cancel" not in answer.text


def test_a_run_that_failed_for_its_photos_leads_to_the_list_of_what_was_refused(client, world):
    summary = {"n_refused": 7, "refused": [{"name": "a.zip", "reason": "Damaged."}]}
    dataset_id = world.add_dataset(DatasetState.INVALID, summary=summary)
    run_id = world.add_run(RunState.FAILED, dataset_id, error_code="bad_dataset", error_message="Nothing.")
    page = text_of(client, f"/runs/{run_id}")
    assert f'href="/datasets/{dataset_id}#refused">7 files are not used' in page


def test_a_sample_run_waits_while_its_pictures_are_made(client, world):
    run_id = world.add_run(dataset_id=world.add_dataset(DatasetState.CHECKING))
    assert client.get(f"/runs/{run_id}").status_code == 200


@pytest.fixture
def with_trials(world, done):
    """`done` with what was tried, and a log."""
    with world.database.session() as session:
        for number, score in enumerate((0.9, 0.95)):
            trial = TrialSummary(run_id=done, number=number, state="complete", image_size_px=224, score=score)
            trial.started_s, trial.duration_s, trial.backbones = 1.0, 2.0, ["mobilenet_v2"]
            session.add(trial)
        session.add(LogEntry(run_id=done, kind="note", text="Time was short."))
    return done


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FAILED, RunState.CANCELLED])
def test_what_was_tried_is_a_page_of_its_own_and_not_in_that_of_an_ended_run(client, world, with_trials, state):
    with world.database.session() as session:
        session.get(Run, with_trials).state = state
    path = f"/runs/{with_trials}/tries"
    ended = f"/runs/{with_trials}/details" if state is RunState.DONE else f"/runs/{with_trials}"
    page, tries = text_of(client, ended), text_of(client, path)
    assert "All 2 tries, and what happened" in page
    assert f'<a href="{path}">See them on a page of their own</a>' in page
    assert "data-number" not in page and "Time was short." not in page
    assert [int(number) for number in re.findall(r'data-number="(\d+)"', tries)] == [1, 0]
    assert "Time was short." in tries


def test_the_page_of_what_was_tried_says_of_which_run(client, world):
    page = text_of(client, f"/runs/{world.add_run(RunState.DONE, name='with <glasses>')}/tries")
    assert "<title>What was tried · with &lt;glasses&gt; · flowers · Darkroom</title>" in page
    assert "<h1>What was tried: with &lt;glasses&gt;</h1>" in page
    assert "← The run with flowers: with &lt;glasses&gt;</a>" in page


def test_only_the_best_of_very_many_tries_are_shown_and_it_is_said(client, world, done):
    with world.database.session() as session:
        for number in range(201):
            session.add(
                TrialSummary(
                    run_id=done, number=number, state="complete", image_size_px=224, score=number / 201,
                    started_s=1.0, duration_s=2.0, backbones=["mobilenet_v2"],
                )
            )  # fmt: skip
        world_run = session.get(Run, done)
        world_run.n_trials = 201
    page = text_of(client, f"/runs/{done}/tries")
    assert "The best 200 of 201." in page
    assert len(re.findall("data-number=", page)) == 200
    assert 'data-number="0"' not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [(RunState.QUEUED, "Nothing has been tried yet."), (RunState.CANCELLED, "Nothing was tried.")],
)
def test_where_nothing_was_tried_the_page_says_so_and_what_happened(client, world, state, words):
    page = text_of(client, f"/runs/{world.add_run(state)}/tries")
    assert words in page
    assert "What happened" in page and "Requested" in page


def test_the_first_try_is_on_the_page_while_it_goes_on(client, world):
    trying = TrialInProgress(number=0, stage="heads", backbones=["mobilenet_v2"], image_size_px=96, started_s=1.0)
    page = text_of(client, f"/runs/{world.add_run(RunState.SEARCHING, trying=trying)}/tries")
    assert "◑ running" in page
    assert "Nothing has been tried yet." not in page


def test_a_run_that_failed_before_it_tried_anything_shows_what_happened(client, world):
    run_id = world.add_run(RunState.FAILED, error_code="run_failed", error_message="")
    with world.database.session() as session:
        session.add(LogEntry(run_id=run_id, kind="worker", text="The worker was lost."))
    page = text_of(client, f"/runs/{run_id}")
    assert "What happened" in page and "The worker was lost." in page
    assert '/tries"' not in page
