// Objects that were lost, and written again otherwise: ranges of offsets are remembered, never names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/holes.h"
#include "lake/test_support.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LostObjects : public ::testing::Test {
 protected:
  // Readings of the sensors [from, to), at the offsets of the same numbers.
  void put(int from, int to) {
    std::vector<std::string> lines;
    for (int sensor = from; sensor < to; ++sensor) lines.push_back(reading(sensor));
    put_object(store_, "here.reading", from, lines);
  }
  void lose(int first) {
    ASSERT_TRUE(store_.remove(fmt::format("topics/here.reading/partition=0/here.reading+0+{:010}.json", first)));
  }
  void put_dead(const std::vector<int>& offsets, int partition = 0) {
    std::string lines;
    for (const int offset : offsets) {
      lines +=
          fmt::format(R"({{"topic":"here.reading","partition":{},"offset":{},"timestamp":null,"reason":"not JSON",)"
                      R"("value_base64":"e30="}})"
                      "\n",
                      partition, offset);
    }
    const auto name =
        fmt::format("dead/here.reading/partition={0}/here.reading+{0}+{1:010}.json", partition, offsets[0]);
    ASSERT_TRUE(store_.put_if_absent(name, lines));
  }
  void put_next_plan(const std::optional<Plan>& last = {}) {
    const auto proposed = next_plan(store_, pipeline_, last, "");
    ASSERT_TRUE(proposed && put_plan(store_, proposed->plan));
  }
  std::string fault() {
    const auto report = run_batch(pipeline_, store_);
    if (!report) return report.error().code == Code::corrupt ? report.error().message : "another code";
    return "no error";
  }
  std::string sensors_there() {
    return rows(pipeline_, store_, "SELECT min(sensor), max(sensor), count(*), sum(sensor) FROM readings");
  }

  object::MemoryStore store_;
  pipeline::Pipeline pipeline_ = sensors();
};

TEST_F(LostObjects, AnObjectThatReachesOverThePlansEndIsReadFromThere) {
  pipeline_.repeats.batch_drop = false;  // a record read twice would be seen
  put(0, 30);
  put(30, 50);
  batch(pipeline_, store_);
  lose(0);
  lose(30);
  put(0, 55);  // now one object
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_EQ(counts(report, "readings"), "readings raw=5 clean=5 duplicates=0 dead=0 50->55");
  EXPECT_EQ(report.records[0].missing, 0);
  put(55, 60);
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=5 clean=5 duplicates=0 dead=0 55->60");
  EXPECT_EQ(sensors_there(), "0|59|60|1770\n");
  EXPECT_TRUE(batch(pipeline_, store_).plans.empty());
}

TEST_F(LostObjects, ItIsTakenTogetherWithThoseBehindIt) {
  pipeline_.repeats.batch_drop = false;
  put(0, 50);
  batch(pipeline_, store_);
  lose(0);
  put(0, 55);
  put(55, 60);
  const auto plan = next_plan(store_, pipeline_, read_plan(store_, 1).value(), "");
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->plan.find("reading")->partitions[0].from, 50);
  EXPECT_EQ(plan->plan.find("reading")->partitions[0].to, 60);
  EXPECT_EQ(plan->plan.find("reading")->partitions[0].objects, 2);
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=10 clean=10 duplicates=0 dead=0 50->60");
}

TEST_F(LostObjects, APlanReadsItsRangeWhateverObjectsHoldItNow) {
  pipeline_.repeats.batch_drop = false;
  put(0, 30);
  put(30, 50);
  put_next_plan();
  lose(0);
  lose(30);
  put(0, 55);
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_THAT(report.plans, ElementsAre(1, 2));  // 0 to 49, and 50 to 54
  EXPECT_EQ(counts(report, "readings"), "readings raw=55 clean=55 duplicates=0 dead=0 0->55");
  EXPECT_EQ(sensors_there(), "0|54|55|1485\n");
}

TEST_F(LostObjects, DeadLettersCarryTheirOffsetsInAnObjectReadInPart) {
  put(0, 2);
  batch(pipeline_, store_);
  lose(0);
  put_object(store_, "here.reading", 0, {reading(0), reading(1), "dead", reading(3)});
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=2 clean=1 duplicates=0 dead=1 2->3");
  EXPECT_EQ(rows(pipeline_, store_, "SELECT \"offset\", record FROM dead"), "2|dead\n");
}

TEST_F(LostObjects, APlanWhoseEndIsGoneIsCorrupt) {
  put(0, 50);
  put_next_plan();
  lose(0);
  put(0, 40);
  EXPECT_THAT(fault(), HasSubstr("plan 1: 1 objects of here.reading, partition 0, offsets 0 to 49, were there when the "
                                 "plan was made; now 1, and the offsets 40 to 49 are in no object"));
  EXPECT_EQ(sensors_there(), "NULL|NULL|0|NULL\n");
  put(40, 50);
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=50 clean=50 duplicates=0 dead=0 0->50");
}

TEST_F(LostObjects, AHoleThatNoDeadLetterExplainsIsCountedAndStaysInTheLog) {
  put(0, 10);
  put(15, 20);
  put(22, 30);
  put_dead({10, 12, 20, 21});
  put_dead({11}, 1);                                          // of another partition
  EXPECT_EQ(batch(pipeline_, store_).records[0].missing, 3);  // 11, 13, 14
  const auto log = store_.get("tables/readings/_delta_log/00000000000000000000.json");
  EXPECT_THAT(log.value(), HasSubstr(R"("missing":3)"));
  put(30, 35);
  EXPECT_EQ(batch(pipeline_, store_).records[0].missing, 0);
}

TEST_F(LostObjects, HolesThatDeadLettersExplainAreNone) {
  put(0, 10);
  put(15, 20);
  put_dead({3, 10, 11, 12});  // 3 is a letter of another life of the sink: it explains nothing and does no harm
  put_dead({13, 14, 20});
  EXPECT_EQ(batch(pipeline_, store_).records[0].missing, 0);
}

TEST_F(LostObjects, DeadLettersOfAnyLengthAreRead) {
  put(0, 1);
  put(3, 4);
  const std::string long_value(3 << 20, 'A');
  const std::string lines = R"({"topic":"here.reading","partition":0,"offset":1,"value_base64":")" + long_value +
                            "\"}\n"
                            R"({"topic":"here.reading","partition":0,"offset":2,"value_base64":null})"
                            "\n";
  ASSERT_TRUE(store_.put_if_absent("dead/here.reading/partition=0/here.reading+0+0000000001.json", lines));
  EXPECT_EQ(batch(pipeline_, store_).records[0].missing, 0);
}

TEST_F(LostObjects, PlansThatAreGoneUnderTheirTablesAreAConflict) {
  put(0, 10);
  batch(pipeline_, store_);
  ASSERT_TRUE(store_.remove(plan_name(1)));
  put(10, 20);
  const auto refused = run_batch(pipeline_, store_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("has plan 1, but state/plans/batch/0000000001.json is not there"));
  EXPECT_TRUE(list_plans(store_)->empty());  // none was made over it
  const auto tables = store_.list("tables/");
  for (const auto& info : *tables) ASSERT_TRUE(store_.remove(info.name));
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=20 clean=20 duplicates=0 dead=0 0->20");
}

TEST_F(LostObjects, ALastPlanThatIsGoneIsAConflictToo) {
  put(0, 10);
  batch(pipeline_, store_);
  put(10, 20);
  batch(pipeline_, store_);
  ASSERT_TRUE(store_.remove(plan_name(2)));
  const auto refused = run_batch(pipeline_, store_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
}

TEST(Holes, AreWhatNeitherObjectsNorOffsetsHold) {
  TopicObject one;
  one.first_offset = 3;
  TopicObject two;
  two.first_offset = 8;
  const auto holes = holes_of({0, 1, 12, 2, 0}, std::vector{one, two}, std::vector<int64_t>{5, 10});
  EXPECT_EQ(holes, (std::vector<Hole>{{1, 3}, {5, 8}, {10, 12}}));
  EXPECT_EQ(without(holes, {0, 2, 5, 6, 7, 9, 10}), (std::vector<Hole>{{1, 2}, {11, 12}}));
  EXPECT_EQ(text_of(holes), "1 to 2, 5 to 7, 10 to 11");
  EXPECT_EQ(offsets_in(holes), 7);
  EXPECT_TRUE(holes_of({0, 4, 4, 0, 0}, {}, {}).empty());
}

}  // namespace
}  // namespace pinflow::lake
