"""The line's order and limits, on a clock that stands still until it is told: turns, pauses, addresses, places."""

import math
from dataclasses import dataclass

import pytest

from cae_core.jobs import scheduling
from cae_core.jobs.scheduling import PAUSE, TURN, JobError, Line, network


@dataclass(eq=False)
class Waiting:
    owner: str
    unit: str
    address: str = ""
    group: str = ""
    entered: float = 0.0
    paused_at: float | None = None


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(clock):
    return Line(clock)


def enter(queue, *units, address="", group=""):
    """Enters units such as "a1": the first sign is the owner."""
    jobs = [Waiting(unit[0], unit, address, group, queue.clock()) for unit in units]
    for job in jobs:
        queue.fill(queue.reserve(job.owner, job.address), [job])
    return jobs if len(jobs) > 1 else jobs[0]


def served(queue, clock, steps, length):
    """Who trains, turn by turn, where every unit trains until it must give way or is done; lengths in seconds."""
    left, order = {job.unit: length[job.unit] for job in queue.jobs}, []
    while queue.jobs and len(order) < steps:
        (job,) = queue.next()
        queue.step(job)
        order.append(job.unit)
        while left[job.unit] > 0 and not queue.must_give_way(job):
            clock.now, left[job.unit] = clock.now + 1, left[job.unit] - 1
        if left[job.unit] <= 0:
            queue.remove(job)
    return order


def test_alone_nobody_has_to_give_way(queue, clock):
    job = enter(queue, "a1")
    enter(queue, "a2")  # one's own
    assert queue.next() == [job]
    queue.step(job)
    job.paused_at = clock.now
    clock.now += 100_000
    assert queue.seconds_left(job) is None
    assert not queue.must_give_way(job)


@pytest.mark.parametrize(("paused", "left"), [(False, TURN), (True, PAUSE)])
def test_time_counts_from_when_others_come_and_a_pause_is_shorter(queue, clock, paused, left):
    job = enter(queue, "a1")
    queue.next(), queue.step(job)
    job.paused_at = clock.now if paused else None
    clock.now += 100_000
    other = enter(queue, "b1")
    assert (queue.seconds_left(job), queue.seconds_left(other)) == (left, None)
    clock.now += left - 1
    assert not queue.must_give_way(job)
    clock.now += 1
    assert queue.must_give_way(job)
    assert queue.next() == [other]


def test_what_takes_long_to_prepare_still_has_its_turn(queue, clock):
    job = enter(queue, "a1")
    enter(queue, "b1")
    queue.next()
    clock.now += 10 * TURN
    assert not queue.must_give_way(job)
    queue.step(job)
    assert queue.seconds_left(job) == TURN


def test_visitors_take_turns_and_one_with_five_runs_has_no_more_of_them(queue, clock):
    enter(queue, "a1", "a2", "a3", "a4", "a5")
    enter(queue, "b1", "c1")
    length = dict.fromkeys(("a1", "a2", "a3", "a4", "a5", "b1", "c1"), 1.5 * TURN)
    assert served(queue, clock, 8, length) == ["a1", "b1", "c1", "a1", "a2", "b1", "c1", "a2"]


def test_short_runs_of_one_visitor_go_together_as_long_as_the_turn_lasts(queue, clock):
    enter(queue, "a1", "a2", "a3", "b1")
    assert served(queue, clock, 9, {"a1": TURN / 2, "a2": TURN, "a3": 1, "b1": 1}) == ["a1", "a2", "b1", "a2", "a3"]


def test_many_visitors_of_one_address_do_not_keep_another_address_waiting(queue, clock):
    units = [f"{sign}1" for sign in "abcdefghij"]
    enter(queue, *units, address="10.0.0.1")
    enter(queue, "z1", "z2", address="10.0.0.2")
    order = served(queue, clock, 99, dict.fromkeys([*units, "z1", "z2"], TURN + 1))
    assert order[:4] == ["a1", "z1", "b1", "z1"]
    assert set(order) == {*units, "z1", "z2"}


def test_a_turn_that_is_long_over_costs_nobody_the_next_one(queue, clock):
    enter(queue, "a1")
    assert served(queue, clock, 9, {"a1": 5}) == ["a1"]
    clock.now += 10 * TURN
    enter(queue, "a2", "b1")
    assert served(queue, clock, 9, {"a2": 5, "b1": 5}) == ["a2", "b1"]


def refusals(queue, wanted):
    """Tries to enter a unit for each owner and address, and says why those refused were."""
    why = []
    for number, (owner, address) in enumerate(wanted):
        try:
            queue.fill(queue.reserve(owner, address), [Waiting(owner, f"{owner} {number}", address)])
        except JobError as error:
            why.append(str(error))
    return why


def test_the_limits_of_a_visitor_of_an_address_and_of_all(queue):
    (why,) = refusals(queue, [("a", "1")] * (scheduling.MOST_OF_ONE + 1))
    assert why == "You have 5 runs in the queue, the most one visitor may: wait for one, or withdraw one."
    new = [(f"new-{number}", "1") for number in range(200)]  # no cookie: everybody is new, and comes from one place
    why = refusals(queue, new)
    assert len(why) == 200 - (scheduling.MOST_OF_ADDRESS - scheduling.MOST_OF_ONE) > 0
    assert "There are 180 runs in the queue from your network address" in why[0]
    why = refusals(queue, [(f"other-{number}", str(number)) for number in range(10, 100)])
    assert len(queue.jobs) == scheduling.MOST_WAITING
    assert set(why) == {"The queue is full, with 240 runs: try again when some are done."}


def test_a_class_of_thirty_six_behind_one_address_fits_whatever_each_may_have():
    visitors = [f"phone-{number}" for number in range(36)] * scheduling.MOST_OF_ONE
    assert refusals(Line(), [(visitor, "203.0.113.7") for visitor in visitors]) == []


WAITS = {  # units in their order, what each takes, and when each begins, in turns
    "short ones": ({"a1": 0.5, "b1": 0.1, "c1": 1}, {"a1": 0, "b1": 0.5, "c1": 0.6}),
    "long ones have a turn each": ({"a1": 9, "b1": 9, "c1": 9}, {"a1": 0, "b1": 1, "c1": 2}),
    "one's own come last": ({"a1": 0.5, "a2": 1, "b1": 2, "c1": 0.5}, {"a1": 0, "b1": 1, "c1": 2, "a2": 0.5}),
    "nobody else": ({"a1": 2, "a2": 3, "a3": 1}, {"a1": 0, "a2": 2, "a3": 5}),
    "too far off to be said": ({"a1": 40, "a2": 1}, {"a1": 0, "a2": math.inf}),
}


@pytest.mark.parametrize(("length", "turns"), WAITS.values(), ids=WAITS)
def test_waiting_times_are_those_that_come_true(queue, clock, length, turns):
    enter(queue, *length)
    queue.next(), queue.step(queue.jobs[0])
    waits = queue.waits(lambda job: length[job.unit] * TURN)
    assert {job.unit: wait / TURN for job, wait in waits.items()} == pytest.approx(turns)
    before, began = clock.now, {}
    while queue.jobs:
        (job,) = queue.next()
        began.setdefault(job.unit, clock.now - before)
        queue.step(job)
        while length[job.unit] > 1e-9 and not queue.must_give_way(job):
            clock.now, length[job.unit] = clock.now + TURN / 10, length[job.unit] - 0.1
        if length[job.unit] <= 1e-9:
            queue.remove(job)
    assert {unit: wait for unit, wait in began.items() if wait < scheduling.HORIZON} == pytest.approx(
        {job.unit: wait for job, wait in waits.items() if wait < math.inf}
    )


def test_a_pause_ends_for_others_and_hides_when_the_visitors_own_begins(queue, clock):
    first, second = enter(queue, "a1", "a2")
    queue.next(), queue.step(first)
    first.paused_at = clock.now
    assert queue.waits(lambda job: 60) == {first: 0}
    other = enter(queue, "b1")
    assert queue.waits(lambda job: 60) == {first: 0, other: PAUSE, second: PAUSE + 120}


def test_two_teams_train_two_visitors_and_a_third_has_its_turn(clock):
    queue = Line(clock, 2)
    a1, a2, b1 = enter(queue, "a1", "a2", "b1")
    assert (queue.next(0), queue.next(1)) == ([a1], [b1])  # two visitors before one's second
    queue.step(a1), queue.step(b1)
    assert (queue.seconds_left(a1), queue.seconds_left(b1)) == (None, TURN)  # a2 is a's own
    c1 = enter(queue, "c1")
    waits = queue.waits(lambda job: 9 * TURN)
    assert [waits[job] for job in (a1, b1, c1)] == [0, 0, TURN]
    assert 9 * TURN < waits[a2] <= 14 * TURN  # nine turns of a1, which has two of three
    clock.now += TURN
    assert queue.must_give_way(a1)
    assert queue.must_give_way(b1)
    assert queue.next(0) == [c1]
    assert queue.next(1) == [a1]  # c has a team already, and b has just had its turn


def test_runs_in_order_are_never_side_by_side_and_an_idle_team_has_nothing(clock):
    queue = Line(clock, 2)
    first, second = Waiting("a", "series"), Waiting("a", "series")
    queue.fill(queue.reserve("a", ""), [first, second])
    assert (queue.next(0), queue.next(1)) == ([first], [])
    queue.remove(first)
    assert queue.next(1) == [second]


def test_a_place_that_was_not_needed_is_given_back(queue):
    for _ in range(100):
        queue.free(queue.reserve("a", ""))
    places = [queue.reserve("a", "") for _ in range(scheduling.MOST_OF_ONE)]
    with pytest.raises(JobError, match="You have 5 runs"):
        queue.reserve("a", "")
    queue.free(places[0])
    queue.reserve("a", "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        (None, "", True),
        ("no address", "", True),
    ],
)
def test_what_of_an_address_tells_visitors_apart(one, other, same):
    assert (network(one) == network(other)) is same
