"""The house's own rules, held against the sources."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("src/**/*.h"), *ROOT.glob("src/**/*.cc")])
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def rooms():
    edges = {}
    for line in (ROOT / "src/rooms.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            room, _, neighbours = line.partition(":")
            edges[room] = neighbours.split()
    return edges


def room_of(path, edges):
    parts = pathlib.PurePosixPath(path).parts
    for length in (2, 1):
        room = "/".join(parts[:length])
        if room in edges and len(parts) > length:
            return room
    return None


def tracked():
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_every_source_lies_in_a_room():
    edges = rooms()
    strays = [str(p) for p in SOURCES if room_of(p.relative_to(ROOT / "src").as_posix(), edges) is None]
    assert strays == []


def test_a_room_includes_only_its_neighbours():
    edges = rooms()
    wrong = []
    for path in SOURCES:
        name = path.relative_to(ROOT / "src").as_posix()
        room = room_of(name, edges)
        for included in INCLUDE.findall(path.read_text()):
            target = room_of(included, edges)
            if target is None:
                wrong.append(f"{name} includes {included}, which is in no room")
            elif target != room and target not in edges[room]:
                wrong.append(f"{name} includes {included}, but {room} may not know {target}")
    assert wrong == []


def test_the_edges_have_no_circle():
    edges = rooms()
    order = list(edges)
    for room, neighbours in edges.items():
        for neighbour in neighbours:
            assert order.index(neighbour) < order.index(room), f"{room} stands before its neighbour {neighbour}"


def test_heavy_headers_stay_out_of_headers():
    heavy = re.compile(r"#include <(boost/|simdjson|yaml-cpp|librdkafka|duckdb|spdlog|CLI/|curl/|sqlite3|mysql|mariadb|grpc|google/|spark/)")
    assert [str(p) for p in SOURCES if p.suffix == ".h" and not p.stem.endswith(("_impl", "_test"))
            and heavy.search(p.read_text())] == []


def test_beast_stays_behind_its_seam():
    users = {p.relative_to(ROOT / "src").as_posix() for p in SOURCES if "boost/beast" in p.read_text() or "boost/asio" in p.read_text()}
    assert len(users) <= 3 and all(user.startswith("http/") for user in users), users


def test_every_header_says_what_it_is():
    assert [str(p) for p in SOURCES if p.suffix == ".h" and not p.read_text().startswith("// ")] == []


def test_files_are_small():
    """500 lines; a test, which is a list of cases, 600."""
    long = {str(p.relative_to(ROOT)): n for p in SOURCES
            if (n := len(p.read_text().splitlines())) > (600 if p.stem.endswith("_test") else 500)}
    assert long == {}


def test_no_word_of_pins_in_the_program():
    words = re.compile(r"\b(pins?|geo|geolocation|pinterest|followers|follower_count|poster|poster_name|save_location|unique_id)\b", re.I)
    found = []
    for path in SOURCES:
        if path.name.endswith("_test.cc"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = re.sub(r"//.*", "", line).replace("pipelines/pinterest", "")
            if words.search(code):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_the_architecture_names_every_room():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert [room for room in rooms() if f"`{room}`" not in text] == []


def test_nothing_is_left_open():
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|GTEST_SK" r"IP)\b")
    found = []
    for name in tracked():
        path = ROOT / name
        if path.suffix in {".h", ".cc", ".py", ".sql", ".yaml", ".md", ".cmake"} or name == "dev":
            found += [f"{name}:{n}" for n, line in enumerate(path.read_text().splitlines(), 1) if marks.search(line)]
    assert found == []
