from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.report.explorer import ExploredPath, clip, most_instructive

TAGS = ("solved", "unsolved", "mixed", "stalled", "saves")

paths = st.lists(st.sets(st.sampled_from(TAGS), min_size=1), max_size=30).map(
    lambda tags: [ExploredPath(f"p{i}", "", "", tuple(sorted(t)), (), "") for i, t in enumerate(tags)]
)


@given(paths, st.integers(0, 20))
def test_the_choice_is_as_many_as_allowed_without_repetition(paths, limit):
    picked = most_instructive(paths, TAGS, limit)
    assert len(picked) == min(limit, len(paths))
    assert [path.id for path in picked] == sorted({path.id for path in picked})


@given(paths)
def test_every_tag_that_occurs_is_represented(paths):
    picked = most_instructive(paths, TAGS, len(TAGS))
    assert {tag for path in picked for tag in path.tags} == {tag for path in paths for tag in path.tags}


@given(st.text(max_size=50), st.integers(2, 20))
def test_clipping_keeps_both_ends_and_says_how_much_is_gone(text, limit):
    clipped = clip(text, limit)
    if len(text) <= limit:
        assert clipped == text
    else:
        half = limit // 2
        assert clipped.startswith(text[:half]) and clipped.endswith(text[-half:])
        assert f"{len(text) - 2 * half} characters left out" in clipped
