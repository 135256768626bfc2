"""The laws of pacing."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.timeline.pace import DoesNotFit, Gap, Pacing, Part, extremes, pace, pour
from metta_audio.units import Samples


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    low, preferred, high = sorted(draw(st.lists(st.integers(0, 5000), min_size=3, max_size=3)))
    weight = draw(st.sampled_from([0.5, 1.0, 3.0]))
    return Gap(Samples(low), Samples(preferred), Samples(high), weight, unguided=draw(st.booleans()))


@st.composite
def sections(draw: st.DrawFn, *, fixed: bool = False) -> Part:
    least = draw(st.integers(1, 2))
    return Part(
        title="x",
        rigid=Samples(draw(st.integers(1, 9000))),
        gaps=tuple(draw(st.lists(gaps(), max_size=4))),
        share=draw(st.sampled_from([None, 5.0, 18.0, 40.0])),
        repeat_min=1 if fixed else least,
        repeat_max=1 if fixed else least + draw(st.integers(0, 2)),
        optional=False if fixed else draw(st.booleans()),
    )


several = st.lists(sections(), min_size=1, max_size=4)


def total(parts: list[Part], pacing: Pacing) -> int:
    rigid = sum(part.rigid * times for part, times in zip(parts, pacing.repeats, strict=True))
    return rigid + sum(sum(row) for row in pacing.gaps)


@given(several, st.integers(0, 1000))
def test_sum_is_exact_bounds_are_kept_and_order_stays(parts: list[Part], permille: int) -> None:
    shortest, longest = extremes(parts)
    target = Samples(shortest + (longest - shortest) * permille // 1000)
    try:
        pacing = pace(parts, target)
    except DoesNotFit:
        assert not brute_force(parts, target)
        return
    assert total(parts, pacing) == target
    for part, times, row in zip(parts, pacing.repeats, pacing.gaps, strict=True):
        assert times in range(part.repeat_min, part.repeat_max + 1) or (times == 0 and part.optional)
        assert len(row) == times * len(part.gaps)
        for gap, length in zip(part.gaps * times, row, strict=True):
            assert gap.low <= length <= gap.high


def brute_force(parts: list[Part], target: int) -> bool:
    options = [[0] * part.optional + list(range(part.repeat_min, part.repeat_max + 1)) for part in parts]
    return any(
        sum(p.low * n for p, n in zip(parts, ns, strict=True))
        <= target
        <= sum(p.high * n for p, n in zip(parts, ns, strict=True))
        for ns in itertools.product(*options)
    )


@given(several)
def test_what_lies_outside_the_extremes_does_not_fit(parts: list[Part]) -> None:
    shortest, longest = extremes(parts)
    for target in (shortest - 1, longest + 1):
        with pytest.raises(DoesNotFit):
            pace(parts, Samples(target))
    assert total(parts, pace(parts, shortest)) == shortest
    assert total(parts, pace(parts, longest)) == longest


@given(st.lists(sections(fixed=True), min_size=1, max_size=4), st.integers(0, 1000), st.integers(0, 3000))
def test_no_gap_shrinks_when_the_target_grows(parts: list[Part], permille: int, more: int) -> None:
    shortest, longest = extremes(parts)
    target = shortest + (longest - shortest) * permille // 1000
    before = pace(parts, Samples(target))
    after = pace(parts, Samples(min(target + more, longest)))
    for row, later in zip(before.gaps, after.gaps, strict=True):
        assert all(a <= b for a, b in zip(row, later, strict=True))


def preferred(parts: list[Part], repeats: tuple[int, ...]) -> int:
    return sum(part.preferred * times for part, times in zip(parts, repeats, strict=True))


def choices(parts: list[Part]) -> list[tuple[int, ...]]:
    options = [[0] * part.optional + list(range(part.repeat_min, part.repeat_max + 1)) for part in parts]
    return list(itertools.product(*options))


def fits(parts: list[Part], repeats: tuple[int, ...], target: int) -> bool:
    pairs = list(zip(parts, repeats, strict=True))
    return sum(p.low * n for p, n in pairs) <= target <= sum(p.high * n for p, n in pairs)


@given(several, st.integers(0, 1000))
def test_no_other_choice_leaves_pauses_nearer_to_what_they_prefer(parts: list[Part], permille: int) -> None:
    shortest, longest = extremes(parts)
    target = shortest + (longest - shortest) * permille // 1000
    fitting = [choice for choice in choices(parts) if fits(parts, choice, target)]
    if not fitting:
        return
    nearest = min(abs(preferred(parts, choice) - target) for choice in fitting)
    chosen = abs(preferred(parts, pace(parts, Samples(target)).repeats) - target)
    # Within 2 % of the target the shares decide.
    assert chosen <= nearest + target / 50 + 1


@given(several, st.integers(0, 1000), st.integers(0, 9000))
def test_a_longer_target_never_gets_less_to_hear(parts: list[Part], permille: int, more: int) -> None:
    # One wide gap makes every choice fit; otherwise bounds may rule out what would be nearer.
    elastic = [*parts, Part("y", Samples(1), (Gap(Samples(0), Samples(50_000), Samples(1_000_000)),))]
    shortest, longest = extremes(elastic)
    target = max(shortest, 50_000) + permille * 100
    later = min(target + more, longest)
    before = preferred(elastic, pace(elastic, Samples(target)).repeats)
    after = preferred(elastic, pace(elastic, Samples(later)).repeats)
    assert after >= before - (target + later) / 50 - 2


def test_a_section_that_fits_better_is_taken_though_another_is_further_below_its_share() -> None:
    # 30 + 180 would have to shrink by 90 for a target of 120; 30 + 60 grows by 30.
    def section(title: str, rigid: int, gap: Gap, **given: bool) -> Part:
        return Part(title, Samples(rigid), (gap,), **given)  # type: ignore[arg-type]

    parts = [
        section("open", 10, Gap(Samples(5), Samples(20), Samples(200))),
        section("long", 20, Gap(Samples(30), Samples(160), Samples(300)), optional=True),
        section("short", 20, Gap(Samples(5), Samples(40), Samples(100)), optional=True),
    ]
    assert pace(parts, Samples(120)).repeats == (1, 0, 1)


@given(several, st.integers(0, 1000))
def test_unguided_silences_take_up_slack_first(parts: list[Part], permille: int) -> None:
    shortest, longest = extremes(parts)
    try:
        pacing = pace(parts, Samples(shortest + (longest - shortest) * permille // 1000))
    except DoesNotFit:
        return
    placed = [
        (gap, length)
        for part, row in zip(parts, pacing.gaps, strict=True)
        for gap, length in zip(part.gaps * (len(row) // max(len(part.gaps), 1)), row, strict=True)
    ]
    if any(length > gap.preferred for gap, length in placed if not gap.unguided):
        assert all(length == gap.high for gap, length in placed if gap.unguided)
    if any(length < gap.preferred for gap, length in placed if not gap.unguided):
        assert all(length == gap.low for gap, length in placed if gap.unguided)


@given(several, st.integers(0, 1000))
def test_the_choice_is_deterministic(parts: list[Part], permille: int) -> None:
    shortest, longest = extremes(parts)
    target = Samples(shortest + (longest - shortest) * permille // 1000)

    def once() -> Pacing | None:
        try:
            return pace(parts, target)
        except DoesNotFit:
            return None

    assert once() == once()


def test_preferred_lengths_are_met_when_the_target_allows() -> None:
    gap = Gap(Samples(10), Samples(50), Samples(90))
    parts = [Part("a", Samples(100), (gap, gap), repeat_max=3), Part("b", Samples(100), (gap,), optional=True)]
    for repeats in ((1, 0), (1, 1), (2, 1), (3, 1)):
        target = 200 * repeats[0] + 150 * repeats[1]
        pacing = pace(parts, Samples(target))
        assert pacing.repeats == repeats
        assert all(length == 50 for row in pacing.gaps for length in row)


def test_slack_goes_to_the_section_furthest_below_its_share() -> None:
    gap = Gap(Samples(0), Samples(100), Samples(10_000))
    parts = [Part("a", Samples(0), (gap,), share=75), Part("b", Samples(0), (gap,), share=25)]
    pacing = pace(parts, Samples(4000))
    assert pacing.gaps == ((3000,), (1000,))


def test_gaps_grow_with_weight_times_preferred() -> None:
    light, heavy = Gap(Samples(0), Samples(100), Samples(999)), Gap(Samples(0), Samples(100), Samples(999), weight=3)
    assert pace([Part("a", Samples(0), (light, heavy))], Samples(240)).gaps == ((110, 130),)


@given(
    st.lists(st.tuples(st.integers(-500, 500), st.integers(0, 60), st.integers(1, 50)), min_size=1, max_size=6),
    st.integers(0, 360),
)
def test_pouring_equals_giving_one_unit_at_a_time(containers: list[tuple[int, int, int]], amount: int) -> None:
    starts, rooms, weights = (list(column) for column in zip(*containers, strict=True))
    fractions = [Fraction(weight) for weight in weights]
    amount = min(amount, sum(rooms))
    given_one_by_one = [0] * len(rooms)
    for _ in range(amount):
        open_ones = [i for i in range(len(rooms)) if given_one_by_one[i] < rooms[i]]
        lowest = min(open_ones, key=lambda i: (Fraction(starts[i] + given_one_by_one[i] + 1) / fractions[i], i))
        given_one_by_one[lowest] += 1
    assert pour(starts, rooms, fractions, amount) == given_one_by_one


def test_a_hole_between_the_chains_choices_is_searched() -> None:
    # 100 + 70 fits neither 100 + 30 nor 100 + 30 + 70: only dropping the first optional part does.
    parts = [
        Part("always", Samples(100), ()),
        Part("small", Samples(30), (), optional=True),
        Part("large", Samples(70), (), optional=True),
    ]
    assert pace(parts, Samples(170)).repeats == (1, 0, 1)
    assert pace(parts, Samples(130)).repeats == (1, 1, 0)


def test_many_repeats_are_paced_quickly_and_near() -> None:
    gap = Gap(Samples(0), Samples(100), Samples(200))
    parts = [Part(f"s{i}", Samples(1000 + i), (gap,), repeat_max=200, optional=True) for i in range(60)]
    target = 7_000_000
    pacing = pace(parts, Samples(target))
    assert total(parts, pacing) == target
    assert abs(preferred(parts, pacing.repeats) - target) <= target / 50
    assert max(pacing.repeats) - min(pacing.repeats) <= 1


def test_a_needle_among_rigid_parts_is_found() -> None:
    parts = [Part(f"p{i}", Samples(2**i), (), optional=True) for i in range(17)]
    pacing = pace(parts, Samples(93_789))
    assert total(parts, pacing) == 93_789


def test_a_hopeless_search_ends() -> None:
    parts = [Part(f"p{i}", Samples(1_000_003 + 7919 * i), (), repeat_max=1000) for i in range(15)]
    with pytest.raises(DoesNotFit):
        pace(parts, Samples(sum(part.rigid for part in parts) * 400 + 1))
