#include "spark/arrow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/bytes.h"
#include "spark/arrow_golden_test.h"

namespace pinflow::spark {
namespace {

using sql::List;
using sql::Members;
using sql::Timestamp;
using sql::Value;
using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string bytes_of(const char* base64) {
  std::string bytes;
  EXPECT_TRUE(base64_decode(base64, bytes));
  return bytes;
}

sql::Table read(const char* base64) {
  sql::Table table;
  const auto done = append_arrow(table, bytes_of(base64));
  EXPECT_TRUE(done) << done.error().message;
  return table;
}

Error refused(const char* base64) {
  sql::Table table;
  const auto done = append_arrow(table, bytes_of(base64));
  EXPECT_FALSE(done);
  return done ? Error{} : done.error();
}

Value text(const char* what) { return Value{std::string(what)}; }
Value whole(int64_t n) { return Value{n}; }

TEST(Arrow, EveryTypeAndItsNull) {
  const sql::Table table = read(golden::kAllTypes);
  const std::vector<std::string> types = {"BOOLEAN",
                                          "TINYINT",
                                          "SMALLINT",
                                          "INTEGER",
                                          "BIGINT",
                                          "FLOAT",
                                          "DOUBLE",
                                          "DECIMAL(10,2)",
                                          "DECIMAL(38,8)",
                                          "VARCHAR",
                                          "BLOB",
                                          "DATE",
                                          "TIMESTAMP WITH TIME ZONE",
                                          "TIMESTAMP",
                                          "DOUBLE[]",
                                          "MAP(VARCHAR, INTEGER)",
                                          "STRUCT(x BIGINT, y VARCHAR)",
                                          "\"NULL\""};
  ASSERT_EQ(table.columns.size(), types.size());
  for (size_t i = 0; i < types.size(); ++i) EXPECT_EQ(table.columns[i].type, types[i]) << table.columns[i].name;
  ASSERT_EQ(table.rows.size(), 3u);
  const std::vector<Value> first = {Value{true},
                                    whole(-128),
                                    whole(-32768),
                                    whole(-2147483648LL),
                                    whole(INT64_MIN),
                                    Value{0.5},
                                    Value{0.1},
                                    Value{1234.56},
                                    Value{123456789012345678901234567890.12345678},
                                    text("é"),
                                    Value{std::string("\0\xff", 2)},
                                    text("2020-08-28"),
                                    Value{Timestamp{1598586767250000}},
                                    Value{Timestamp{1598586767000000}},
                                    Value{List{Value{1.5}, Value{}}},
                                    Value{Members{{"a", whole(1)}, {"b", Value{}}}},
                                    Value{Members{{"x", whole(1)}, {"y", text("z")}}},
                                    Value{}};
  const std::vector<Value> third = {Value{false},
                                    whole(127),
                                    whole(32767),
                                    whole(2147483647),
                                    whole(INT64_MAX),
                                    Value{kInfinity},
                                    Value{-kInfinity},
                                    Value{-0.01},
                                    Value{-1.0},
                                    text(""),
                                    text(""),
                                    text("0001-01-01"),
                                    Value{Timestamp{-1}},
                                    Value{Timestamp{0}},
                                    Value{List{}},
                                    Value{Members{}},
                                    Value{Members{{"x", Value{}}, {"y", Value{}}}},
                                    Value{}};
  for (size_t i = 0; i < types.size(); ++i) {
    EXPECT_EQ(table.rows[0][i], first[i]) << table.columns[i].name;
    EXPECT_TRUE(table.rows[1][i].null()) << table.columns[i].name;
    EXPECT_EQ(table.rows[2][i], third[i]) << table.columns[i].name;
  }
}

TEST(Arrow, SeveralBatchesAndStreams) {
  sql::Table table = read(golden::kTwoBatches);
  ASSERT_EQ(table.rows.size(), 5u);
  EXPECT_EQ(table.rows[4], (std::vector<Value>{whole(5), text("e")}));
  EXPECT_TRUE(table.rows[2][1].null());
  ASSERT_TRUE(append_arrow(table, bytes_of(golden::kTwoBatches)));
  EXPECT_EQ(table.rows.size(), 10u);
  EXPECT_EQ(table.columns.size(), 2u);
  const auto other = append_arrow(table, bytes_of(golden::kLarge));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::corrupt);
}

TEST(Arrow, NoRows) {
  for (const char* stream : {golden::kNoRows, golden::kEmptyBatch}) {
    const sql::Table table = read(stream);
    EXPECT_EQ(table.columns.size(), 2u);
    EXPECT_TRUE(table.rows.empty());
  }
}

TEST(Arrow, LongOffsets) {
  const sql::Table table = read(golden::kLarge);
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[1], (std::vector<Value>{text("yy"), text(""), Value{List{}}}));
  EXPECT_TRUE(table.rows[2][0].null() && table.rows[2][1].null() && table.rows[2][2].null());
  EXPECT_EQ(table.rows[0][2], Value{List{whole(1)}});
}

TEST(Arrow, WhatATableCannotHoldIsRefusedByName) {
  EXPECT_EQ(refused(golden::kDictionary).code, Code::unsupported);
  EXPECT_THAT(refused(golden::kCompressed).message, HasSubstr("compression.codec"));
  EXPECT_THAT(refused(golden::kUnsigned).message, HasSubstr("column u"));
  EXPECT_THAT(refused(golden::kSeconds).message, HasSubstr("microseconds"));
  EXPECT_THAT(refused(golden::kDuration).message, HasSubstr("interval"));
  EXPECT_THAT(refused(golden::kVariant).message, HasSubstr("variant"));
}

TEST(Arrow, CutShortItIsAnErrorOrFewerRows) {
  const std::string whole_stream = bytes_of(golden::kAllTypes);
  for (size_t size = 0; size < whole_stream.size(); ++size) {
    sql::Table table;
    // Bytes of their own, so that a sanitizer sees what is read behind them.
    const std::vector<char> bytes(whole_stream.begin(), whole_stream.begin() + size);
    const auto done = append_arrow(table, {bytes.data(), bytes.size()});
    if (done) {
      EXPECT_TRUE(table.rows.empty() || size > whole_stream.size() - 16) << size;
    } else {
      EXPECT_EQ(done.error().code, Code::corrupt) << size;
    }
  }
}

TEST(Arrow, NoByteOfAServerIsBelieved) {
  const std::string good = bytes_of(golden::kAllTypes);
  for (size_t at = 0; at < good.size(); ++at) {
    for (const unsigned char flip : {0x01, 0x80, 0xff}) {
      std::vector<char> bytes(good.begin(), good.end());
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      sql::Table table;
      const auto done = append_arrow(table, {bytes.data(), bytes.size()});
      if (done) {
        EXPECT_LE(table.rows.size(), 3u + good.size());
      }
    }
  }
}

}  // namespace
}  // namespace pinflow::spark
