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
  EXPECT_EQ(connector.store, "/data/lake");
  EXPECT_THAT(connector.remarks, Contains(HasSubstr("tasks.max=3")));
  EXPECT_THAT(connector.remarks, Contains(HasSubstr("my-sink.properties:12: key.converter is ignored")));
}

TEST(Connector, WithoutAFolderS3IsNotThereYet) {
  auto connector = read(kCourse);
  ASSERT_FALSE(connector);
  EXPECT_EQ(connector.error().code, Code::unsupported);
  EXPECT_THAT(connector.error().message, AllOf(HasSubstr("my-sink.properties:13: s3.bucket.name"),
                                               HasSubstr("not supported yet; use store.url=file:///DIR")));
  EXPECT_THAT(refused("store.url=http://127.0.0.1:9000"), HasSubstr("use store.url=file:///DIR"));
}

TEST(Connector, HasTheConnectorsDefaults) {
  const Connector connector = good("topics = a, b ,a,\nname=posts\n");
  EXPECT_THAT(connector.options.topics, ElementsAre("a", "b"));
  EXPECT_EQ(connector.options.name, "posts");
  EXPECT_EQ(connector.options.rotation.flush_size, 10'000);
  EXPECT_EQ(connector.options.layout.topics_dir, "topics");
  EXPECT_EQ(connector.options.layout.pad, 10);
  EXPECT_TRUE(connector.store.empty());
  EXPECT_THAT(connector.remarks, IsEmpty());
}

TEST(Connector, HonoursWhatItCan) {
  const Connector connector = good(
      "topics=a\ntopics.dir=raw/topics/\nfile.delim=_\ndirectory.delim=-\nfilename.offset.zero.pad.width=4\n"
      "rotate.schedule.interval.ms=3000\nrotate.interval.ms=-1\nflush.idle.ms=500\nbuffer.memory.bytes=8388608\n"
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
  EXPECT_EQ(connector.store, "/a b");
  EXPECT_TRUE(good("topics=a\ntopics.dir=\n").options.layout.topics_dir.empty());
  const Rotation slow =
      good("topics=a\nrotate.interval.ms=600000\nrotate.schedule.interval.ms=900000\n").options.rotation;
  EXPECT_EQ(slow.max_age, 600s);
  EXPECT_EQ(slow.max_idle, 600s);
}

TEST(Connector, RefusesWhatWouldChangeTheLake) {
  for (const char* line :
       {"connector.class=io.confluent.connect.hdfs.HdfsSinkConnector",
        "format.class=io.confluent.connect.s3.format.avro.AvroFormat",
        "partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner",
        "value.converter=org.apache.kafka.connect.storage.StringConverter", "value.converter.schemas.enable=true",
        "value.converter=org.apache.kafka.connect.json.JsonConverter", "behavior.on.null.values=ignore",
        "behavior.on.null.values=write", "s3.compression.type=gzip", "store.kafka.keys=true",
        "store.kafka.headers=true", "errors.deadletterqueue.topic.name=dlq", "transforms=Flatten",
        "s3.ssea.name=AES256", "s3.schema.partition.affix.type=SUFFIX"})
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
      "topics=a\nnever.heard.of=1\ns3.part.size=5242880\nerrors.tolerance=none\ntimezone=UTC\nformat.class=\n"
      "behavior.on.null.values=fail\ns3.compression.type=none\ntransforms=\nerrors.deadletterqueue.topic.name=\n");
  EXPECT_THAT(connector.remarks,
              ElementsAre("etc/my-sink.properties:2: never.heard.of is ignored: it has no meaning here",
                          HasSubstr("s3.part.size"), HasSubstr("errors.tolerance"), HasSubstr("timezone")));
}

}  // namespace
}  // namespace pinflow::sink
