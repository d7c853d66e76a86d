import base64
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.model.cases import Case, Credential, ExpectedOutcome, Plan
from bodydouble_contract_tests.model.profile import OperationProfile
from bodydouble_contract_tests.plan.array import covering_rows
from bodydouble_contract_tests.plan.planner import coverage, elements, make_plan, within_budget
from bodydouble_contract_tests.plan.space import Factor, Option, Space
from bodydouble_contract_tests.plan.zoo import PROMPTS, base64_pictures, data_uris, input_picture
from bodydouble_spec import Contract, Evidence, Overlay
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

_URL = "https://pictures.example.org/house.png"
_NANO_BANANA = Path(__file__).parents[2] / "spec/tests/data/revision-2026-08-14-87ef44bd.json"

_PROPERTIES = st.one_of(
    st.integers(1, 5).map(lambda count: {"enum": [f"v{number}" for number in range(count)]}),
    st.just({"type": "boolean"}),
    st.integers(1, 3).map(lambda least: {"type": "integer", "minimum": least, "maximum": least + 2}),
    st.just({"type": "string"}),
    st.just({"type": ["string", "null"], "minLength": 2}),
    st.just({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 3}),
    st.just({"type": "object", "required": ["x"], "properties": {"x": {"enum": [1, 2]}, "y": {"type": "boolean"}}}),
    st.just({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 5}]}),
)
_PRICED = {"type": "integer", "minimum": 1, "maximum": 4, "default": 1}


@st.composite
def _requests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the JSON Schema of a small request, in most cases with a number of pictures."""
    names = [f"p{number}" for number in range(draw(st.integers(1, 4)))]
    properties = {name: draw(_PROPERTIES) for name in names}
    required = draw(st.sets(st.sampled_from(names)))
    if draw(st.integers(0, 3)):
        properties["num_images"] = _PRICED
    return {"type": "object", "properties": properties, "required": sorted(required)}


@pytest.fixture(scope="module")
def profile(vendored: Contract) -> OperationProfile:
    return OperationProfile(vendored)


def _proved(plan: Plan) -> set[str]:
    return {element for case in plan.paid for element in case.covers}


@pytest.mark.parametrize(
    ("source", "calls", "images"),
    [pytest.param(None, 12, 15, id="vendored"), pytest.param(_NANO_BANANA, 7, 10, id="nano-banana")],
)
def test_the_fewest_pictures_prove_every_element(source: Path | None, calls: int, images: int) -> None:
    profile = OperationProfile(Contract.load(source))
    plan = make_plan(profile, is_billed=True, image_url=_URL)
    assert (len(plan.paid), plan.images) == (calls, images)
    assert _proved(plan) == set(plan.elements) == set(elements(profile))


def test_every_element_of_any_contract_is_proved(contract: Contract) -> None:
    plan = make_plan(OperationProfile(contract), is_billed=True, image_url=_URL)
    assert plan.elements
    assert _proved(plan) == set(plan.elements)


@settings(max_examples=25, deadline=None)
@given(_requests())
def test_no_more_calls_are_paid_for_than_the_property_with_most_values_needs(
    contract_of: Callable[..., Contract], schema: dict[str, Any]
) -> None:
    plan = make_plan(OperationProfile(contract_of(schema)), is_billed=True)
    values = max(
        sum(name == element or element.startswith((f"{name}=", f"{name} ", f"{name}/")) for element in plan.elements)
        for name in schema["properties"]
    )
    # The minimal request and the unknown property have calls of their own.
    assert len(plan.paid) <= values + 2


@settings(max_examples=25, deadline=None)
@given(_requests(), st.integers(0, 30))
def test_a_plan_never_costs_more_than_its_budget(
    contract_of: Callable[..., Contract], schema: dict[str, Any], images: int
) -> None:
    plan = make_plan(OperationProfile(contract_of(schema)), is_billed=True, max_images=images)
    assert plan.images <= images


@settings(max_examples=15, deadline=None)
@given(_requests(), st.integers(0, 12))
def test_more_money_never_proves_less(
    contract_of: Callable[..., Contract], schema: dict[str, Any], images: int
) -> None:
    profile = OperationProfile(contract_of(schema))
    less, more = (make_plan(profile, is_billed=True, max_images=images + step) for step in (0, 1))
    assert len(_proved(less)) <= len(_proved(more))


def _call(covers: str, images: int) -> Case:
    return Case("", "", None, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED, images, covers=tuple(covers))


_BOUGHT = st.builds(_call, st.text("abcdef", max_size=4), st.integers(1, 4))


@example([_call("a", 3), _call("b", 1), _call("c", 1)], 2)
@given(st.lists(_BOUGHT, max_size=5), st.integers(-1, 12))
def test_more_money_never_buys_less_whatever_the_calls_cost(cases: list[Case], images: int) -> None:
    less, more = (
        {element for case in within_budget(cases, images + step) for element in case.covers} for step in (0, 1)
    )
    assert len(less) <= len(more)


def test_more_money_never_proves_less_of_the_vendored_contract(profile: OperationProfile) -> None:
    counts = [len(_proved(make_plan(profile, is_billed=True, max_images=images))) for images in range(18)]
    assert counts == sorted(counts)


def test_cheap_elements_do_not_wait_for_costly_ones(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=True, max_images=14, image_url=_URL)
    assert set(plan.elements) - _proved(plan) == {"num_images maximum (4)"}


@pytest.mark.parametrize("images", [0, 3, 11])
def test_what_the_budget_does_not_buy_is_named(profile: OperationProfile, images: int) -> None:
    plan = make_plan(profile, is_billed=True, max_images=images, image_url=_URL)
    unproved = set(plan.elements) - _proved(plan)
    assert unproved
    assert all(f"budget of {images} pictures" in plan.unbought[element] for element in unproved)


def test_the_plan_is_the_same_every_time(vendored: Contract) -> None:
    plans = [make_plan(OperationProfile(vendored), is_billed=True, max_images=30) for _ in range(2)]
    assert plans[0] == plans[1]


def test_the_number_of_pictures_is_large_only_once(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=True)
    assert sorted(case.images for case in plan.paid) == [1] * 11 + [4]


def test_every_provider_is_sent_as_written_in_capitals_and_in_title_case(profile: OperationProfile) -> None:
    sent = {case.body.get("provider") for case in make_plan(profile, is_billed=True).paid}
    assert sent - {None} == {spell(name) for name in ("auto", "google", "fal") for spell in (str, str.upper, str.title)}


def test_unknown_properties_have_a_call_of_their_own(profile: OperationProfile) -> None:
    known = set(profile.properties)
    cases = [case for case in make_plan(profile, is_billed=True).paid if case.body.keys() - known]
    assert [(case.check, case.evidence, case.covers) for case in cases] == [
        ("unknown-key-tolerated", Evidence.INFERRED, ("unknown property",))
    ]


def _added(evidence: Evidence, contract: Contract, below: str = "") -> OperationProfile:
    """Return the profile of a contract with a property that the overlay adds."""
    target = f"$.paths.*.*.requestBody.content.*.schema{below}.properties"
    fact = {
        "target": target,
        "x-evidence": str(evidence),
        "x-source": "a test",
        "update": {"mood": {"enum": ["sad", "gay"]}},
    }
    overlay = {"overlay": "1.0.0", "info": {"title": "Mood", "version": "1"}, "actions": [fact]}
    return OperationProfile(Contract.load(dict(contract.published), overlay=Overlay.parse(overlay, "mood")))


_SMALL = {"type": "object", "properties": {"tone": {"enum": ["a", "b"]}}}


def test_a_value_that_is_only_inferred_shares_its_call_with_no_element(contract_of: Callable[..., Contract]) -> None:
    plan = make_plan(_added(Evidence.INFERRED, contract_of(_SMALL)), is_billed=True)
    cases = [case for case in plan.paid if "mood" in case.body]
    assert [(case.covers, case.evidence) for case in cases] == [
        (("mood=sad",), Evidence.INFERRED),
        (("mood=gay",), Evidence.INFERRED),
    ]


def test_a_value_inside_that_is_only_inferred_shares_its_call_with_no_element(
    contract_of: Callable[..., Contract],
) -> None:
    contract = contract_of({"type": "object", "properties": {"style": _SMALL}})
    plan = make_plan(_added(Evidence.INFERRED, contract, ".properties.style"), is_billed=True)
    cases = [case for case in plan.paid if "mood" in case.body.get("style", {})]
    assert [case.covers for case in cases] == [("style/mood=sad",), ("style/mood=gay",)]


def test_a_value_that_is_only_assumed_is_not_paid_for(contract_of: Callable[..., Contract]) -> None:
    profile = _added(Evidence.ASSUMED, contract_of(_SMALL))
    billed, unbilled = (make_plan(profile, is_billed=is_billed) for is_billed in (True, False))
    assert not any("mood" in case.body for case in billed.paid)
    assert "an assumption only" in billed.unbought["mood=sad"]
    assert ("mood=sad",) in [case.covers for case in unbilled.unpaid]


def test_a_picture_by_url_has_one_call_and_only_with_a_url_to_give(profile: OperationProfile) -> None:
    without, given_one = (make_plan(profile, is_billed=True, image_url=url) for url in (None, _URL))
    assert "--image-url" in without.unbought["image_urls by URL"]
    assert not any(item.startswith("http") for case in without.paid for item in case.body["image_urls"])
    assert [set(case.body["image_urls"]) for case in given_one.paid if "image_urls by URL" in case.covers] == [{_URL}]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "house.png", "ftp://example.com/a.png"])
def test_a_picture_that_no_server_fetches_is_not_accepted(profile: OperationProfile, url: str) -> None:
    with pytest.raises(ValueError, match=r"http\(s\) URL"):
        make_plan(profile, is_billed=True, image_url=url)


@pytest.mark.parametrize("url", [None, _URL])
def test_the_rest_of_the_budget_buys_the_pairs_worth_most(profile: OperationProfile, url: str | None) -> None:
    plans = [make_plan(profile, is_billed=True, max_images=images, image_url=url) for images in (15, 20, 40)]
    gains = [len(plan.pairs_in(plan.paid)) for plan in plans]
    assert [plan.images <= images for plan, images in zip(plans, (15, 20, 40), strict=True)] == [True] * 3
    # The first calls bring more new pairs for each picture than the later ones.
    assert (gains[1] - gains[0]) / 5 > (gains[2] - gains[1]) / 20 > 0
    assert plans[2].paid[: len(plans[1].paid)] == plans[1].paid


def test_a_budget_without_end_buys_every_pair_and_then_odd_requests(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=True, max_images=1000)
    assert plan.pairs_in(plan.paid) == plan.pairs
    assert "pairs of values" not in plan.unbought
    is_odd = [case.expectation is ExpectedOutcome.SURVIVED for case in plan.paid]
    assert is_odd == sorted(is_odd)
    assert any(is_odd)


def test_the_pairs_that_the_budget_does_not_buy_are_counted(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=True, max_images=17)
    missing = len(plan.pairs) - len(plan.pairs_in(plan.paid))
    assert plan.unbought["pairs of values"] == f"{missing} of {len(plan.pairs)} pairs are beyond the budget"


def test_the_pairs_of_values_are_sent_to_a_free_server_in_300_requests(contract: Contract) -> None:
    plan = make_plan(OperationProfile(contract), is_billed=False)
    proved = plan.pairs_in(case for case in plan.calls if case.expectation is ExpectedOutcome.ACCEPTED)
    # Of a contract with many rules, refusals take requests, and the pairs left out are counted.
    assert len(plan.pairs - proved) <= len(plan.pairs) // 100
    assert ("pairs of values" in plan.unbought) == (proved != plan.pairs)
    assert sum(case.repeats for case in plan.calls) <= 300


def test_a_pair_is_in_the_body_of_the_calls_that_prove_it(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=False)
    name = "pair num_images maximum (4) x aspect_ratio=16:9"
    bodies = [case.body for case in plan.calls if name in plan.pairs_of.get(case.id, ())]
    assert {(body["num_images"], body["aspect_ratio"]) for body in bodies} == {(4, "16:9")}
    assert len(plan.pairs) > 300
    lengths = [
        len(case.body["image_urls"])
        for case in plan.calls
        if any(pair.endswith("x image_urls with 3 items") for pair in plan.pairs_of.get(case.id, ()))
    ]
    assert set(lengths) == {3}


def test_more_pairs_than_the_requests_allow_are_counted(contract_of: Callable[..., Contract]) -> None:
    many = {f"p{number}": {"enum": [f"{number}{one}" for one in range(20)]} for number in range(3)}
    plan = make_plan(OperationProfile(contract_of({"type": "object", "properties": many})), is_billed=False)
    assert sum(case.repeats for case in plan.calls) == 300
    assert "more than 300 requests" in plan.unbought["pairs of values"]


def _accepted(plan: Plan) -> list[Any]:
    return [
        case.body
        for case in plan.calls
        if case.credential is Credential.KEY and case.expectation is not ExpectedOutcome.REFUSED
    ]


@pytest.mark.parametrize("name", ["num_images", "aspect_ratio", "provider", "prompt"])
def test_no_value_is_in_most_of_the_calls(profile: OperationProfile, name: str) -> None:
    bodies = _accepted(make_plan(profile, is_billed=False))
    counts = Counter(str(body.get(name)) for body in bodies)
    (_, most), *_ = counts.most_common(1)
    assert most < len(bodies) * 0.55


def test_every_prompt_and_picture_of_the_zoo_is_sent_to_a_free_server(profile: OperationProfile) -> None:
    bodies = _accepted(make_plan(profile, is_billed=False))
    prompts = {body["prompt"] for body in bodies}
    assert {text for texts in PROMPTS.values() for text in texts} <= prompts
    pictures = {item for body in bodies for item in body["image_urls"]}
    assert {*data_uris(), *base64_pictures()} <= pictures


def test_calls_that_cost_money_have_pictures_of_usual_formats_and_prompts_of_each_class(
    profile: OperationProfile,
) -> None:
    plan = make_plan(profile, is_billed=True, max_images=60)
    sent = {
        item for case in plan.paid if case.expectation is ExpectedOutcome.ACCEPTED for item in case.body["image_urls"]
    }
    assert sent == set(data_uris(is_cautious=True))
    assert all(any(element == f"prompt {kind}" for element in _proved(plan)) for kind in PROMPTS)


def test_the_first_call_has_its_own_case_and_refusals_stand_between_successes(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=False)
    assert (plan.calls[0].id, plan.calls[0].body) == ("state/first", plan.paid[0].body)
    states = [case.expectation for case in plan.unpaid if case.id.startswith("state/")]
    assert states[::2] == [ExpectedOutcome.ACCEPTED] * 4
    assert states[1::2] == [ExpectedOutcome.UNAUTHORIZED] * 2 + [ExpectedOutcome.REFUSED]


def test_calls_at_the_same_time_differ(profile: OperationProfile) -> None:
    calls = make_plan(profile, is_billed=False).parallel
    assert len({str(case.body) + case.credential for case in calls}) == len(calls) > 4
    assert {case.expectation for case in calls} == {*ExpectedOutcome} - {ExpectedOutcome.SURVIVED}
    assert make_plan(profile, is_billed=True).parallel == ()


def test_rules_that_are_only_assumed_are_not_probed_where_a_mistake_costs_money(profile: OperationProfile) -> None:
    billed, unbilled = (make_plan(profile, is_billed=is_billed) for is_billed in (True, False))
    assumed = {case.id for case in unbilled.free if case.evidence is Evidence.ASSUMED}
    assert assumed
    assert not assumed & {case.id for case in billed.free}
    assert assumed <= billed.unbought.keys()


def test_every_probe_of_a_free_server_that_is_not_made_for_money_is_named(profile: OperationProfile) -> None:
    free, billed = make_plan(profile, is_billed=False), make_plan(profile, is_billed=True)
    probes = {case.id for case in free.free if case.id.startswith(("credential/", "malformed/", "method/"))}
    left_out = probes - {case.id for case in billed.free}
    assert {"credential/basic", "malformed/comment", "method/PUT"} <= left_out <= billed.unbought.keys()


def test_a_billed_plan_repeats_a_free_call_and_another_one_a_paid_call(profile: OperationProfile) -> None:
    repeated = [
        [(case.expectation, case.repeats) for case in make_plan(profile, is_billed=is_billed).calls if case.repeats > 1]
        for is_billed in (True, False)
    ]
    assert repeated == [[(ExpectedOutcome.REFUSED, 5)], [(ExpectedOutcome.ACCEPTED, 2)]]


def test_repeated_calls_count_for_no_element(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=False)
    assert [case.covers for case in plan.calls if case.repeats > 1] == [()]


@pytest.mark.parametrize(
    ("only", "free", "paid"),
    [
        ("no-key-refused", ["credential/no-key", "credential/empty-key"], []),
        ("unknown-key-tolerated", [], ["accepted/unknown-property"]),
        ("picture-downloadable", [], ["accepted/minimal"]),
        ("image-count", [], ["accepted/minimal", "accepted/aspect_ratio=21:9", "accepted/num_images=4"]),
        ("answers-steadily", ["steady/refusal/provider/type-boolean-false"], []),
    ],
)
def test_only_the_calls_that_serve_a_check_are_made_for_it(
    profile: OperationProfile, only: str, free: list[str], paid: list[str]
) -> None:
    plan = make_plan(profile, is_billed=True, only=[only])
    assert ([case.id for case in plan.free], [case.id for case in plan.paid]) == (free, paid)
    assert [check.id for check in plan.checks] == [only]


def test_pixels_are_checked_for_every_aspect_ratio(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=True, only=["picture-pixels"])
    assert {case.body.get("aspect_ratio") for case in plan.paid} == {None, *profile.sizes}


def test_an_unknown_check_is_refused_with_the_known_ones(profile: OperationProfile) -> None:
    with pytest.raises(ValueError, match=r"no check 'valid'.* valid-accepted"):
        make_plan(profile, is_billed=False, only=["valid"])


def test_coverage_counts_the_successful_calls_for_each_element(profile: OperationProfile) -> None:
    plan = make_plan(profile, is_billed=True)
    counts = coverage(plan, plan.paid[:2])
    assert list(counts) == list(plan.elements)
    assert (
        counts["model=google/gemini-2.5-flash-image-edit"],
        counts["provider absent"],
        counts["aspect_ratio=9:16"],
    ) == (2, 1, 0)


def test_a_call_without_pictures_costs_one_unit(contract_of: Callable[..., Contract]) -> None:
    plan = make_plan(
        OperationProfile(contract_of({"type": "object", "properties": {"voice": {"enum": ["a", "b", "c"]}}})),
        is_billed=True,
    )
    assert plan.images == len(plan.paid) == 5


def test_a_value_that_others_forbid_goes_with_those_that_allow_it() -> None:
    options = {
        name: tuple(Option(f"{name}={value}", value, (f"{name}={value}",)) for value in (1, 2, 3)) for name in "ab"
    }
    space = Space(tuple(Factor(name, values) for name, values in options.items()), lambda body: body["a"] != body["b"])
    rows = covering_rows(space)
    assert {element for row in rows for element in row.covers} == {
        f"{name}={value}" for name in "ab" for value in (1, 2, 3)
    }
    assert all(row.value["a"] != row.value["b"] for row in rows)


def test_the_input_picture_is_real_and_small() -> None:
    text = input_picture()
    picture = Image.open(BytesIO(base64.b64decode(text.removeprefix("data:image/png;base64,"))))
    assert (picture.format, picture.size, len(text) < 2000) == ("PNG", (256, 256), True)


def _ids(cases: tuple[Case, ...]) -> list[str]:
    return [case.id for case in cases]


def test_every_call_has_its_own_name(contract: Contract) -> None:
    profile = OperationProfile(contract)
    for plan in (
        make_plan(profile, is_billed=True, max_images=60, image_url=_URL),
        make_plan(profile, is_billed=False),
    ):
        assert len(_ids(plan.calls)) == len(set(_ids(plan.calls)))


def test_a_request_for_which_no_simple_value_is_found_is_refused_in_words(contract_of: Callable[..., Contract]) -> None:
    schema = {"type": "object", "propertyNames": {"pattern": "^[a-z]{3}_[0-9]{5}$"}, "minProperties": 3}
    with pytest.raises(UnsupportedSchema, match="a pattern for the names of several properties"):
        make_plan(OperationProfile(contract_of(schema)), is_billed=False)
