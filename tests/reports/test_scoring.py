"""The arithmetic of a review, on figures given by hand."""

from decimal import Decimal

from reports.catalogue import MEASURES
from reports.queries import Place
from reports.scoring import score_places

CITY, DISTRICT, STREET, ONE, TWO = 1, 2, 3, 4, 5
STOOD = [
    Place(DISTRICT, "district", "东区", CITY, CITY, DISTRICT, None),
    Place(STREET, "street", "一街", DISTRICT, CITY, DISTRICT, STREET),
    Place(ONE, "community", "甲社区", STREET, CITY, DISTRICT, STREET),
    Place(TWO, "community", "乙社区", STREET, CITY, DISTRICT, STREET),
]


def indicator(key: str, weight: str, target: str) -> dict:
    measure = MEASURES[key]
    return {"key": key, "basis": measure.basis, "weight": weight, "target": target}


def figures(key: str, **places: tuple) -> dict:
    """As counted: part and whole of the measure, by the name of the place."""
    measure = MEASURES[key]
    at = [measure.source.names.index(name) for name in (measure.part, measure.whole) if name]
    found = {}
    for place, numbers in places.items():
        own = found[globals()[place]] = [0] * len(measure.source.figures)
        for n, number in zip(at, numbers, strict=True):
            own[n] = number
    return {measure.source.name: found}


def test_a_street_is_scored_on_the_sum_of_its_communities_not_on_the_mean_of_rates():
    rate = indicator("needs_claimed", "10", "100")
    marks = score_places([rate], STOOD, figures("needs_claimed", ONE=(1, 1), TWO=(0, 9)))
    assert marks[ONE]["needs_claimed"].marks == Decimal("10.00")
    assert marks[TWO]["needs_claimed"].marks == Decimal("0.00")
    assert marks[STREET]["needs_claimed"].value == Decimal("10.00")
    assert marks[STREET] == marks[DISTRICT]


def test_marks_stop_at_full_when_the_target_is_passed():
    count = indicator("offers_published", "8", "4")
    marks = score_places([count], STOOD, figures("offers_published", ONE=(40,)))
    assert marks[ONE]["offers_published"].marks == Decimal("8.00")
    # 40 on two communities are 20 each: still full.
    assert marks[STREET]["offers_published"].value == Decimal("20.00")


def test_without_occasion_the_marks_follow_the_rate_of_the_others():
    both = [indicator("offers_published", "20", "4"), indicator("satisfaction", "10", "100")]
    marks = score_places(both, STOOD, figures("offers_published", ONE=(3,)))
    assert marks[ONE]["offers_published"].marks == Decimal("15.00")
    assert marks[ONE]["satisfaction"].value is None
    assert marks[ONE]["satisfaction"].marks == Decimal("7.50")


def test_a_fact_above_the_communities_counts_for_its_street_and_not_below():
    rate = indicator("needs_claimed", "10", "100")
    marks = score_places([rate], STOOD, figures("needs_claimed", ONE=(0, 1), STREET=(1, 1)))
    assert marks[ONE]["needs_claimed"].marks == Decimal("0.00")
    assert marks[STREET]["needs_claimed"].value == Decimal("50.00")
    assert marks[DISTRICT]["needs_claimed"].value == Decimal("50.00")


def test_marks_round_half_up_to_the_cent():
    rate = indicator("needs_claimed", "1", "100")
    marks = score_places([rate], STOOD, figures("needs_claimed", ONE=(1, 8)))
    assert marks[ONE]["needs_claimed"].marks == Decimal("0.13")
