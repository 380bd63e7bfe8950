#!/usr/bin/env python3
"""Random bodies of every API and version, encoded after Kafka's own message definitions.

An encoder of its own, driven by common/message/*.json in the kafka-clients jar: what it writes, the codec in
src/kafka/codec must read and write back byte for byte (src/kafka/codec/vectors_test.cc).

  message_vectors.py KAFKA_CLIENTS.jar src/kafka/codec/api.cc > src/kafka/codec/testdata/vectors.txt
"""
import json
import random
import re
import struct
import sys
import zipfile

PER_VERSION = 2


def definitions(jar):
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            found = re.fullmatch(r"common/message/(\w+)(Request|Response)\.json", name)
            if found:
                text = re.sub(r"^\s*//.*$", "", archive.read(name).decode(), flags=re.MULTILINE)
                yield found.groups(), json.loads(text)


def spans(versions, version):
    if versions in (None, "none"):
        return False
    first, dash, last = versions.partition("-")
    if first.endswith("+"):
        return version >= int(first[:-1])
    return int(first) <= version <= int(last if dash else first)


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


class Encoder:
    def __init__(self, definition, version, rng):
        self.version, self.rng = version, rng
        self.flexible = spans(definition["flexibleVersions"], version)
        self.common = {s["name"]: s["fields"] for s in definition.get("commonStructs", [])}

    def length(self, count, classic):
        return varint(count + 1) if self.flexible else struct.pack(classic, count)

    def scalar(self, kind):
        rng = self.rng
        if kind == "bool":
            return bytes([rng.randint(0, 1)])
        for name, size in (("int8", 1), ("int16", 2), ("int32", 4), ("int64", 8), ("uuid", 16)):
            if kind == name:
                return bytes([rng.randint(0, 0x7E)]) + rng.randbytes(size - 1)
        if kind == "string":
            text = "".join(rng.choice("abcxyz-._éß漢😀") for _ in range(rng.choice((0, 1, 5, 60)))).encode()
            return self.length(len(text), ">h") + text
        if kind in ("bytes", "records"):
            data = rng.randbytes(rng.choice((0, 1, 20, 200)))
            return self.length(len(data), ">i") + data
        return None

    def value(self, field, force=False):
        kind = field["type"]
        nullable = spans(field.get("nullableVersions"), self.version)
        array = kind.startswith("[]")
        if nullable and not force and self.rng.random() < 0.3:
            return self.length(-1, ">i" if array or kind in ("bytes", "records") else ">h")
        if not array:
            plain = self.scalar(kind)
            return self.structure(field.get("fields") or self.common[kind]) if plain is None else plain
        count = self.rng.randint(1 if force else 0, 3)
        element = dict(field, type=kind[2:], nullableVersions=None)
        return self.length(count, ">i") + b"".join(self.value(element) for _ in range(count))

    def structure(self, fields):
        out, tags = b"", {}
        for field in fields:
            if not spans(field["versions"], self.version):
                continue
            if spans(field.get("taggedVersions"), self.version):
                if self.rng.random() < 0.5:
                    body = b"\1" if field["type"] == "bool" else self.value(field, force=True)
                    if any(body):
                        tags[field["tag"]] = body
            else:
                out += self.value(field)
        if self.flexible:
            out += varint(len(tags))
            for tag, body in sorted(tags.items()):
                out += varint(tag) + varint(len(body)) + body
        return out


def main(jar, api_list):
    ranges = {}
    for name, low, high in re.findall(r'\{Api::\w+, "(\w+)", (\d+), (\d+),', open(api_list).read()):
        ranges[name] = range(int(low), int(high) + 1)
    seen = set()
    for (name, side), definition in sorted(definitions(jar), key=lambda d: d[0]):
        if name not in ranges:
            continue
        for version in ranges[name]:
            if not spans(definition["validVersions"], version):
                sys.exit(f"{name}{side} has no version {version}")
            rng = random.Random(f"{name}{side}{version}")
            for _ in range(PER_VERSION):
                body = Encoder(definition, version, rng).structure(definition["fields"])
                print(f"{name}{side} {version} {body.hex() or '-'}")
        seen.add((name, side))
    missing = {(n, s) for n in ranges for s in ("Request", "Response")} - seen
    if missing:
        sys.exit(f"no definition of {sorted(missing)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
