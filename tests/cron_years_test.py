"""Ten years of schedules in four time zones, by a scheduler on a simulated clock, against Python's croniter.

Both go by the machine's time zones. They may differ only at clock changes; each difference must be one that the rule in
docs/schedule.md foretells, and every clock change must be one where the rule was put to use or nothing was due.
"""
import datetime
import zoneinfo

import croniter
import pytest

import pinflow as pf

UTC = datetime.timezone.utc
BEGIN, END = datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(2030, 1, 1, tzinfo=UTC)
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]
FIXED = ["@daily", "@weekly", "@monthly", "@yearly", "30 2 * * *", "15,45 0,2 * * *", "5 0-3 * * mon-fri", "30 1 13 * fri",
         "0 12 29 2 *", "10-50/20 2 */2 3,4,10,11 *", "59 23 31 dec,Jan,jul *"]
RECURRING = ["@hourly", "*/30 1-3 * * *", "20 */2 * * sun", "*/10 2 * 3,10 sun"]


def clock_changes(zone):
    """[(instant, offset before, offset after)] in the ten years, found by looking at every quarter of an hour."""
    tz, changes = zoneinfo.ZoneInfo(zone), []
    at, step = BEGIN, datetime.timedelta(minutes=15)
    before = at.astimezone(tz).utcoffset()
    while at < END:
        after = at.astimezone(tz).utcoffset()
        if after != before:
            changes.append((at, before, after))
        at, before = at + step, after
    return changes


def ours(cron, zone):
    found = pf.pinflow_json("schedule", "next", "--cron", cron, "--timezone", zone, "--from", "2020-01-01T00:00:00Z",
                            "--until", "2029-12-31T23:59:59Z")
    return [datetime.datetime.fromisoformat(each["at"].replace("Z", "+00:00")) for each in found]


def naive_times(cron):
    """What croniter says of clocks that never change: the times on the wall."""
    walk = croniter.croniter(cron, datetime.datetime(2019, 12, 30), implement_cron_bug=True)
    end = datetime.datetime(2030, 1, 3)
    found = []
    while (at := walk.get_next(datetime.datetime)) < end:
        found.append(at)
    return found


def theirs(cron, zone):
    tz = zoneinfo.ZoneInfo(zone)
    walk = croniter.croniter(cron, BEGIN.astimezone(tz), implement_cron_bug=True)
    found = []
    while (at := walk.get_next(datetime.datetime).astimezone(UTC)) < END:
        found.append(at)
    return found


def rule(cron, zone, changes, near):
    """The instants that the rule gives at the change `near`: from three hours before it to three after."""
    tz = zoneinfo.ZoneInfo(zone)
    change, before, after = near
    fixed = cron in FIXED
    low, high = change - datetime.timedelta(hours=3), change + datetime.timedelta(hours=3)
    found = set()
    for wall in naive_times_near(cron, change):
        first, second = change_free(wall, before), change_free(wall, after)
        shown = [at for at in (first, second) if at.astimezone(tz).replace(tzinfo=None) == wall]
        if fixed:
            found.add(min(shown) if shown else change)   # once; right after the leap
        else:
            found.update(shown)                           # by real time
    return {at for at in found if low <= at < high and at > BEGIN}


def change_free(wall, offset):
    return (wall - offset).replace(tzinfo=UTC)


NAIVE = {}


def naive_times_near(cron, change):
    if cron not in NAIVE:
        days = {}
        for wall in naive_times(cron):
            days.setdefault(wall.date(), []).append(wall)
        NAIVE[cron] = days
    day = change.date()
    return [wall for shift in (-1, 0, 1, 2) for wall in NAIVE[cron].get(day + datetime.timedelta(days=shift), [])]


@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_differ_from_croniter_only_at_clock_changes_and_there_by_the_rule(zone):
    changes = clock_changes(zone)
    assert len(changes) >= 14
    listed = []
    for cron in FIXED + RECURRING:
        mine, other = ours(cron, zone), theirs(cron, zone)
        assert mine == sorted(set(mine)) and len(mine) > 1
        for at in sorted(set(mine) ^ set(other)):
            near = [each for each in changes if abs(each[0] - at) <= datetime.timedelta(hours=3)]
            assert near, f"{cron} in {zone}: {at} differs far from any clock change"
            leap = near[0][2] > near[0][1]
            why = ("leapt over: right after the leap" if leap else "shown twice: once") if cron in FIXED else "by real time"
            listed.append(f"{zone} {cron!r} {at:%Y-%m-%dT%H:%MZ} {'only ours' if at in mine else 'only croniter'}: {why}")
        for near in changes:
            low, high = near[0] - datetime.timedelta(hours=3), near[0] + datetime.timedelta(hours=3)
            assert {at for at in mine if low <= at < high} == rule(cron, zone, changes, near), f"{cron} in {zone} at {near[0]}"
    print(f"{zone}: {len(changes)} clock changes, {len(listed)} differences")
    print("\n".join(listed))
