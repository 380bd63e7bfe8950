// The posts' cleanings and queries (pipelines/pinterest) by the rules of docs/batch.md.
#include <gtest/gtest.h>

#include "lake/test_support.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using namespace std::string_literals;

class PostsTest : public ::testing::Test {
 protected:
  std::string rows(const std::string& sql) { return lake::rows(pipeline_, store_, sql); }
  void pins(const std::vector<std::string>& lines) { put_object(store_, "local.pin", 0, lines); }
  void geos(const std::vector<std::string>& lines) { put_object(store_, "local.geo", 0, lines); }
  void users(const std::vector<std::string>& lines) { put_object(store_, "local.user", 0, lines); }
  std::string reasons() { return rows("SELECT \"table\", \"offset\", reason FROM dead ORDER BY ALL"); }

  object::MemoryStore store_;
  const pipeline::Pipeline pipeline_ = posts();
};

TEST_F(PostsTest, Post7528) {
  pins({R"({"index":7528,"unique_id":"fbe53c66-3442-4773-b19e-d3ec6f54dddf","title":"No Title Data Available",)"
        R"("description":"No description available Story format","poster_name":"User Info Error",)"
        R"("follower_count":"User Info Error","tag_list":"N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e",)"
        R"x("is_image_or_video":"multi-video(story page format)","image_src":"Image src error.","downloaded":0,)x"
        R"("save_location":"Local save in /data/mens-fashion","category":"mens-fashion"})"});
  geos(
      {R"({"ind":7528,"timestamp":"2020-08-28 03:52:47","latitude":-89.9787,"longitude":-173.293,"country":"Albania"})"});
  users({R"({"ind":7528,"first_name":"Abigail","last_name":"Ali","age":20,"date_joined":"2015-10-24 11:23:51"})"});
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT * FROM pin"),
            "7528|fbe53c66-3442-4773-b19e-d3ec6f54dddf|NULL|NULL|NULL|NULL|NULL|multi-video(story page format)|NULL|"
            "/data/mens-fashion|mens-fashion\n");
  EXPECT_EQ(rows("SELECT * FROM geo"), "7528|Albania|[-89.9787, -173.293]|2020-08-28 03:52:47\n");
  EXPECT_EQ(rows("SELECT * FROM user"), "7528|Abigail Ali|20|2015-10-24 11:23:51\n");
  EXPECT_EQ(counts(report, "pin", true), "pin raw=1 clean=1 duplicates=0 dead=0 0->1");
}

TEST_F(PostsTest, FollowerCounts) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"\"0\"", "0"},
                                                                  {"\"940\"", "940"},
                                                                  {"\"9k\"", "9000"},
                                                                  {"\"15M\"", "15000000"},
                                                                  {"\"1.5k\"", "1500"},
                                                                  {"\"3B\"", "3000000000"},
                                                                  {"\"2K\"", "2000"},
                                                                  {"\"4m\"", "4000000"},
                                                                  {"\"5b\"", "5000000000"},
                                                                  {"1200", "1200"},
                                                                  {"\"1234567890123\"", "1234567890123"},
                                                                  {"\"1.2345k\"", "1235"},
                                                                  {"\"1.0005k\"", "1001"},
                                                                  {"\"0.0004k\"", "0"},
                                                                  {"\"2.5\"", "3"},
                                                                  {"1.5", "2"},
                                                                  {"\"999999999B\"", "999999999000000000"},
                                                                  {"\"User Info Error\"", "NULL"},
                                                                  {"\"\"", "NULL"},
                                                                  {"null", "NULL"},
                                                                  // counted as bad
                                                                  {"\"12 million\"", "NULL"},
                                                                  {"\"k\"", "NULL"},
                                                                  {"\"1.k\"", "NULL"},
                                                                  {"\".5k\"", "NULL"},
                                                                  {"\"-5\"", "NULL"},
                                                                  {"\"1,000\"", "NULL"},
                                                                  {"\"9kk\"", "NULL"},
                                                                  {"\"9k\\n\"", "NULL"},
                                                                  {"\"٣k\"", "NULL"},
                                                                  {"\"1e3\"", "NULL"},
                                                                  {"true", "NULL"},
                                                                  {"[1]", "NULL"},
                                                                  {"\"12345678901234567890\"", "NULL"}};
  std::vector<std::string> lines;
  std::string expected;
  for (size_t i = 0; i < cases.size(); ++i) {
    lines.push_back(fmt::format(R"({{"index":{},"category":"art","follower_count":{}}})", i, cases[i].first));
    expected += fmt::format("{}|{}\n", i, cases[i].second);
  }
  pins(lines);
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT ind, follower_count FROM pin ORDER BY ind"), expected);
  EXPECT_EQ(counts(report, "pin", true),
            "pin raw=33 clean=33 duplicates=0 dead=0 0->33 bad_follower_count=13 missing_fields=297");
}

TEST_F(PostsTest, PlaceholdersAndEmptyTextsAreNull) {
  pins(
      {R"({"index":1,"unique_id":"","title":"","description":"Untitled","poster_name":"","follower_count":"1","tag_list":"",)"
       R"("is_image_or_video":"","image_src":"","downloaded":1,"save_location":"Local save in ","category":""})",
       R"({"index":2,"title":"no title data available","description":"No description available","save_location":"/data/x"})",
       R"({"index":3,"unique_id":5,"title":{"a": [1, null]},"category":true})"});
  users({R"({"ind":1,"first_name":"","last_name":"Ali","age":20})", R"({"ind":2,"first_name":"A","last_name":"B"})"});
  geos({R"({"ind":1,"country":""})"});
  batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT * FROM pin ORDER BY ind"),
            "1|NULL|NULL|NULL|1|NULL|NULL|NULL|NULL|NULL|NULL\n"
            "2|NULL|no title data available|NULL|NULL|NULL|NULL|NULL|NULL|/data/x|NULL\n"
            "3|5|{\"a\":[1,null]}|NULL|NULL|NULL|NULL|NULL|NULL|NULL|true\n");
  EXPECT_EQ(rows("SELECT * FROM user ORDER BY ind"), "1|NULL|20|NULL\n2|A B|NULL|NULL\n");
  EXPECT_EQ(rows("SELECT * FROM geo"), "1|NULL|[NULL, NULL]|NULL\n");
}

TEST_F(PostsTest, TimesInTheirThreeForms) {
  const auto geo = [](int ind, const std::string& time) {
    return fmt::format(R"({{"ind":{},"timestamp":{}}})", ind, time);
  };
  geos({geo(0, "\"2020-08-28 03:52:47\""), geo(1, "\"2020-08-28T03:52:47\""), geo(2, "\"2020:08:28 03:52:47\""),
        geo(3, "\"2020-02-29 23:59:59\""), R"({"ind":4,"timestamp":null,"country":"Chad"})",
        // none of the three
        geo(5, "\"2020-02-30 00:00:00\""), geo(6, "\"2020:08:28T03:52:47\""), geo(7, "\"2020-08:28 03:52:47\""),
        geo(8, "\"2020-08-28 24:00:00\""), geo(9, "\"2020-08-28 03:52:60\""), geo(10, "\"2020-08-28\""),
        geo(11, "\"2020-08-28 03:52:47+02\""), geo(12, "\"epoch\""), geo(13, "1598586767"), geo(14, "\"\""),
        geo(15, "\"2020-08-28 03:52:47\\n\""), geo(16, "\"0000-01-01 00:00:00\""), geo(17, "\"٢٠٢٠-08-28 03:52:47\"")});
  users(
      {R"({"ind":1,"age":20,"date_joined":"2015:10:24 11:23:51"})", R"({"ind":2,"age":20,"date_joined":"yesterday"})"});
  batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT ind, timestamp FROM geo ORDER BY ind"),
            "0|2020-08-28 03:52:47\n1|2020-08-28 03:52:47\n2|2020-08-28 03:52:47\n3|2020-02-29 23:59:59\n4|NULL\n");
  EXPECT_EQ(rows("SELECT ind, date_joined FROM user"), "1|2015-10-24 11:23:51\n");
  std::string expected;
  for (int offset = 5; offset <= 17; ++offset) expected += fmt::format("geo|{}|timestamp in no known form\n", offset);
  EXPECT_EQ(reasons(), expected + "user|1|timestamp in no known form\n");
}

TEST_F(PostsTest, BadAgesAndPlacesAreNullAndCounted) {
  users({R"({"ind":1,"age":"twenty"})", R"({"ind":2,"age":20.5})", R"({"ind":3,"age":"20"})",
         R"({"ind":4,"age":12345678901})", R"({"ind":5,"first_name":"A","age":null})"});
  geos({R"({"ind":1,"latitude":"north","longitude":1e-5})", R"({"ind":2,"latitude":-90,"longitude":[1]})",
        R"({"ind":3,"latitude":1e999,"longitude":"NaN"})"});
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT ind, age FROM user ORDER BY ind"), "1|NULL\n2|NULL\n3|20\n4|NULL\n5|NULL\n");
  EXPECT_EQ(counts(report, "user", true), "user raw=5 clean=5 duplicates=0 dead=0 0->5 bad_age=3 missing_fields=14");
  EXPECT_EQ(rows("SELECT ind, coordinates FROM geo ORDER BY ind"), "1|[NULL, 1e-05]\n2|[-90, NULL]\n3|[NULL, NULL]\n");
  EXPECT_EQ(counts(report, "geo", true),
            "geo raw=3 clean=3 duplicates=0 dead=0 0->3 bad_latitude=2 bad_longitude=2 missing_fields=6");
}

TEST_F(PostsTest, DeadLettersAndTheirReasons) {
  pins({"", "nonsense", "null", "[]", R"([{"index":1,"category":"art"}])", R"([{"index":2},{"index":3}])",
        R"({"category":"art"})", R"({"index":"x","category":"art"})", R"({"index":1.0,"category":"art"})",
        R"({"index":4})", R"({"index":1234567890123456789,"category":"art"})", R"({"Index":5,"category":"art"})",
        R"({"index":6,"category":null,"title":null})", R"({"index":7,"downloaded":1})"});
  // Records in the wrong topic: a geo and a pin among the users, a user among the geos.
  users({R"({"ind":1,"timestamp":"2020-08-28 03:52:47","latitude":1,"longitude":2,"country":"Chad"})",
         R"({"index":2,"unique_id":"x","category":"art"})",
         R"({"ind":3,"first_name":"A","last_name":"B","age":3,"date_joined":null})"});
  geos({R"({"ind":3,"first_name":"A","last_name":"B","age":3,"date_joined":"2015-10-24 11:23:51"})"});
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT ind, category FROM pin ORDER BY ind"), "1|art\n7|NULL\n");
  EXPECT_EQ(reasons(),
            "geo|0|none of the other columns\n"
            "pin|0|not a JSON object\npin|1|not a JSON object\npin|2|not a JSON object\npin|3|not a JSON object\n"
            "pin|5|not a JSON object\npin|6|no integer index\npin|7|no integer index\npin|8|no integer index\n"
            "pin|9|none of the other columns\npin|10|no integer index\npin|11|no integer index\n"
            "pin|12|none of the other columns\nuser|0|none of the other columns\nuser|1|no integer ind\n");
  EXPECT_EQ(counts(report, "user"), "user raw=3 clean=1 duplicates=0 dead=2 0->1");
}

TEST_F(PostsTest, NastyBytesStopNobody) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  pins({R"({"index":1,"title":"a\u0000b","category":"art"})",
        "{\"index\":2,\"title\":\"\xff\xfe\",\"category\":\"art\"}", R"({"index":3,"title":"\ud800","category":"art"})",
        R"({"index":4,"index":5,"category":"art"})", R"({"index":6,"category":)" + deep + "}",
        "{\"index\":7,\0\"category\":\"art\"}"s,
        R"({"index":8,"title":")" + std::string(1'000'000, 't') + R"(","category":"art"})",
        R"({"index":9,"title":"x\n\"y\" 日本 😀 ","category":"art"})", "{\"index\":10,\"title\":\"\xed\xa0\x80\"}"});
  batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT ind, length(title), hex(substring(title, 1, 3)) FROM pin ORDER BY ind"),
            "1|3|610062\n8|1000000|747474\n9|11|780A22\n");
  EXPECT_EQ(rows("SELECT \"offset\", reason, length(record) FROM dead ORDER BY ALL"),
            "1|not a JSON object|41\n2|not a JSON object|45\n3|not a JSON object|38\n4|not a JSON object|20023\n"
            "5|not a JSON object|29\n8|not a JSON object|26\n");
}

TEST_F(PostsTest, QueriesKeepTiesAndTakeTheLowerMedian) {
  const auto post = [this](int64_t ind, const std::string& category, const std::string& followers,
                           const std::string& country, const std::string& time, int age, const std::string& joined) {
    put_object(store_, "local.pin", ind,
               {fmt::format(R"({{"index":{},"category":"{}","follower_count":"{}","poster_name":"p{}"}})", ind,
                            category, followers, followers)});
    put_object(store_, "local.geo", ind,
               {fmt::format(R"({{"ind":{},"country":"{}","timestamp":"{}"}})", ind, country, time)});
    put_object(store_, "local.user", ind,
               {fmt::format(R"({{"ind":{},"first_name":"F","last_name":"L{}","age":{},"date_joined":"{}"}})", ind, age,
                            age, joined)});
  };
  post(1, "art", "1k", "Chad", "2018-01-01 00:00:00", 18, "2015-01-01 00:00:00");
  post(2, "beauty", "4k", "Chad", "2018-06-01 00:00:00", 24, "2016-01-01 00:00:00");
  post(3, "art", "4k", "Peru", "2022-12-31 23:59:59", 25, "2015-12-31 23:59:59");
  post(4, "art", "User Info Error", "Peru", "2023-01-01 00:00:00", 51, "2020-12-31 23:59:59");
  post(5, "travel", "2k", "Peru", "2017-12-31 23:59:59", 17, "2014-12-31 23:59:59");
  post(6, "travel", "3k", "Chad", "2018-01-01 00:00:00", 18, "2015-01-01 00:00:00");
  batch(pipeline_, store_);
  const auto answers = run_queries(pipeline_, store_, {});
  ASSERT_TRUE(answers) << answers.error().message;
  std::map<std::string, std::string> said;
  for (const Answer& answer : answers->all) said[answer.query] = as_csv(answer.rows);
  EXPECT_EQ(said["top_category_by_country"],
            "country,category,category_count\r\nChad,art,1\r\nChad,beauty,1\r\nChad,travel,1\r\nPeru,art,2\r\n");
  EXPECT_EQ(said["top_category_by_year"],
            "post_year,category,category_count\r\n2018,art,1\r\n2018,beauty,1\r\n2018,travel,1\r\n2022,art,1\r\n");
  EXPECT_EQ(said["top_user_by_country"], "country,poster_name,follower_count\r\nChad,p4k,4000\r\nPeru,p4k,4000\r\n");
  EXPECT_EQ(said["top_country"], "country,follower_count\r\nChad,4000\r\nPeru,4000\r\n");
  EXPECT_EQ(said["top_category_by_age_group"],
            "age_group,category,category_count\r\n18-24,art,1\r\n18-24,beauty,1\r\n18-24,travel,1\r\n25-35,art,1\r\n+"
            "50,art,1\r\n");
  EXPECT_EQ(said["median_followers_by_age_group"],
            "age_group,median_follower_count\r\n18-24,3000\r\n25-35,4000\r\n+50,\r\n");
  EXPECT_EQ(said["users_joined_by_year"], "post_year,number_users_joined\r\n2015,2\r\n2016,1\r\n2020,1\r\n");
  EXPECT_EQ(said["median_followers_by_joining_year"],
            "post_year,median_follower_count\r\n2015,3000\r\n2016,4000\r\n2020,\r\n");
  EXPECT_EQ(said["median_followers_by_age_group_and_joining_year"],
            "age_group,post_year,median_follower_count\r\n18-24,2015,1000\r\n18-24,2016,4000\r\n25-35,2015,4000\r\n+50,"
            "2020,\r\n");
}

TEST_F(PostsTest, AnswersHaveTypesThatBothEnginesShare) {
  const auto answers = run_queries(pipeline_, store_, {});
  ASSERT_TRUE(answers) << answers.error().message;
  std::string types;
  for (const Answer& answer : answers->all) {
    EXPECT_TRUE(answer.rows.rows.empty());
    for (const auto& column : answer.rows.columns) types += column.type.substr(0, 1);
    types += " ";
  }
  EXPECT_EQ(types, "VVB IVB VVB VB VVB VB IB IB VIB ");
}

}  // namespace
}  // namespace pinflow::lake
