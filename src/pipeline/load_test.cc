#include "pipeline/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "pipeline/yaml.h"

namespace pinflow::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

const fs::path root = fs::path(__FILE__).parent_path().parent_path().parent_path();
const fs::path tiny = root / "tests/pipelines/tiny";

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A copy of the tiny pipeline whose pipeline.yaml can be spoilt.
class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("PINFLOW_USER_ID");
    std::string pattern = (fs::temp_directory_path() / "pinflow-pipeline-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::copy(tiny, folder_, fs::copy_options::recursive);
    text_ = read(tiny / "pipeline.yaml");
  }
  void TearDown() override {
    unsetenv("PINFLOW_USER_ID");
    fs::remove_all(folder_);
  }

  // Loads the pipeline with `from` (which must be there) replaced by `to`.
  Result<Pipeline> load_with(const std::string& from, const std::string& to, const std::string& profile = "local") {
    std::string text = text_;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    line_ = 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
    text.replace(at, from.size(), to);
    std::ofstream(folder_ / "pipeline.yaml") << text;
    return load(folder_, profile);
  }

  // The error after that change. It starts with the file and the line of the change, plus `lines_after`.
  std::string error_with(const std::string& from, const std::string& to, int lines_after = 0) {
    const auto loaded = load_with(from, to);
    if (loaded) return "no error";
    const std::string start = fmt::format("{}:{}: ", (folder_ / "pipeline.yaml").string(), line_ + lines_after);
    EXPECT_THAT(loaded.error().message, HasSubstr(start));
    return loaded.error().message;
  }

  fs::path folder_;
  std::string text_;
  int line_ = 0;
};

TEST_F(Load, ReadsEveryPartOfThePipeline) {
  const auto pipeline = load(tiny);
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_EQ(pipeline->id, "weather");
  EXPECT_EQ(pipeline->user_id, "test");
  ASSERT_EQ(pipeline->records.size(), 2u);
  const RecordType& reading = pipeline->records[0];
  EXPECT_EQ(reading.name, "reading");
  EXPECT_EQ(reading.source_table, "readings");
  EXPECT_EQ(reading.source_key, "number");
  EXPECT_EQ(reading.topic, "weather.test.reading");
  EXPECT_EQ(reading.stream, "weather-test-reading");
  EXPECT_THAT(reading.fields, ::testing::ElementsAre("number", "station", "taken", "celsius", "remark"));
  EXPECT_THAT(reading.cleaning.text, HasSubstr("count_bad_celsius"));
  EXPECT_EQ(reading.table, "reading");
  EXPECT_EQ(reading.stream_table, "reading_stream");
  EXPECT_EQ(reading.key, "number");
  ASSERT_EQ(reading.columns.size(), 5u);
  EXPECT_EQ(reading.columns[2].name, "taken");
  EXPECT_EQ(reading.columns[2].type, Type::timestamp);
  ASSERT_EQ(reading.source_columns.size(), 5u);
  EXPECT_EQ(reading.source_columns[3].type, SourceType::double_);
  ASSERT_NE(pipeline->find_query("warmest_station"), nullptr);
  EXPECT_EQ(pipeline->find_query("coldest_station"), nullptr);
  EXPECT_EQ(pipeline->find_record("station"), &pipeline->records[1]);
  EXPECT_EQ(pipeline->find_record("pin"), nullptr);
  EXPECT_EQ(pipeline->generator, tiny / "generator.yaml");
  EXPECT_EQ(pipeline->settings.at("gateway.listen"), "127.0.0.1:0");
  EXPECT_TRUE(pipeline->repeats.batch_drop);
}

TEST_F(Load, ReadsThePostsPipeline) {
  const auto pipeline = load(root / "pipelines/pinterest");
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_EQ(pipeline->records.size(), 3u);
  EXPECT_EQ(pipeline->queries.size(), 9u);
  EXPECT_EQ(pipeline->find_record("geo")->columns[2].type, Type::array_of_double);
  const auto unfilled = load(root / "pipelines/pinterest", "aws");
  ASSERT_FALSE(unfilled);
  EXPECT_THAT(unfilled.error().message,
              HasSubstr("'bootstrap.server' still holds the placeholder <BOOTSTRAP_SERVERS>"));
  const auto aws = load(root / "pipelines/pinterest", "aws", {"bootstrap.server", "kinesis.endpoint", "lake"});
  ASSERT_TRUE(aws) << aws.error().message;
  EXPECT_EQ(aws->find_record("pin")->table, "local_pin_table");
}

TEST_F(Load, LaysAProfileOver) {
  const auto pipeline = load(tiny, "cloud");
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_EQ(pipeline->user_id, "c1");
  EXPECT_EQ(pipeline->records[1].topic, "c1_station");
  EXPECT_EQ(pipeline->records[1].stream, "weather-c1-station");
  EXPECT_EQ(pipeline->records[1].table, "c1_station_table");
  EXPECT_EQ(pipeline->records[1].stream_table, "station_stream");
  EXPECT_EQ(pipeline->settings.at("gateway.listen"), "0.0.0.0:80");
  EXPECT_EQ(pipeline->settings.at("lake"), "s3://weather");
}

TEST_F(Load, TheEnvironmentNamesTheUser) {
  setenv("PINFLOW_USER_ID", "0a1b-2c", 1);
  const auto pipeline = load(tiny, "cloud");
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_EQ(pipeline->records[0].topic, "0a1b-2c_reading");
  setenv("PINFLOW_USER_ID", "a b", 1);
  const auto bad = load(tiny);
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, AllOf(HasSubstr("PINFLOW_USER_ID"), HasSubstr("character")));
}

TEST_F(Load, AnUnknownProfileListsTheProfiles) {
  const auto loaded = load_with("id: weather", "id: weather", "clout");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("there is no profile 'clout'; the profiles are local, cloud"));
}

TEST_F(Load, AMissingFolderIsNotFound) {
  const auto loaded = load(folder_ / "nowhere");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::not_found);
  EXPECT_THAT(loaded.error().message, HasSubstr("--pipeline DIR"));
}

TEST_F(Load, AnUnknownKeyGetsASuggestion) {
  EXPECT_THAT(error_with("stream_table: reading_stream", "stream_tabel: reading_stream"),
              AllOf(HasSubstr("unknown key 'stream_tabel' in record 'reading'; did you mean 'stream_table'?"),
                    HasSubstr("record 'reading' lacks the key 'stream_table'; add it")));
  EXPECT_THAT(error_with("queries:", "querys:"), HasSubstr("did you mean 'queries'?"));
  EXPECT_THAT(error_with("user_id: c1", "xyzzy: c1"), HasSubstr("known are user_id, names, settings"));
  EXPECT_THAT(error_with("key: number\n", "kee: number\n"), HasSubstr("unknown key 'kee' in the source of"));
  EXPECT_THAT(error_with("title: The", "titel: The"), HasSubstr("did you mean 'title'?"));
}

TEST_F(Load, TheScheduleAndChecksAreRead) {
  const auto plain = load(folder_);
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->schedule.cron, "@daily");
  EXPECT_EQ(plain->schedule.where, "");
  EXPECT_TRUE(plain->checks.empty());
  EXPECT_THAT(error_with("generator: generator.yaml", "schedule: {retries: 101, timeout: 5 m, catchup: maybe, crn: x}"),
              AllOf(HasSubstr("'retries' of 'schedule' is '101'; it must be a whole number from 0 to 100"),
                    HasSubstr("'timeout' of 'schedule' is '5 m'; it must be a time such as 90s"),
                    HasSubstr("'catchup' of 'schedule' is 'maybe'"), HasSubstr("did you mean 'cron'?")));
  EXPECT_THAT(error_with("generator: generator.yaml",
                         "checks: {cold: {title: Cold, sql: queries/warmest_station.sql, severity: loud}}"),
              HasSubstr("'severity' of check 'cold' is 'loud'; it must be warn or fail"));
  EXPECT_THAT(error_with("generator: generator.yaml", "schedule: {on_failure: {webhook: ftp://x}}"),
              HasSubstr("'webhook' of 'on_failure' must begin with http:// or https://"));
}

TEST_F(Load, RecordTypesThatShareAStreamAreToldApartByTheirPartitionKey) {
  const std::string other =
      "stream: weather-test-reading\n    partition_key: stations\n    fields: [number, station, name";
  const auto pipeline = load_with("stream: \"weather-{id}-{record}\"\n    fields: [number, station, name", other);
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_EQ(pipeline->records[0].stream, pipeline->records[1].stream);
  EXPECT_EQ(pipeline->records[0].partition_key, "");
  EXPECT_EQ(pipeline->records[1].partition_key, "stations");
}

TEST_F(Load, TheStreamingLegReadsAStreamOrATopic) {
  const auto pipeline = load_with("stream_table: reading_stream", "stream_table: reading_stream\n    from: kafka");
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  EXPECT_TRUE(pipeline->records[0].from_topic);
  EXPECT_FALSE(pipeline->records[1].from_topic);
  EXPECT_THAT(error_with("stream_table: reading_stream", "stream_table: reading_stream\n    from: kinetic", 1),
              HasSubstr("'from' of record 'reading' is 'kinetic'"));
}

TEST(Durations, AreNumbersWithAUnit) {
  int64_t seconds = -1;
  EXPECT_TRUE(parse_duration("90s", seconds));
  EXPECT_EQ(seconds, 90);
  EXPECT_TRUE(parse_duration("2h", seconds));
  EXPECT_EQ(seconds, 7200);
  EXPECT_TRUE(parse_duration("0", seconds));
  EXPECT_EQ(seconds, 0);
  for (const char* wrong : {"", "5", "m", "-1s", "1.5h", "9999999999999999999s", "367d", "1 h", "1w"})
    EXPECT_FALSE(parse_duration(wrong, seconds)) << wrong;
}

TEST_F(Load, AKeyGivenTwiceIsAnError) {
  EXPECT_THAT(error_with("user_id: test", "user_id: test\nuser_id: best", 1),
              HasSubstr("the key 'user_id' is given twice (first in line 3)"));
  EXPECT_THAT(error_with("      remark: string", "      remark: string\n      remark: string", 1),
              HasSubstr("the key 'remark' is given twice"));
  EXPECT_THAT(error_with("  station:\n    source", "  reading:\n    source"),
              HasSubstr("the key 'reading' is given twice"));
}

TEST_F(Load, NamesMustDiffer) {
  EXPECT_THAT(error_with("table: station\n", "table: reading\n"),
              HasSubstr("the table 'reading' is given twice (first in line 15); rename one"));
  EXPECT_THAT(error_with("stream_table: station_stream", "stream_table: Reading"), HasSubstr("the table 'Reading'"));
  EXPECT_THAT(error_with("table: stations\n", "table: readings\n"),
              HasSubstr("the source table 'readings' is given twice"));
  EXPECT_THAT(
      error_with("\"weather.{id}.{record}\"\n    stream: \"weather-{id}-{record}\"\n    fields: [number, station, name",
                 "weather.test.reading\n    stream: weather-test-reading\n    fields: [number, station, name"),
      AllOf(HasSubstr("the topic 'weather.test.reading' is given twice"),
            HasSubstr("the stream 'weather-test-reading' is given twice")));
  EXPECT_THAT(error_with("fields: [number, station, name, height]", "fields: [number, station, name, height, Name]"),
              HasSubstr("the field 'Name' is given twice"));
  EXPECT_THAT(error_with("      height: double", "      Name: double"), HasSubstr("the column 'Name' is given twice"));
  EXPECT_THAT(error_with("table: station\n", "table: dead\n"), HasSubstr("is kept for the dead letters"));
  EXPECT_THAT(error_with("      height: double", "      count_high: double"),
              HasSubstr("has a name that the cleaning keeps"));
  EXPECT_THAT(error_with("      height: double", "      origin: double"),
              HasSubstr("has a name that the cleaning keeps"));
  EXPECT_THAT(error_with("fields: [number, station, name, height]", "fields: [number, station, name, height, origin]"),
              HasSubstr("the field 'origin' of record 'station' has a name that the cleaning keeps"));
}

TEST_F(Load, TypesMustExist) {
  EXPECT_THAT(
      error_with("celsius: double\n", "celsius: float\n"),
      HasSubstr("the column 'celsius' has the type 'float', which does not exist; the types are string, integer, "
                "long, double, boolean, timestamp, array<double>, array<string>"));
  EXPECT_THAT(error_with("height: float", "height: real"),
              HasSubstr("the types are integer, bigint, float, double, text, datetime"));
  EXPECT_THAT(error_with("height: float", "height: [float]"), HasSubstr("must be a text, not a list"));
}

TEST_F(Load, KeysMustBeThere) {
  EXPECT_THAT(error_with("    key: number\n    columns:\n", "    key: nummer\n    columns:\n"),
              HasSubstr("the key 'nummer' of record 'reading' is not among its columns; did you mean 'number'?"));
  EXPECT_THAT(error_with("    key: number\n    columns:\n", "    key: celsius\n    columns:\n"),
              HasSubstr("is a double; it must be string, integer or long"));
  EXPECT_THAT(error_with("      key: number\n", "      key: numbre\n"),
              AllOf(HasSubstr("the source key 'numbre' of record 'reading' is not among its fields"),
                    HasSubstr("is not among the source's columns")));
  EXPECT_THAT(error_with("      key: number\n", "      key: remark\n", 1),
              AllOf(HasSubstr("is a text; it must be integer or bigint"), Not(HasSubstr("among"))));
  EXPECT_THAT(
      error_with("celsius: double, remark: text}", "celsius: double, remarc: text}"),
      HasSubstr("the source column 'remarc' of record 'reading' is not among its fields; did you mean 'remark'?"));
}

TEST_F(Load, FilesMustBeThere) {
  EXPECT_THAT(error_with("clean/reading.sql", "clean/raeding.sql"), HasSubstr("clean/raeding.sql does not exist"));
  EXPECT_THAT(error_with("generator.yaml", "generators.yaml"), HasSubstr("generators.yaml does not exist"));
  EXPECT_THAT(error_with("queries/warmest_station.sql", "/etc/passwd"), HasSubstr("relative"));
  std::ofstream(folder_ / "clean/station.sql") << " \n";
  EXPECT_THAT(error_with("clean/station.sql", "clean/station.sql"), HasSubstr("clean/station.sql is empty"));
}

TEST_F(Load, NamesMustBeValid) {
  EXPECT_THAT(error_with("topic: \"weather.{id}.{record}\"", "topic: \"weather.{user}.x\""),
              HasSubstr("unknown placeholder '{user}' in the pattern 'weather.{user}.x'; known are {id} and {record}"));
  EXPECT_THAT(error_with("topic: \"weather.{id}.{record}\"", "topic: \"weather {record}\""), HasSubstr("the code 32"));
  EXPECT_THAT(error_with("topic: \"weather.{id}.{record}\"", "topic: \"weather.{id\""), HasSubstr("without its '}'"));
  EXPECT_THAT(error_with("stream: \"weather-{id}-{record}\"", "stream: \"weather:{record}\""),
              HasSubstr("character ':'"));
  EXPECT_THAT(error_with("table: reading\n", "table: ../reading\n"), HasSubstr("character '.'"));
  EXPECT_THAT(error_with("id: weather", "id: The Weather"), HasSubstr("is no plain word"));
  EXPECT_THAT(error_with("topic: \"{id}_{record}\"", "topic: \"{name}\""), HasSubstr("unknown placeholder '{name}'"));
}

TEST_F(Load, ValuesMustBeOfTheRightKind) {
  EXPECT_THAT(error_with("fields: [number, station, name, height]", "fields: number"),
              HasSubstr("'fields' of record 'station' must be a list, not a text"));
  EXPECT_THAT(error_with("title: The station with the warmest reading", "title: [a, b]"),
              HasSubstr("must be a text, not a list"));
  EXPECT_THAT(error_with("table: reading\n", "table:\n"), HasSubstr("must be a text, not empty"));
  EXPECT_THAT(error_with("settings:", "repeats: {batch: dropp}\nsettings:"), HasSubstr("it must be drop or keep"));
  EXPECT_THAT(error_with("settings:", "repeats: {stream_rows: -1}\nsettings:"), HasSubstr("a whole number above 0"));
  EXPECT_THAT(error_with("  gateway.listen: 127", "  gateway.listen: [1]\n  x: 127"),
              HasSubstr("the setting 'gateway.listen'"));
}

TEST_F(Load, TheSettingsAreAKnownFew) {
  EXPECT_THAT(error_with("  gateway.listen: 127.0.0.1:0", "  gatewy.listen: 127.0.0.1:0"),
              HasSubstr("unknown setting 'gatewy.listen'; did you mean 'gateway.listen'?"));
  EXPECT_THAT(error_with("  gateway.listen: 127.0.0.1:0", "  lake: here\n  colour: red", 1),
              HasSubstr("unknown setting 'colour'; known are gateway.listen, "));
  // Also in a profile that is not asked for.
  EXPECT_THAT(error_with("lake: \"s3://weather\"", "lakes: \"s3://weather\""), HasSubstr("did you mean 'lake'?"));

  const auto all = load_with(
      "  gateway.listen: 127.0.0.1:0",
      "  gateway.listen: 127.0.0.1:0\n  broker.listen: localhost:65535\n"
      "  kinesis.listen: \"::1:4567\"\n  web.listen: 0.0.0.0:80\n  lake: somewhere\n"
      "  source: sqlite:///posts.db\n  bootstrap.server: broker:9092\n"
      "  kinesis.endpoint: http://127.0.0.1:4567\n  engine: duckdb\n"
      "  command.config: aws/client.properties\n  kinesis.region: eu-west-1\n"
      "  s3.endpoint: http://127.0.0.1:9000\n  s3.region: eu-west-1\n  s3.path_style: \"true\"\n"
      "  aws.profile: me\n  engine.token: file:token\n  engine.ca: ca.pem\n  engine.paths: {a/: b/, a/long/: c/}");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->settings.size(), 17u);
  EXPECT_THAT(all->engine_paths, ElementsAre(Pair("a/long/", "c/"), Pair("a/", "b/")));
  const auto elsewhere = load(folder_, "local", {"lake"});
  ASSERT_TRUE(elsewhere) << elsewhere.error().message;
  EXPECT_EQ(elsewhere->engine_paths, all->engine_paths);  // they fit any lake below
  const std::string page = read(root / "docs/pipeline.md");
  EXPECT_THAT(page, HasSubstr("| `engine.paths` |"));
  for (const auto& [name, value] : all->settings) EXPECT_THAT(page, HasSubstr(fmt::format("| `{}` |", name)));
}

TEST_F(Load, WhatIsToBeFilledInIsAnErrorOfTheProfileThatIsAskedFor) {
  const std::string from = "lake: \"s3://weather\"";
  const std::string to =
      "lake: \"s3://<BUCKET>/x\", bootstrap.server: \"${PINFLOW_TEST_BROKERS}\", "
      "engine.paths: {\"s3://<BUCKET>/\": \"/mnt\"}";
  ASSERT_TRUE(load_with(from, to));
  const auto wrong = load_with(from, to, "cloud");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message,
              AllOf(HasSubstr("the setting 'lake' still holds the placeholder <BUCKET>; put your own value"),
                    HasSubstr("'engine.paths' still holds"), HasSubstr("PINFLOW_TEST_BROKERS is not set")));
  // The command line's own values do not need the file's.
  const auto given = load(folder_, "cloud", {"lake", "bootstrap.server"});
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_FALSE(given->settings.contains("lake"));
  EXPECT_TRUE(given->engine_paths.empty());
  ASSERT_EQ(::setenv("PINFLOW_TEST_BROKERS", "b-1:9098", 1), 0);
  const auto filled = load(folder_, "cloud", {"lake"});
  ASSERT_TRUE(filled) << filled.error().message;
  EXPECT_EQ(filled->settings.at("bootstrap.server"), "b-1:9098");
  ::unsetenv("PINFLOW_TEST_BROKERS");
  EXPECT_THAT(error_with(from, "engine.paths: [a]"), HasSubstr("must be a map of paths"));
  EXPECT_THAT(error_with(from, "engine.paths: {a: [b]}"), HasSubstr("needs the engine's path as a text"));
}

TEST_F(Load, AnAddressToListenOnIsAHostAndAPort) {
  for (const char* wrong : {"8082", ":8082", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536",
                            "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:80 80", "my host:80", "http://127.0.0.1:80"}) {
    EXPECT_THAT(error_with("gateway.listen: 127.0.0.1:0", fmt::format("web.listen: \"{}\"", wrong)),
                HasSubstr(fmt::format("the setting 'web.listen' is '{}'; it must be HOST:PORT", wrong)));
  }
  EXPECT_THAT(error_with("gateway.listen: \"0.0.0.0:80\"", "broker.listen: \"\""), HasSubstr("it must be HOST:PORT"));
}

TEST_F(Load, SeveralMistakesAreShownAtOnceInTheirOrder) {
  text_.replace(text_.find("celsius: double\n"), 16, "celsius: dubble\n");
  const std::string message = error_with("id: weather", "ident: weather");
  EXPECT_LT(message.find("unknown key 'ident'"), message.find("'dubble'"));
}

TEST(Yaml, SaysWhereItIsNotYaml) {
  const auto parsed = parse_yaml("a: 1\nb: [1, 2\nc: 3\n", "x.yaml");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, ::testing::MatchesRegex("x.yaml:[0-9]+: not YAML: .*"));
  EXPECT_FALSE(parse_yaml("a: 1\n---\nb: 2\n", "x.yaml"));
  EXPECT_FALSE(parse_yaml("a: \xff", "x.yaml"));
  EXPECT_FALSE(parse_yaml(std::string(1000, '['), "x.yaml"));
  EXPECT_FALSE(parse_yaml("[a]: b", "x.yaml"));
}

TEST(Yaml, AliasesCopyTheirValueWithinTheLimit) {
  const auto parsed = parse_yaml("a: &x [1, two]\nb: *x\n", "x.yaml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->find("b")->items.at(1).text, "two");
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) bomb += fmt::format("a{}: &a{} [*a{}, *a{}]\n", i, i, i - 1, i - 1);
  const auto refused = parse_yaml(bomb, "x.yaml");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("too many values"));
}

TEST(Yaml, KnowsTextFromNull) {
  const auto parsed = parse_yaml("a: ~\nb: '~'\nc:\nd: null\n", "x.yaml");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->find("a")->kind, YamlNode::Kind::null);
  EXPECT_EQ(parsed->find("b")->text, "~");
  EXPECT_TRUE(parsed->find("b")->is_scalar());
  EXPECT_EQ(parsed->find("c")->kind, YamlNode::Kind::null);
  EXPECT_EQ(parsed->find("d")->line, 4);
  EXPECT_EQ(parse_yaml("", "x.yaml")->kind, YamlNode::Kind::null);
}

}  // namespace
}  // namespace pinflow::pipeline
