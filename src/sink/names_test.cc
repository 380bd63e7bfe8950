#include "sink/names.h"

#include <gtest/gtest.h>

namespace pinflow::sink {
namespace {

TEST(Names, AreTheConnectors) {
  const Names data({}, Kind::data, "local.pin", 0);
  EXPECT_EQ(data.prefix(), "topics/local.pin/partition=0/local.pin+0+");
  EXPECT_EQ(data.name(0), "topics/local.pin/partition=0/local.pin+0+0000000000.json");
  EXPECT_EQ(data.name(1234567890123), "topics/local.pin/partition=0/local.pin+0+1234567890123.json");
  const Names dead({}, Kind::dead, "local.pin", 12);
  EXPECT_EQ(dead.name(17), "dead/local.pin/partition=12/local.pin+12+0000000017.json");
  EXPECT_EQ(marker_name("local.pin"), "state/topics/local.pin.json");
}

TEST(Names, FollowTheProperties) {
  const Layout layout{.topics_dir = "raw/t", .directory_delim = "/", .file_delim = "-", .pad = 3};
  EXPECT_EQ(Names(layout, Kind::data, "a", 1).name(5), "raw/t/a/partition=1/a-1-005.json");
  EXPECT_EQ(Names({.topics_dir = ""}, Kind::data, "a", 1).name(5), "a/partition=1/a+1+0000000005.json");
  EXPECT_EQ(Names({.directory_delim = "_"}, Kind::data, "a", 1).name(5), "topics_a_partition=1_a+1+0000000005.json");
  EXPECT_EQ(Names({.pad = 0}, Kind::data, "a", 1).name(5), "topics/a/partition=1/a+1+5.json");
}

TEST(Names, AreReadBack) {
  const Names names({}, Kind::data, "a+0", 3);
  for (const int64_t offset : {int64_t{0}, int64_t{7}, int64_t{9'999'999'999}, int64_t{10'000'000'000}, INT64_MAX})
    EXPECT_EQ(names.first_offset(names.name(offset)), offset);
  const std::string prefix = names.prefix();
  for (const std::string& name :
       {prefix + ".json", prefix + "0000000007.avro", prefix + "7.json", prefix + "00000000007.json",
        prefix + "000000000x.json", prefix + "-000000001.json", prefix + "99999999999999999999.json",
        std::string("topics/a/partition=3/a+3+0000000007.json"), prefix, std::string()})
    EXPECT_EQ(names.first_offset(name), std::nullopt) << name;
}

}  // namespace
}  // namespace pinflow::sink
