"""The rules of the posts pipeline in plain Python: what the tables, the dead letters and the answers must be.

Written from the rules (docs/batch.md), independently of the SQL in pipelines/pinterest, to judge it cell by cell.

    tables, dead, counts = clean({"pin": [b'{"index":4,…}', …], "geo": […], "user": […]})
    expected = answers(tables)

A row is a tuple in the order of the table's columns: int, str, float, list of float or None; times are texts
"2020-08-28 03:52:47". `dead` is a list of (table, reason, place in the table's list of records).
"""
import collections
import datetime
import decimal
import json
import re

FIELDS = {
    "pin": ["index", "unique_id", "title", "description", "poster_name", "follower_count", "tag_list",
            "is_image_or_video", "image_src", "downloaded", "save_location", "category"],
    "geo": ["ind", "timestamp", "latitude", "longitude", "country"],
    "user": ["ind", "first_name", "last_name", "age", "date_joined"],
}
COLUMNS = {
    "pin": ["ind", "unique_id", "title", "description", "follower_count", "poster_name", "tag_list",
            "is_image_or_video", "image_src", "save_location", "category"],
    "geo": ["ind", "country", "coordinates", "timestamp"],
    "user": ["ind", "user_name", "age", "date_joined"],
}
PLACEHOLDERS = {
    "title": {"No Title Data Available"},
    "description": {"No description available Story format", "No description available", "Untitled"},
    "poster_name": {"User Info Error"},
    "tag_list": {"N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"},
    "image_src": {"Image src error."},
}
UNITS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
TIME_FORMS = [re.compile(form) for form in (r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)",
                                            r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)",
                                            r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")]
MAX_DEPTH = 100


class NoRecord(Exception):
    """The line is not one JSON object."""


class Number(str):
    """A number as it stands in the line."""


def members(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise NoRecord("duplicate key")
    return dict(pairs)


def depth(text):
    """Of the brackets outside of strings."""
    deepest = now = 0
    for bracket in re.sub(r'"(?:\\.|[^"\\])*"', "", text):
        now += (bracket in "[{") - (bracket in "]}")
        deepest = max(deepest, now)
    return deepest


def has_surrogate(value):
    if isinstance(value, str):
        return any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, dict):
        return any(has_surrogate(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(has_surrogate(part) for part in value)


def refuse_constant(name):
    raise NoRecord(name)


def compact(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + compact(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def read_record(line):
    """The members of the line's object, each as text; an absent or null one is None."""
    try:
        text = line if isinstance(line, str) else bytes(line).decode("utf-8")
        if depth(text) > MAX_DEPTH:
            raise NoRecord("too deep")
        value = json.loads(text, object_pairs_hook=members, parse_int=Number, parse_float=Number,
                           parse_constant=refuse_constant)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as fault:
        raise NoRecord(str(fault)) from fault
    if has_surrogate(value):
        raise NoRecord("lone surrogate")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise NoRecord("no object")
    return {name: part if part is None or type(part) is str else compact(part) for name, part in value.items()}


def text_or_none(record, field):
    text = record.get(field)
    return None if text == "" or text in PLACEHOLDERS.get(field, ()) else text


def integer_or_none(text, digits):
    return int(text) if text is not None and re.fullmatch("-?[0-9]{1,%d}" % digits, text) else None


def followers(text):
    """(number or None, was it bad)"""
    if text in (None, "", "User Info Error"):
        return None, False
    if re.fullmatch("[0-9]{1,18}", text):
        return int(text), False
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([kKmMbB]?)", text)
    if not match:
        return None, True
    exact = decimal.Decimal(match[1]) * UNITS.get(match[2].lower(), 1)
    return int(exact.quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP)), False


def real(text):
    """(number or None, was it bad)"""
    if text is None:
        return None, False
    if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,17})?([eE][-+]?[0-9]{1,2})?", text):
        return float(text), False
    return None, True


def moment(text):
    """(time or None, was it bad)"""
    if text is None:
        return None, False
    for form in TIME_FORMS:
        match = form.fullmatch(text)
        if match and text.isascii():
            try:
                return str(datetime.datetime(*(int(part) for part in match.groups()))), False
            except ValueError:
                return None, True
    return None, True


def clean_one(table, line):
    """(row or None, reason or None, what was counted)"""
    counts = collections.Counter()
    try:
        record = read_record(line)
    except NoRecord:
        return None, "not a JSON object", counts
    key_field, others = FIELDS[table][0], FIELDS[table][1:]
    key = integer_or_none(record.get(key_field), 18)
    if key is None:
        return None, "no integer " + key_field, counts
    if all(record.get(field) is None for field in others):
        return None, "none of the other columns", counts
    counts["missing_fields"] = sum(field not in record for field in FIELDS[table])
    counts["unknown_fields"] = sum(name not in FIELDS[table] for name in record)
    if table == "pin":
        number, bad = followers(record.get("follower_count"))
        counts["bad_follower_count"] = int(bad)
        place = record.get("save_location")
        row = (key, text_or_none(record, "unique_id"), text_or_none(record, "title"), text_or_none(record, "description"),
               number, text_or_none(record, "poster_name"), text_or_none(record, "tag_list"),
               text_or_none(record, "is_image_or_video"), text_or_none(record, "image_src"),
               place.replace("Local save in ", "") or None if place else None, text_or_none(record, "category"))
    elif table == "geo":
        north, bad_north = real(record.get("latitude"))
        east, bad_east = real(record.get("longitude"))
        counts["bad_latitude"] = int(bad_north)
        counts["bad_longitude"] = int(bad_east)
        time, bad = moment(record.get("timestamp"))
        if bad:
            return None, "timestamp in no known form", collections.Counter()
        row = (key, text_or_none(record, "country"), [north, east], time)
    else:
        age = record.get("age")
        years = integer_or_none(age, 9)
        counts["bad_age"] = int(age is not None and years is None)
        time, bad = moment(record.get("date_joined"))
        if bad:
            return None, "timestamp in no known form", collections.Counter()
        first, last = text_or_none(record, "first_name"), text_or_none(record, "last_name")
        row = (key, None if first is None or last is None else first + " " + last, years, time)
    return row, None, counts


def hashable(row):
    return tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row)


def clean(records, drop_repeats=True, before=None):
    """Tables, dead letters, counts ({"pin": Counter(raw, clean, duplicates, dead, bad_…, missing_fields, …)}).

    `before` are the tables' rows of earlier runs: what repeats them is dropped, and they are not in the result.
    """
    tables, dead, counts = {}, [], {}
    for table in FIELDS:
        rows, met = [], {hashable(row) for row in (before or {}).get(table, [])}
        sums = counts[table] = collections.Counter()
        for place, line in enumerate(records.get(table, [])):
            row, reason, noted = clean_one(table, line)
            sums["raw"] += 1
            if reason is not None:
                dead.append((table, reason, place))
                sums["dead"] += 1
                continue
            sums.update(noted)
            if drop_repeats and hashable(row) in met:
                sums["duplicates"] += 1
                continue
            met.add(hashable(row))
            rows.append(row)
            sums["clean"] += 1
        tables[table] = rows
    return tables, dead, counts


def age_group(age):
    if age is None or age < 18:
        return None
    return "18-24" if age <= 24 else "25-35" if age <= 35 else "36-50" if age <= 50 else "+50"


def group_order(group):
    return (group == "+50", group)


def median(values):
    values = sorted(value for value in values if value is not None)
    return values[-(-len(values) // 2) - 1] if values else None


def year_of(time):
    return None if time is None else int(time[:4])


def tops(counter, key_count):
    """Of a {(group…, item…): number}, for each group its items with the greatest number, ties kept."""
    best = {}
    for key, number in counter.items():
        best[key[:key_count]] = max(best.get(key[:key_count], number), number)
    return [(*key, number) for key, number in counter.items() if number == best[key[:key_count]]]


def grouped(pairs):
    groups = collections.defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def as_rows(names, rows):
    return [dict(zip(names, row)) for row in rows]


def answers(tables):
    """{query: [row as dict, in order]}"""
    pins = [dict(zip(COLUMNS["pin"], row)) for row in tables["pin"]]
    geos, users = (grouped((row[0], dict(zip(COLUMNS[name], row))) for row in tables[name]) for name in ("geo", "user"))
    posts = [(pin, geo) for pin in pins for geo in geos.get(pin["ind"], [])]
    owned = [(pin, user) for pin in pins for user in users.get(pin["ind"], [])]
    out = {}

    by_country = collections.Counter((geo["country"], pin["category"]) for pin, geo in posts
                                     if geo["country"] is not None and pin["category"] is not None)
    out["top_category_by_country"] = as_rows(("country", "category", "category_count"), sorted(tops(by_country, 1)))

    by_year = collections.Counter((year_of(geo["timestamp"]), pin["category"]) for pin, geo in posts
                                  if pin["category"] is not None and 2018 <= (year_of(geo["timestamp"]) or 0) <= 2022)
    out["top_category_by_year"] = as_rows(("post_year", "category", "category_count"), sorted(tops(by_year, 1)))

    most = {}
    for pin, geo in posts:
        if geo["country"] is not None and pin["poster_name"] is not None and pin["follower_count"] is not None:
            key = (geo["country"], pin["poster_name"])
            most[key] = max(most.get(key, 0), pin["follower_count"])
    of_countries = sorted(tops(most, 1))
    out["top_user_by_country"] = as_rows(("country", "poster_name", "follower_count"), of_countries)
    highest = max((number for _, _, number in of_countries), default=None)
    out["top_country"] = as_rows(("country", "follower_count"),
                                 sorted({(country, number) for country, _, number in of_countries if number == highest}))

    by_age = collections.Counter((age_group(user["age"]), pin["category"]) for pin, user in owned
                                 if age_group(user["age"]) and pin["category"] is not None)
    out["top_category_by_age_group"] = as_rows(("age_group", "category", "category_count"),
                                               sorted(tops(by_age, 1), key=lambda row: (group_order(row[0]), row[1])))

    medians = grouped((age_group(user["age"]), pin["follower_count"]) for pin, user in owned)
    out["median_followers_by_age_group"] = as_rows(
        ("age_group", "median_follower_count"),
        [(group, median(medians[group])) for group in sorted(filter(None, medians), key=group_order)])

    joined = {row[1:] for row in tables["user"] if 2015 <= (year_of(row[3]) or 0) <= 2020}
    per_year = collections.Counter(year_of(row[2]) for row in joined)
    out["users_joined_by_year"] = as_rows(("post_year", "number_users_joined"), sorted(per_year.items()))

    medians = grouped((year_of(user["date_joined"]), pin["follower_count"]) for pin, user in owned
                      if 2015 <= (year_of(user["date_joined"]) or 0) <= 2020)
    out["median_followers_by_joining_year"] = as_rows(("post_year", "median_follower_count"),
                                                      [(year, median(medians[year])) for year in sorted(medians)])

    medians = grouped(((age_group(user["age"]), year_of(user["date_joined"])), pin["follower_count"]) for pin, user in owned
                      if age_group(user["age"]) and user["date_joined"] is not None)
    out["median_followers_by_age_group_and_joining_year"] = as_rows(
        ("age_group", "post_year", "median_follower_count"),
        [(*key, median(medians[key])) for key in sorted(medians, key=lambda key: (group_order(key[0]), key[1]))])
    return out
