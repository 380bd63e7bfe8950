#include "sink/connector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kCourse = R"(connector.class=io.confluent.connect.s3.S3SinkConnector
s3.region=us-east-1
flush.size=1
schema.compatibility=NONE
tasks.max=3
topics.regex=0a1b2c.*
format.class=io.confluent.connect.s3.format.json.JsonFormat
partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
value.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
storage.class=io.confluent.connect.s3.storage.S3Storage
key.converter=org.apache.kafka.connect.storage.StringConverter
s3.bucket.name=user-0a1b2c-bucket
)";

Result<Connector> read(std::string_view text) {
  auto properties = Properties::parse(text, "etc/my-sink.properties");
  EXPECT_TRUE(properties) << properties.error().message;
  return read_connector(*properties);
}

Connector good(std::string_view text) {
  auto connector = read(text);
  EXPECT_TRUE(connector) << connector.error().message;
  return connector.value_or(Connector{});
}

std::string refused(std::string_view line) {
  auto connector = read("topics=a\n" + std::string(line) + "\n");
  return connector ? "accepted" : connector.error().message;
}

TEST(Connector, TakesTheCoursesFileWithAFolder) {
  const Connector connector = good(std::string(kCourse) + "store.url=file:///data/lake\n");
  EXPECT_EQ(connector.options.name, "my-sink");
  EXPECT_EQ(connector.options.topics_regex, "0a1b2c.*");
  EXPECT_EQ(connector.options.rotation.flush_size, 1);
  EXPECT_EQ(connector.folder, "/data/lake");
  EXPECT_EQ(connector.options.tasks, 3);
  EXPECT_TRUE(connector.options.shape.is_plain());
  EXPECT_THAT(connector.remarks, Contains(HasSubstr("my-sink.properties:4: schema.compatibility is ignored")));
}

TEST(Connector, TakesTheCoursesFileAsItIs) {
  const Connector connector = good(kCourse);
  ASSERT_TRUE(connector.s3);
  EXPECT_EQ(connector.s3->bucket, "user-0a1b2c-bucket");
  EXPECT_EQ(connector.s3->region, "us-east-1");
  EXPECT_EQ(connector.s3->endpoint, "");
  EXPECT_TRUE(connector.s3->path_style);
  EXPECT_TRUE(connector.folder.empty());
  EXPECT_FALSE(connector.keys);
}

TEST(Connector, AnS3StoreWithAllThatItMayHave) {
  const Connector connector = good(
      "topics=a\ns3.bucket.name=some-bucket\nstore.url=http://127.0.0.1:9000\ns3.path.style.access.enabled=false\n"
      "s3.part.size=33554432\ns3.part.retries=5\ns3.retry.backoff.ms=50\ns3.ssea.name=aws:kms\ns3.sse.kms.key.id=k\n"
      "s3.acl.canned=bucket-owner-full-control\ns3.object.tagging=true\n"
      "s3.object.tagging.key.value.pairs=team:posts, stage:test\naws.access.key.id=AKID\naws.secret.access.key=sec\n");
  ASSERT_TRUE(connector.s3);
  const object::S3Options& s3 = *connector.s3;
  EXPECT_EQ(s3.endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(s3.region, "us-west-2");
  EXPECT_FALSE(s3.path_style);
  EXPECT_EQ(s3.part_bytes, 32 << 20);
  EXPECT_EQ(s3.parallel, 2);
  EXPECT_EQ(s3.attempts, 6);
  EXPECT_EQ(s3.backoff, 50ms);
  EXPECT_EQ(s3.server_side_encryption, "aws:kms");
  EXPECT_EQ(s3.kms_key_id, "k");
  EXPECT_EQ(s3.canned_acl, "bucket-owner-full-control");
  EXPECT_EQ(s3.tags.at("stage"), "test");
  EXPECT_EQ(connector.keys->access_key_id, "AKID");
  EXPECT_THAT(refused("aws.access.key.id=AKID\ns3.bucket.name=some-bucket"), HasSubstr("stands without aws.secret"));
  EXPECT_THAT(refused("s3.sse.customer.key=short\ns3.bucket.name=some-bucket"),
              AllOf(HasSubstr("must be 32 bytes in base64"), Not(HasSubstr("short"))));
}

TEST(Connector, ConvertersFormatsAndPartitioners) {
  using namespace connect;
  const auto shape = [](const std::string& lines) { return good("topics=a\n" + lines).options.shape; };
  EXPECT_EQ(shape("value.converter=org.apache.kafka.connect.json.JsonConverter\n").value, Converter::json_schema);
  EXPECT_EQ(shape("value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n")
                .value,
            Converter::json);
  EXPECT_EQ(shape("value.converter=org.apache.kafka.connect.storage.StringConverter\n").value, Converter::string);
  EXPECT_EQ(shape("key.converter=org.apache.kafka.connect.converters.ByteArrayConverter\n").key, Converter::bytes);
  EXPECT_EQ(
      shape("format.class=io.confluent.connect.s3.format.parquet.ParquetFormat\nparquet.codec=zstd\n").parquet_codec,
      "zstd");
  EXPECT_EQ(shape("s3.compression.type=gzip\ns3.compression.level=9\n").compression_level, 9);
  const Settings keys = shape(
      "store.kafka.keys=true\nkeys.format.class=io.confluent.connect.s3.format.bytearray.ByteArrayFormat\n"
      "store.kafka.headers=true\nheaders.format.class=io.confluent.connect.s3.format.json.JsonFormat\n"
      "behavior.on.null.values=write\ntombstone.encoded.partition=gone\n");
  EXPECT_EQ(keys.keys, Format::bytes);
  EXPECT_TRUE(keys.headers);
  EXPECT_EQ(keys.null_values, NullValues::write);
  EXPECT_EQ(keys.tombstone_folder, "gone");
  const Settings fields = shape(
      "partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner\npartition.field.name=country, "
      "age\n");
  EXPECT_THAT(fields.partitioning.fields, ElementsAre("country", "age"));
  const Settings time = shape(
      "partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\n"
      "path.format='year'=YYYY\npartition.duration.ms=60000\ntimezone=Europe/Paris\nlocale=en-US\n"
      "timestamp.extractor=RecordField\ntimestamp.field=date_joined\n");
  EXPECT_EQ(time.partitioning.by, PartitionBy::time);
  EXPECT_EQ(time.partitioning.path_format, "'year'=YYYY");
  EXPECT_EQ(time.partitioning.duration_ms, 60'000);
  EXPECT_EQ(time.partitioning.time_zone, "Europe/Paris");
  EXPECT_EQ(time.partitioning.time_from, TimeFrom::field);
  EXPECT_EQ(time.partitioning.time_field, "date_joined");
  const Settings hourly = shape("partitioner.class=io.confluent.connect.storage.partitioner.HourlyPartitioner\n");
  EXPECT_EQ(hourly.partitioning.path_format, "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH");
  EXPECT_EQ(hourly.partitioning.duration_ms, 3'600'000);
}

TEST(Connector, ErrorsAndDeadLetters) {
  const SinkOptions options = good(
                                  "topics=a\nerrors.tolerance=none\nerrors.deadletterqueue.topic.name=dlq\n"
                                  "errors.deadletterqueue.context.headers.enable=false\n")
                                  .options;
  EXPECT_TRUE(options.stop_at_bad_record);
  EXPECT_EQ(options.dead_letter_topic, "dlq");
  EXPECT_FALSE(options.dead_letter_headers);
  EXPECT_FALSE(good("topics=a\nerrors.tolerance=all\n").options.stop_at_bad_record);
}

TEST(Connector, DeadLettersAsConnectHasThem) {
  const SinkOptions options = good(
                                  "topics=a\nerrors.deadletterqueue.topic.name=dlq\n"
                                  "errors.deadletterqueue.topic.replication.factor=1\nerrors.log.enable=true\n"
                                  "errors.log.include.messages=true\n")
                                  .options;
  EXPECT_EQ(options.dead_letter_replicas, 1);
  EXPECT_TRUE(options.log_bad_records);
  EXPECT_EQ(good("topics=a\n").options.dead_letter_replicas, -1);
  EXPECT_FALSE(good("topics=a\n").options.log_bad_records);
  EXPECT_THAT(refused("errors.deadletterqueue.topic.replication.factor=0"), HasSubstr("must be a whole number from 1"));
  EXPECT_THAT(refused("errors.log.enable=yes"), HasSubstr("must be true or false"));
}

TEST(Connector, IgnoredNullsAreToldToTheDeadLettersTopic) {
  using connect::NullValues;
  const auto nulls = [](const std::string& lines) {
    return good("topics=a\nbehavior.on.null.values=ignore\n" + lines).options.shape.null_values;
  };
  EXPECT_EQ(nulls(""), NullValues::ignore);
  EXPECT_EQ(nulls("errors.deadletterqueue.topic.name=dlq\n"), NullValues::fail);
  EXPECT_EQ(nulls("errors.deadletterqueue.topic.name=dlq\nreport.null.values.to.dlq=false\n"), NullValues::ignore);
  EXPECT_THAT(good("topics=a\nreport.null.values.to.dlq=true\n").remarks,
              ElementsAre(HasSubstr("report.null.values.to.dlq is ignored: behavior.on.null.values is not ignore")));
}

TEST(Connector, RotationByTheClock) {
  EXPECT_THAT(refused("rotate.schedule.interval.ms=60000"), HasSubstr("needs a timezone beside it"));
  const Rotation daily =
      good("topics=a\nrotate.schedule.interval.ms=86400000\ntimezone=Europe/Paris\n").options.rotation;
  EXPECT_EQ(daily.schedule_interval, 24h);
  EXPECT_EQ(daily.start_of_day(1'598'586'767'000), 1'598'565'600'000);  // 2020-08-28T00:00 in Paris
  EXPECT_EQ(daily.max_idle, 24h);
  EXPECT_EQ(good("topics=a\nflush.bytes=1000\n").options.rotation.max_bytes, 1000);
}

TEST(Connector, HasTheConnectorsDefaults) {
  const Connector connector = good("topics = a, b ,a,\nname=posts\n");
  EXPECT_THAT(connector.options.topics, ElementsAre("a", "b"));
  EXPECT_EQ(connector.options.name, "posts");
  EXPECT_EQ(connector.options.rotation.flush_size, 10'000);
  EXPECT_EQ(connector.options.layout.topics_dir, "topics");
  EXPECT_EQ(connector.options.layout.pad, 10);
  EXPECT_TRUE(connector.folder.empty());
  EXPECT_FALSE(connector.s3);
  EXPECT_THAT(connector.remarks, IsEmpty());
}

TEST(Connector, HonoursWhatItCan) {
  const Connector connector = good(
      "topics=a\ntopics.dir=raw/topics/\nfile.delim=_\ndirectory.delim=-\nfilename.offset.zero.pad.width=4\n"
      "rotate.schedule.interval.ms=3000\ntimezone=UTC\nrotate.interval.ms=-1\nflush.idle.ms=500\nbuffer.memory.bytes="
      "8388608\n"
      "writer.threads=2\non.lost.offsets=continue\nstore.url=file:///a%20b\n");
  EXPECT_EQ(connector.options.layout.topics_dir, "raw/topics");
  EXPECT_EQ(connector.options.layout.file_delim, "_");
  EXPECT_EQ(connector.options.layout.directory_delim, "-");
  EXPECT_EQ(connector.options.layout.pad, 4);
  EXPECT_EQ(connector.options.rotation.max_age, 3000ms);
  EXPECT_EQ(connector.options.rotation.max_idle, 500ms);
  EXPECT_EQ(connector.options.memory_bytes, 8 << 20);
  EXPECT_EQ(connector.options.writers, 2);
  EXPECT_TRUE(connector.options.accept_lost);
  EXPECT_EQ(connector.folder, "/a b");
  EXPECT_TRUE(good("topics=a\ntopics.dir=\n").options.layout.topics_dir.empty());
  const Rotation slow =
      good("topics=a\nrotate.interval.ms=600000\nrotate.schedule.interval.ms=900000\ntimezone=UTC\n").options.rotation;
  EXPECT_EQ(slow.record_interval, 600s);
  EXPECT_EQ(slow.max_age, 900s);
  EXPECT_EQ(slow.max_idle, 900s);
}

TEST(Connector, RefusesWhatWouldChangeTheLake) {
  for (const char* line :
       {"connector.class=io.confluent.connect.hdfs.HdfsSinkConnector",
        "format.class=io.confluent.connect.s3.format.avro.AvroFormat", "format.class=com.example.CsvFormat",
        "partitioner.class=com.example.MyPartitioner", "value.converter=io.confluent.connect.avro.AvroConverter",
        "storage.class=com.example.Storage",
        "timestamp.extractor=com.example.Mine\npartitioner.class=HourlyPartitioner", "transforms=Flatten",
        "s3.schema.partition.affix.type=SUFFIX", "s3.credentials.provider.class=com.example.Mine"})
    EXPECT_THAT(refused(line),
                HasSubstr("my-sink.properties:2: " + std::string(line).substr(0, std::string(line).find('='))));
}

TEST(Connector, RefusesMalformedValues) {
  for (const char* line :
       {"flush.size=0", "flush.size=many", "flush.size=1.5", "tasks.max=0", "rotate.interval.ms=x",
        "filename.offset.zero.pad.width=20", "topics.regex=b.*", "topics.dir=../up", "topics.dir=dead",
        "topics.dir=state/x", "file.delim=/", "directory.delim=", "store.url=file://relative", "store.url=file:///a%zz",
        "on.lost.offsets=perhaps", "flush.idle.ms=0", "writer.threads=1000"})
    EXPECT_THAT(refused(line), AllOf(HasSubstr("my-sink.properties:2: "), HasSubstr("must be"))) << line;
  EXPECT_THAT(read("flush.size=1\n").error().message, HasSubstr("topics or topics.regex is missing"));
  EXPECT_FALSE(read("topics=,\n"));
}

TEST(Connector, NamesWhatItIgnores) {
  const Connector connector = good(
      "topics=a\nnever.heard.of=1\ns3.part.size=5242880\nerrors.retry.timeout=0\ntimezone=UTC\nformat.class=\n"
      "behavior.on.null.values=fail\ns3.compression.type=none\ntransforms=\nerrors.deadletterqueue.topic.name=\n");
  EXPECT_THAT(
      connector.remarks,
      ElementsAre("etc/my-sink.properties:2: never.heard.of is ignored: it has no meaning here",
                  HasSubstr("errors.retry.timeout"), HasSubstr("s3.part.size is ignored: there is no s3.bucket")));
}

}  // namespace
}  // namespace pinflow::sink
