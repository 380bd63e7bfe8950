#include "app/counts.h"

#include <gmock/gmock.h>

namespace pinflow::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LegCounts agreeing() {
  LegCounts c;
  c.posts = 10;
  c.posted = 20;
  c.acknowledged = 19;
  c.answers_lost = 2;
  c.log = 20;
  c.sink_backlog = 5;
  c.objects = 2;
  c.sunk = 24;
  c.dead_in_sink = 1;
  c.lake_backlog = 6;
  c.records_in_objects = 30;
  c.raw = {{"a", 20}, {"b", 10}};
  c.clean = {{"a", 12}, {"b", 9}};
  c.duplicates = {{"a", 5}, {"b", 1}};
  c.dead = {{"a", 3}, {"b", 0}};
  c.tables_before = {{"a", 100}, {"b", 0}};
  c.tables = {{"a", 112}, {"b", 9}};
  return c;
}

TEST(Counts, AgreeingStationsHaveNoDifference) { EXPECT_THAT(differences(agreeing()), IsEmpty()); }

TEST(Counts, EachStationThatDisagreesIsNamed) {
  LegCounts c = agreeing();
  c.acknowledged = 21;
  EXPECT_THAT(differences(c), ElementsAre(HasSubstr("1 are missing")));
  c = agreeing();
  c.answers_lost = 0;
  EXPECT_THAT(differences(c), ElementsAre(HasSubstr("only 19 were acknowledged")));
  c = agreeing();
  c.sink_backlog = 4;
  EXPECT_THAT(differences(c), ElementsAre(HasSubstr("the sink had 24 records")));
  c = agreeing();
  c.lake_backlog = 7;
  EXPECT_THAT(differences(c), ElementsAre(HasSubstr("had 31 records to read")));
  c = agreeing();
  c.missing = 3;
  EXPECT_THAT(differences(c), ElementsAre(HasSubstr("3 offsets")));
  c = agreeing();
  c.dead[1].second = 1;
  EXPECT_THAT(differences(c), ElementsAre(HasSubstr("of 10 b records 9 were clean, 1 repeats and 1 dead: that is 11")));
  c = agreeing();
  c.tables[0].second = 111;
  EXPECT_THAT(differences(c), ElementsAre(HasSubstr("the table of a grew from 100 to 111 rows, by 11, but 12")));
}

TEST(Counts, NumbersAreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(Counts, JsonHasTheKeysThatScriptsRelyOn) {
  JsonWriter json;
  write_json(json, agreeing());
  for (const char* key : {"posted", "acknowledged", "log", "objects", "records_in_objects", "clean", "duplicates",
                          "dead", "tables_before", "tables"}) {
    EXPECT_THAT(json.text(), HasSubstr("\"" + std::string(key) + "\":"));
  }
  EXPECT_THAT(json.text(), HasSubstr(R"("clean":{"a":12,"b":9})"));
}

}  // namespace
}  // namespace pinflow::app
