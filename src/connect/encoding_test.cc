#include "connect/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "base/clock.h"

namespace pinflow::connect {
namespace {

using testing::HasSubstr;

kafka::Message record(std::optional<std::string_view> value, std::optional<std::string_view> key = std::nullopt,
                      int64_t timestamp_ms = 0) {
  return {.topic = "t", .partition = 3, .offset = 7, .timestamp_ms = timestamp_ms, .key = key, .value = value};
}

Encoding encoding(Settings settings = {}) {
  auto made = Encoding::make(std::move(settings));
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

// "folder|line", "refused: reason" or "ignored".
std::string shape(Encoding& by, const kafka::Message& message, int64_t wall_ms = 0) {
  const auto looked = by.look(message, wall_ms);
  if (!looked) return "refused: " + looked.error();
  if (!*looked) return "ignored";
  Lines lines;
  by.append(lines);
  return by.folder() + "|" + lines.value;
}

TEST(Encoding, PlainIsTheGatesBytes) {
  Encoding plain = encoding();
  EXPECT_TRUE(plain.settings().is_plain());
  EXPECT_EQ(shape(plain, record(R"({ "a" : 1.50 , "b":"x" })")), "partition=3|{\"a\":1.50,\"b\":\"x\"}\n");
  EXPECT_EQ(shape(plain, record("nope")), "refused: not JSON");
  EXPECT_EQ(shape(plain, record(std::nullopt)), "refused: null value");
  EXPECT_EQ(plain.extension(), ".json");
}

TEST(Encoding, EnvelopesAreOpened) {
  Encoding by = encoding({.value = Converter::json_schema});
  EXPECT_EQ(shape(by, record(R"({"schema":{"type":"struct"},"payload":{"a":[1, 2]}})")), "partition=3|{\"a\":[1,2]}\n");
  EXPECT_EQ(shape(by, record(R"({"schema":null,"payload":12})")), "partition=3|12\n");
  EXPECT_EQ(shape(by, record(R"({"schema":null,"payload":null})")), "refused: null value");
  EXPECT_EQ(shape(by, record(R"({"a":1})")), "refused: no schema and payload (schemas.enable is true)");
  EXPECT_EQ(shape(by, record(R"({"payload":{"a":1},"schema":{},"more":1})")),
            "refused: no schema and payload (schemas.enable is true)");
  EXPECT_EQ(shape(by, record(R"({"schema":{},"schema2":{}})")),
            "refused: no schema and payload (schemas.enable is true)");
  EXPECT_EQ(by.refused_at(), Stage::value_converter);
  EXPECT_EQ(shape(by, record("[1]")), "refused: no schema and payload (schemas.enable is true)");
}

TEST(Encoding, StringsAndBytes) {
  Encoding text = encoding({.value = Converter::string});
  EXPECT_EQ(shape(text, record("a \"b\"\n")), "partition=3|\"a \\\"b\\\"\\n\"\n");
  EXPECT_EQ(shape(text, record("\xff")), "refused: not UTF-8");
  Encoding bytes = encoding({.value = Converter::bytes});
  EXPECT_EQ(shape(bytes, record("\x01\xff")), "partition=3|\"Af8=\"\n");
  Encoding raw = encoding({.value = Converter::bytes, .format = Format::bytes, .bytes_separator = "--"});
  EXPECT_EQ(shape(raw, record("\x01\xff")), "partition=3|\x01\xff--");
  EXPECT_EQ(raw.extension(), ".bin");
}

TEST(Encoding, NullValues) {
  Encoding ignore = encoding({.null_values = NullValues::ignore});
  EXPECT_EQ(shape(ignore, record(std::nullopt)), "ignored");
  Encoding write = encoding({.keys = Format::json, .null_values = NullValues::write});
  EXPECT_EQ(shape(write, record(std::nullopt, "k")), "tombstone|null\n");
  EXPECT_THAT(Encoding::make({.null_values = NullValues::write}).error().message, HasSubstr("store.kafka.keys=true"));
}

TEST(Encoding, KeysAndHeaders) {
  Encoding by = encoding({.keys = Format::json, .headers = true});
  auto message = record("{}", "ke\"y");
  message.headers = {{"a", "1"}, {"b", std::nullopt}, {"c", "\xff"}};
  Lines lines;
  ASSERT_TRUE(by.look(message, 0).value());
  by.append(lines);
  ASSERT_TRUE(by.look(record("1"), 0).value());
  by.append(lines);
  EXPECT_EQ(lines.records, 2);
  EXPECT_EQ(lines.value, "{}\n1\n");
  EXPECT_EQ(lines.keys, "\"ke\\\"y\"\nnull\n");
  EXPECT_EQ(lines.headers,
            "[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"b\",\"value\":null},{\"key\":\"c\",\"value\":{\"base64\":\"/"
            "w==\"}}]\n"
            "[]\n");
  const auto pieces = by.finish(std::move(lines)).value();
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].extension, ".json");
  EXPECT_EQ(pieces[1].extension, ".keys.json");
  EXPECT_EQ(pieces[2].extension, ".headers.json");
  Encoding strict = encoding({.key = Converter::json, .keys = Format::json});
  EXPECT_EQ(shape(strict, record("{}", "nope")), "refused: key: not JSON");
  EXPECT_EQ(strict.refused_at(), Stage::key_converter);
  Encoding raw = encoding({.key = Converter::bytes, .keys = Format::bytes});
  Lines bytes;
  ASSERT_TRUE(raw.look(record("{}", "\x01"), 0).value());
  raw.append(bytes);
  EXPECT_EQ(raw.finish(std::move(bytes)).value()[1].extension, ".keys.bin");
}

TEST(Encoding, ByFields) {
  Encoding by = encoding({.partitioning = {.by = PartitionBy::fields, .fields = {"country", "who.age"}}});
  EXPECT_EQ(shape(by, record(R"({"country":"Côte / d'Ivoire","who":{"age":3}})")),
            "country=Côte %2F d'Ivoire/who.age=3|{\"country\":\"Côte / d'Ivoire\",\"who\":{\"age\":3}}\n");
  EXPECT_EQ(shape(by, record(R"({"country":true,"who.age":"x"})")).substr(0, 24), "country=true/who.age=x|{");
  EXPECT_EQ(shape(by, record(R"({"country":"x"})")), "refused: no field who.age to partition by");
  EXPECT_EQ(shape(by, record(R"({"country":null,"who":{"age":3}})")), "refused: no field country to partition by");
  EXPECT_EQ(shape(by, record(R"({"country":[1],"who":{"age":3}})")),
            "refused: the field country to partition by is an array or an object");
  EXPECT_EQ(by.refused_at(), Stage::task_put);
  // Longer than a store's names may be: it would stop all records behind it.
  const auto of = [](size_t bytes) {
    return fmt::format(R"({{"country":"{}","who":{{"age":3}}}})", std::string(bytes, 'x'));
  };
  EXPECT_TRUE(by.look(record(of(kLongestPart - 8)), 0)) << "with country=";
  EXPECT_THAT(shape(by, record(of(kLongestPart - 7))), HasSubstr("refused: the folder of the fields to partition by"));
  EXPECT_THAT(shape(by, record(of(kLongestFolder))), HasSubstr("is longer than 512 bytes"));
  EXPECT_EQ(shape(by, record("5")), "refused: no field country to partition by");
}

TEST(Encoding, ByTime) {
  const int64_t at = parse_iso_time("2020-08-28T03:52:47Z").value();
  Partitioning time{.by = PartitionBy::time, .duration_ms = 3'600'000, .path_format = "'d'=dd/'h'=HH"};
  Encoding clock = encoding({.partitioning = time});
  EXPECT_TRUE(clock.uses_wall_clock());
  EXPECT_EQ(shape(clock, record("{}"), at), "d=28/h=03|{}\n");
  EXPECT_EQ(clock.wall_span(at), parse_iso_time("2020-08-28T03:00:00Z"));
  EXPECT_EQ(clock.wall_span(at + 3'600'000), parse_iso_time("2020-08-28T04:00:00Z"));

  time.time_from = TimeFrom::record;
  Encoding by_record = encoding({.partitioning = time});
  EXPECT_FALSE(by_record.uses_wall_clock());
  EXPECT_EQ(shape(by_record, record("{}", {}, at), 0), "d=28/h=03|{}\n");
  EXPECT_EQ(by_record.time_of_record(), at);
  EXPECT_EQ(shape(by_record, record("{}", {}, -1), 0), "refused: no timestamp to partition by");

  time.time_from = TimeFrom::field;
  Encoding by_field = encoding({.partitioning = time});
  for (const char* good : {"1598586767000", "\"1598586767000\"", "\"2020-08-28T03:52:47Z\"", "\"2020-08-28 03:52:47\"",
                           "\"2020-08-28T03:52:47.000\"", "\"2020-08-28T05:52:47+02:00\"",
                           "\"2020-08-28 01:22:47.000-0230\"", "\"2020-08-28T04:52:47+01\""}) {
    const std::string value = fmt::format("{{\"timestamp\":{}}}", good);
    EXPECT_EQ(shape(by_field, record(value)).substr(0, 10), "d=28/h=03|") << good;
    EXPECT_EQ(by_field.time_of_record(), at);
  }
  EXPECT_EQ(shape(by_field, record("{\"timestamp\":\"2020:08:28 03:52:47\"}")),
            "refused: the field timestamp to partition by is no time");
  EXPECT_EQ(shape(by_field, record("{\"timestamp\":\"2020-08-28\"}")).substr(0, 10), "d=28/h=00|");
  for (const char* bad : {"\"\"", "\"2020-08-28T03:52:47+2\"", "\"2020-08-28T03:52:47+02:\"", "1.5", "true", "null",
                          "{}", "\"2020-08-28T03:52:47+02:99\"", "\"2020-13-28\"", "\"12345678901234567890\""})
    EXPECT_THAT(shape(by_field, record(fmt::format("{{\"timestamp\":{}}}", bad))), HasSubstr("refused: ")) << bad;
  EXPECT_EQ(shape(by_field, record("{\"timestamp\":9223372036854775807}")),
            "refused: the time to partition by is not of the years 1 to 9999");
  EXPECT_EQ(shape(by_field, record("{}")), "refused: no field timestamp to partition by");
}

TEST(Encoding, CompressedObjectsAreTheSameEachTime) {
  const std::string text = R"({"a":"some text that comes again and again and again"})";
  for (const Compression how : {Compression::gzip, Compression::zstd}) {
    Encoding by = encoding({.compression = how, .compression_level = 6});
    std::vector<std::string> made;
    for (int round = 0; round < 2; ++round) {
      Lines lines;
      for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(by.look(record(text), 0).value());
        by.append(lines);
      }
      made.push_back(by.finish(std::move(lines)).value()[0].bytes);
    }
    EXPECT_EQ(made[0], made[1]);
    EXPECT_LT(made[0].size(), 500u);
    std::string back(100 * (text.size() + 1), '\0');
    if (how == Compression::gzip) {
      EXPECT_EQ(by.extension(), ".json.gz");
      z_stream stream{};
      ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
      stream.next_in = reinterpret_cast<Bytef*>(made[0].data());
      stream.avail_in = static_cast<uInt>(made[0].size());
      stream.next_out = reinterpret_cast<Bytef*>(back.data());
      stream.avail_out = static_cast<uInt>(back.size());
      EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
      EXPECT_EQ(stream.total_out, back.size());
      inflateEnd(&stream);
    } else {
      EXPECT_EQ(by.extension(), ".json.zst");
      EXPECT_EQ(ZSTD_decompress(back.data(), back.size(), made[0].data(), made[0].size()), back.size());
    }
    EXPECT_TRUE(back.starts_with(text + "\n"));
  }
}

TEST(Encoding, SettingsThatDoNotFitTogether) {
  const auto error = [](Settings settings) { return Encoding::make(std::move(settings)).error().message; };
  EXPECT_THAT(error({.format = Format::bytes}), HasSubstr("ByteArrayFormat needs value.converter"));
  EXPECT_THAT(error({.value = Converter::string, .format = Format::parquet}),
              HasSubstr("ParquetFormat needs value.converter"));
  EXPECT_THAT(error({.format = Format::parquet}), HasSubstr("needs a schema"));
  EXPECT_THAT(error({.partitioning = {.by = PartitionBy::fields}}), HasSubstr("partition.field.name"));
  EXPECT_THAT(error({.value = Converter::bytes, .partitioning = {.by = PartitionBy::fields, .fields = {"a"}}}),
              HasSubstr("reads a field needs value.converter"));
  EXPECT_THAT(error({.partitioning = {.by = PartitionBy::time, .path_format = "yyyy"}}),
              HasSubstr("partition.duration.ms"));
  for (const char* path : {"'../'yyyy", "yyyy//MM", "/yyyy", "yyyy/", "'.'yyyy"})
    EXPECT_THAT(error({.partitioning = {.by = PartitionBy::time, .duration_ms = 1, .path_format = path}}),
                HasSubstr("makes folders such as"))
        << path;
}

TEST(Encoding, FingerprintsTellSettingsApart) {
  EXPECT_EQ(Settings{}.fingerprint(), Settings{}.fingerprint());
  EXPECT_NE(Settings{}.fingerprint(), Settings{.compression = Compression::gzip}.fingerprint());
  EXPECT_NE(Settings{}.fingerprint(), Settings{.partitioning = {.path_format = "yyyy"}}.fingerprint());
}

}  // namespace
}  // namespace pinflow::connect
