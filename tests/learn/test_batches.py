"""What a batch is made of: which items, and how their images are changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from clusters import clusters  # noqa: E402
from hashindex.learn import pair_weights  # noqa: E402
from hashindex.learn.training import sampler  # noqa: E402
from hashindex.learn.training.augment import augmentation, crop_and_flip, jitter  # noqa: E402
from hashindex.learn.training.sampler import balanced_batches, shuffled_batches  # noqa: E402


def test_balanced_batches_hold_p_classes_and_take_turns() -> None:
    labels = torch.arange(10).repeat_interleave(30)
    stream = balanced_batches(labels, 32, min_per_class=8, generator=torch.Generator().manual_seed(0))
    batches = [next(stream) for _ in range(5)]
    assert all(labels[b].unique(return_counts=True)[1].tolist() == [8] * 4 for b in batches)
    assert labels[torch.cat(batches)].unique(return_counts=True)[1].tolist() == [16] * 10  # each class had 2 turns
    assert len(torch.cat(batches).unique()) == 160  # no item twice
    assert list(pair_weights(labels[batches[0]])) == pytest.approx([4, 4 / 3])


@given(n_classes=st.integers(1, 12), batch_size=st.integers(2, 50), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_balanced_batches_hold_both_kinds_of_pairs(n_classes: int, batch_size: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, 9, (n_classes,), generator=generator)
    labels = (10 * torch.arange(n_classes)).repeat_interleave(sizes)  # some classes are rare
    stream = balanced_batches(labels, batch_size, generator=generator)
    turns = torch.zeros(len(labels), dtype=torch.int64)
    n_chosen = min(n_classes, max(batch_size // 4, 2))
    n_turns = torch.zeros(n_classes)
    for _ in range(6):
        batch = next(stream)
        n_turns[labels[batch].unique() // 10] += 1
        assert n_turns.max() - n_turns.min() <= 2  # one that waits makes it 2
        assert len(batch) == batch_size
        counts = labels[batch].unique(return_counts=True)[1]
        assert len(counts) == n_chosen
        assert counts.max() - counts.min() <= 1
        turns += torch.bincount(batch, minlength=len(labels))
        for c in labels.unique():
            of_class = turns[labels == c]
            assert of_class.max() - of_class.min() <= 1  # none a second time before all had their turn


def test_a_class_has_its_items_in_the_order_of_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    take_turns = sampler._take_turns

    def spy(values: Any, generator: Any) -> Iterator[int]:
        seen.append(values.tolist())
        return take_turns(values, generator)

    monkeypatch.setattr(sampler, "_take_turns", spy)
    labels = torch.randint(-3, 40, (200,), generator=torch.Generator().manual_seed(0))
    next(balanced_batches(labels, 32, generator=torch.Generator().manual_seed(0)))
    assert seen[:-1] == [torch.nonzero(labels == c)[:, 0].tolist() for c in labels.unique()]  # as seeds have had it


def test_shuffled_batches_take_turns_beyond_the_end() -> None:
    stream = shuffled_batches(7, 4, generator=torch.Generator().manual_seed(0))
    drawn = torch.cat([next(stream) for _ in range(7)])
    assert drawn.unique(return_counts=True)[1].tolist() == [4] * 7


def test_jitter_shifts_by_at_most_a_pixel_and_leaves_its_input_alone() -> None:
    images = torch.from_numpy(clusters(50, shape=(2, 4, 5))[0])
    original = images.clone()
    generator = torch.Generator().manual_seed(0)
    moved = jitter(images, noise=0.0, generator=generator)
    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    shifts = [padded[:, :, y : y + 4, x : x + 5] for y in range(3) for x in range(3)]
    which = torch.stack([(shift == moved).flatten(1).all(dim=1) for shift in shifts])
    assert which.any(dim=0).all()
    assert which.any(dim=1).all()  # all nine occur
    grain = jitter(images, shift=0, noise=0.1, generator=generator) - images
    assert grain.std().item() == pytest.approx(0.1 * images.std().item(), rel=0.1)
    assert torch.equal(images, original)


def test_crop_and_flip_moves_and_mirrors_whole_images() -> None:
    images = torch.from_numpy(clusters(300, shape=(2, 26, 40))[0])
    original = images.clone()
    moved = crop_and_flip(images, generator=torch.Generator().manual_seed(0))
    assert torch.equal(images, original)
    assert moved.shape == images.shape
    padded = functional.pad(images, (1, 1, 1, 1), mode="reflect")  # a 16th of 26 pixels is 1
    shifts = [padded[:, :, y : y + 26, x : x + 40] for y in range(3) for x in range(3)]
    kinds = torch.stack([*shifts, *(shift.flip(3) for shift in shifts)])
    which = (kinds == moved).flatten(2).all(dim=2)
    assert which.any(dim=0).all()
    assert which.any(dim=1).all()  # all eighteen occur
    assert 100 < which[9:].any(dim=0).sum() < 200


def test_augmentation_is_drawn_from_its_generator_alone() -> None:
    images = torch.from_numpy(clusters(20, shape=(1, 30, 30))[0])
    state = torch.get_rng_state()
    for augment in (jitter, crop_and_flip):
        one, same, other = (augment(images, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
        assert torch.equal(one, same)
        assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_images_are_augmented_by_their_size_and_features_never() -> None:
    assert augmentation((10,)) is None
    assert augmentation((1, 8, 8)) is jitter
    assert augmentation((3, 24, 500)) is jitter
    assert augmentation((3, 25, 500)) is crop_and_flip
    wide = torch.zeros(2, 3, 25, 500)
    assert crop_and_flip(wide, generator=torch.Generator()).shape == wide.shape
