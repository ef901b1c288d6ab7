"""Nobody is offered what he would not be let do: each form and link on the pages of those who may only look."""

import re
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from automl.records import DatasetState, Role, RunState
from automl.store.database import find_dataset, find_run
from automl.store.shares import share
from automl.store.tables import DatasetFile, now
from server.access import RULES, Rule
from tests.server.people import add_person, signed_in
from tests.server.rich_result import add_rich_result
from tests.server.sorted_photos import sort
from tests.server.trying import add_tried_run

OF_A_DATASET = ("", "/photos?label=red", "/photos", "/photos/{file}")
OF_A_RUN = ("", "/mistakes", "/doubts", "/details", "/answers", "/try", "/try/unlabelled", "/phone")
ALLOWED = {
    "guest": {Rule.EVERYBODY, Rule.KNOWN, Rule.SEES, Rule.MEMBER},
    "viewer": {Rule.EVERYBODY, Rule.KNOWN, Rule.SEES},
}


@pytest.fixture
def pages(world):
    """The addresses of all pages of a data set and its runs, which are shared with a member and with a viewer."""
    add_person(world, "olga", Role.ADMINISTRATOR)
    add_person(world, "guest")
    add_person(world, "viewer", Role.VIEWER)
    done = add_rich_result(world)
    tried = add_tried_run(world)
    unready = [
        world.add_dataset(state=DatasetState.CHECKING),
        world.add_dataset(state=DatasetState.UPLOADING, files=[DatasetFile(name="a/1.jpg", n_bytes=1)]),
        world.add_dataset(state=DatasetState.READY, warned_at=now()),
    ]
    with world.database.session() as session:
        dataset = find_run(session, done).dataset
        dataset_id, file_id = dataset.id, dataset.files[0].id
        for name in ALLOWED:
            others = [find_dataset(session, other_id) for other_id in unready]
            for shared in (dataset, find_run(session, tried).dataset, *others):
                share(session, shared, f"{name}@example.org", may_change=False)
    others = [world.add_run(state, dataset_id=dataset_id) for state in (RunState.SEARCHING, RunState.QUEUED)]
    others.append(world.add_run(RunState.FAILED, dataset_id=dataset_id, error_message="It broke."))
    found = [f"/datasets/{dataset_id}{page}".format(file=file_id) for page in OF_A_DATASET]
    found += [f"/runs/{run}{page}" for run in (done, tried, *others) for page in OF_A_RUN]
    found.append(sort(signed_in(world, "olga"), tried))
    found += [f"/datasets/{other_id}" for other_id in unready]
    return ["/", "/datasets", "/bin", "/help", "/account", *found]


@pytest.mark.parametrize("name", ALLOWED)
def test_whoever_may_only_look_is_offered_nothing_else(world, pages, name):
    client = signed_in(world, name)
    adapter = world.app.url_map.bind("localhost")
    n_shown, wrong = 0, set()
    for page in pages:
        answer = client.get(page, follow_redirects=True)
        if answer.status_code != 200:
            assert answer.status_code in (404, 409), (page, answer.text)
            continue
        n_shown += 1
        for address, method in offered(answer.text):
            try:
                endpoint, _ = adapter.match(urlsplit(address).path, method=method)
            except HTTPException:
                continue  # a file of the page itself, such as the weights of a phone's model
            if RULES[endpoint] not in ALLOWED[name]:
                wrong.add((re.sub(r"[0-9a-f]{32}", "…", page), method, endpoint))
    assert n_shown > 12
    assert not wrong, "\n".join(map(str, sorted(wrong)))


def offered(text):
    """The addresses that forms send to and links lead to."""
    for form in re.findall(r"<form\b[^>]*>", text):
        method = "POST" if 'method="post"' in form else "GET"
        if (action := re.search(r'action="([^"]*)"', form)) and action[1].startswith("/"):
            yield action[1], method
    for form_action in re.findall(r'formaction="(/[^"]*)"', text):
        yield form_action, "POST"
    for link in re.findall(r'<a\b[^>]*href="(/[^"#]*)', text):
        yield link.replace("&amp;", "&"), "GET"
