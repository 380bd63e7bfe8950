"""Nasty records for a pipeline's topics: odd values in every field, and lines that are hardly records. Made, not found.

    lines("geo", seed=1)    # [bytes, …], each one line of an object
"""
import json
import random

import lake_rules

NUMBERS = ["0", "-0", "00", "007", "-5", "+5", " 5", "5 ", "5\n", "9.7", "5.", ".5", "1e3", "1E3", "1_0", "0x10", "５", "٣", "1,000", "999999999999999999",
           "9999999999999999999", "-999999999999999999", "9223372036854775807", "NaN", "Infinity", "", " ", "null", "true", "1.5", "12 million"]
FOLLOWERS = ["9k", "9K", "1.5k", "1.25M", "0.0005k", "0.5", "1.5", "2.5", "2.4999999999", "15M", "3B", "3b", "999999999B", "999999999.999999999k", "k", "1.k", ".5k", "1kk",
             "1 k", "User Info Error", "1k\n", "1\u00a0k", "१k", "000001k", "1e3k", "-1k", "1000000000", "123456789012345678"]
REALS = ["1.5", "-170.188", "0.1", "1e5", "1E-5", "1e308", "1e99", "1e100", "-0.0", "000.5", "123456789012345.12345678901234567", "1.5f", "1.5d", "0x1p3", "1,5", "inf", "-88.8298\n"]
TIMES = ["2020-08-28 03:52:47", "2020-08-28T03:52:47", "2020:08:28 03:52:47", "2020:08:28T03:52:47", "2020-02-30 00:00:00", "2020-02-29 00:00:00", "1900-02-29 00:00:00",
         "0000-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "1582-10-10 12:00:00", "1883-11-18 12:00:00", "2020-13-01 00:00:00", "2020-08-28 24:00:00",
         "2020-08-28 23:59:60", "2020-8-28 03:52:47", "2020-08-28 3:52:47", "2020-08-28", "2020", "epoch", "infinity", "now", "2020-08-28 03:52:47Z", "2020-08-28 03:52:47+02",
         "2020-08-28 03:52:47.5", " 2020-08-28 03:52:47", "2020-08-28 03:52:47\n", "2020-08-28  03:52:47", "２０２０-08-28 03:52:47", "1598586767", "28.08.2020", ""]
TEXTS = ["", " ", "plain", "it's", '"quoted"', "back\\slash", "\\n", "%_", "$", "line\nfeed", "carriage\rreturn", "tab\t", "nul\u0000nul", "ünïcode", "😀", "e\u0301", "\u00e9", "\u200d", "\ufeffmark",
         "\ufffd", "\U0010ffff", "\u2028", "\u0085", "null", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", "No Title Data Available", "No description available", "Untitled", "untitled",
         "Image src error.", "User Info Error", "Local save in /data/x", "Local save in Local save in ", "Local save in ", "x" * 5000, "'); DROP TABLE pin; --", "`", "İstanbul", "ﬀ", "ǆ"]
OTHERS = [None, True, False, 0, -1, 1.0, 12.50, 1e22, 10**30, [], {}, [1, "a", None], {"b": 1, "a": [2, {"c": "ü"}]}, ["2020-08-28 03:52:47"], [[]]]
BY_FIELD = {"index": NUMBERS, "ind": NUMBERS, "age": NUMBERS, "downloaded": NUMBERS, "follower_count": FOLLOWERS + NUMBERS, "latitude": REALS + NUMBERS,
            "longitude": REALS + NUMBERS, "timestamp": TIMES, "date_joined": TIMES}
# Whole lines, as bytes. A line has no line feed.
LINES = [b"", b" ", b"null", b"true", b"5", b'"text"', b"[]", b"{}", b"[{}]", b"[[]]", b"[{},{}]", b"{", b"}", b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,"a":1}', b"{'a':1}", b"{a:1}", b'{"a":01}', b'{"a":1.}',
         b'{"a":.5}', b'{"a":+1}', b'{"a":NaN}', b'{"a":1}{"b":2}', b'{"a":1} x', b'\xef\xbb\xbf{"KEY":1,"country":"mark"}', b'{"KEY":2,"country":"\xff"}', b'{"KEY":3,"country":"\xed\xa0\x80"}',
         b'{"KEY":4,"country":"\\ud800"}', b'{"KEY":5,"country":"\\ud83d\\ude00"}', b'{"KEY":6,"KEY":7,"country":"twice"}', b'{"KEY":8,"K\\u0045Y":9,"country":"twice"}', b'{"KEY":10,"\\u0063ountry":"escaped"}',
         b'{"KEY":11,"country":"a\\u0000b"}', b'{"KEY":12,"country":"tab\there"}', b'{"KEY":13,"country":"\\x41"}', b'{"KEY":14,"country":"\\/"}', b'  {  "KEY" : 15 ,\t"country" : "blanks" }  ', b'[ {"KEY":16,"country":"one"} ]',
         b'[{"KEY":17,"country":"one"},]', b'{"KEY":18,"country":"\xc0\xaf"}', b'{"KEY":19,"country":{"x":1,"x":2}}', b'{"KEY":20,"country":[1, 2 ,{"y" : "z"}]}', b'{"KEY":21,"COUNTRY":"capitals"}', b'{"key":22,"country":"small"}',
         b'{"KEY":23,"":"empty name","country":"x"}', b'{"KEY":2.4e1,"country":"exponent"}', b'{"KEY":25.0,"country":"point"}', b'{"KEY":"26","country":1e400}', b'{"KEY":27,"country":-0}', b'{"KEY":28,"country":1.50}', b'{"KEY":29',
         b'{"KEY":30,"country":' + b"[" * 99 + b"]" * 99 + b"}", b'{"KEY":31,"country":' + b"[" * 100 + b"]" * 100 + b"}", b"[" * 5000 + b"]" * 5000, b'{"KEY":32,"country":"cr"}\r', b'{"KEY":33,"country":null,"more":null}', b'{"KEY":34}',
         b'{"KEY":35,"country":"' + b"x" * 100_000 + b'"}', b'{"KEY":36,"country":"\\u00e9"}', b'{"KEY":37 "country":"x"}', b'{"KEY":38,"country":"x"', b'\x00', b'{"KEY":39,"country":"\xf0\x9f\x98\x80"}', b'{"KEY":40,"country":"\xf4\x90\x80\x80"}']
OTHER_FIELD = {"pin": b"category", "geo": b"country", "user": b"first_name"}


def good(table, number, draw):
    """A record as the emulator posts it."""
    if table == "pin":
        return {"index": number, "unique_id": f"u-{number}", "title": f"Title {number}", "description": f"About {number}", "poster_name": f"Poster {number % 50}", "follower_count": f"{draw.randrange(1, 999)}k",
                "tag_list": "a,b,c", "is_image_or_video": "image", "image_src": f"https://example.org/{number}.jpg", "downloaded": 1, "save_location": "Local save in /data/art", "category": draw.choice(["art", "beauty"])}
    if table == "geo":
        return {"ind": number, "timestamp": f"20{draw.randrange(17, 23)}-0{draw.randrange(1, 9)}-12 03:52:47", "latitude": draw.randrange(-90000, 90000) / 1000, "longitude": draw.randrange(-180000, 180000) / 1000,
                "country": draw.choice(["Albania", "Cote d'Ivoire", "Aruba"])}
    return {"ind": number, "first_name": f"Ann{number % 40}", "last_name": "O'Neill", "age": draw.randrange(16, 70), "date_joined": f"201{draw.randrange(4, 9)}-10-24 11:23:51"}


def lines(table, seed=1, many=300):
    """Every odd value in every field, every odd line, `many` records of several odd values, some of all again."""
    draw = random.Random(f"{seed} {table}")
    fields = lake_rules.FIELDS[table]
    made, number = [], 1000

    def add(record):
        made.append(json.dumps(record, ensure_ascii=draw.random() < 0.5, separators=draw.choice([(",", ":"), (", ", ": ")])).encode("utf-8"))

    for field in fields:
        for value in [*BY_FIELD.get(field, []), *TEXTS, *OTHERS]:
            number += 1
            add({**good(table, number, draw), field: value})
        number += 1
        record = good(table, number, draw)
        del record[field]
        add(record)
    for _ in range(many):
        number += 1
        record = good(table, number, draw)
        for field in draw.sample(fields[1:], draw.randrange(0, len(fields))):
            if draw.random() < 0.2:
                del record[field]
            else:
                record[field] = draw.choice([*BY_FIELD.get(field, TEXTS), *OTHERS])
        if draw.random() < 0.1:
            record["unknown"] = draw.choice(OTHERS)
        add(record)
    key = fields[0].encode()
    made += [line.replace(b'"KEY"', b'"' + key + b'"').replace(b"K\\u0045Y", b"\\u00%02x" % key[0] + key[1:]).replace(b'"country"', b'"' + OTHER_FIELD[table] + b'"') for line in LINES]
    other = {"pin": "user", "geo": "pin", "user": "geo"}[table]
    made += [json.dumps(good(other, 1, draw)).encode()]  # in the wrong topic
    made += draw.sample(made, len(made) // 10)  # repeats
    draw.shuffle(made)
    assert not any(b"\n" in line for line in made)
    return made


def passes_checks(table, line):
    """Whether the pipeline's own checks let the line's row be."""
    row, reason, _ = lake_rules.clean_one(table, line)
    return reason is not None or table == "geo" or (0 <= (row[2] or 0) <= 150 if table == "user" else (row[4] or 0) >= 0)


def write_objects(lake, topic, all_lines, per_object=400):
    """Lines as objects of a topic's one partition, as a sink writes them."""
    folder = lake / "topics" / topic / "partition=0"
    folder.mkdir(parents=True)
    for first in range(0, len(all_lines), per_object):
        (folder / f"{topic}+0+{first:010}.json").write_bytes(b"".join(line + b"\n" for line in all_lines[first:first + per_object]))
