"""Archives and pictures with something wrong at random places are read, in part, or refused with words."""

import io
from contextlib import suppress

import numpy as np
import pytest

from automl.archives.limits import ArchiveLimits
from automl.archives.opening import read_archive
from automl.errors import BadImage, BadUpload, UserError
from automl.images.verify import inspect_photo
from bench.mutations import FORMS, Mutation, archives, mutated, pictures
from tests.automl.images.pictures import picture

N_ROUNDS = 12
PHOTOS = pictures(picture(1, size=(60, 40)))
ARCHIVES = archives({f"{label}/{number}.jpg": PHOTOS["JPEG"] for label in ("cat", "dog") for number in range(5)})


@pytest.mark.parametrize("mutation", Mutation)
@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_damaged_archive_is_read_as_far_as_it_goes_or_refused(suffix: str, mutation: Mutation) -> None:
    limits = ArchiveLimits(max_files=100, max_bytes=1 << 24)
    for seed in range(N_ROUNDS):
        content = mutated(ARCHIVES[suffix], mutation, np.random.default_rng(seed))
        with suppress(UserError):
            for member in read_archive(io.BytesIO(content), f"photos{suffix}", limits):
                assert ".." not in member.name.split("/") and not member.name.startswith("/")
                with suppress(BadUpload):
                    assert len(member.stream.read()) <= len(content) + limits.max_bytes


@pytest.mark.parametrize("mutation", Mutation)
@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_picture_is_opened_or_refused_with_words(form: str, mutation: Mutation) -> None:
    for seed in range(N_ROUNDS):
        content = mutated(PHOTOS[form], mutation, np.random.default_rng(seed))
        try:
            traits, _ = inspect_photo(io.BytesIO(content), 50_000_000)
        except BadImage as refusal:
            assert refusal.message.endswith(".")
        else:
            assert traits.width > 0 and traits.height > 0


def test_the_same_seed_is_the_same_damage_and_damages() -> None:
    good = PHOTOS["PNG"]
    for mutation in Mutation:
        first, again, other = (mutated(good, mutation, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first == again != other
        assert first != good
