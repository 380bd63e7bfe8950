#include "lake/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "lake/tables.h"
#include "lake/test_support.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BatchTest : public ::testing::Test {
 protected:
  std::string rows(const std::string& sql) { return lake::rows(pipeline_, store_, sql); }
  Error fault() {
    const auto report = run_batch(pipeline_, store_);
    if (!report) return report.error();
    ADD_FAILURE() << "no error";
    return {};
  }

  object::MemoryStore store_;
  pipeline::Pipeline pipeline_ = sensors();
};

TEST_F(BatchTest, RecordsBecomeRowsDeadLettersAndCounts) {
  put_object(store_, "here.reading", 10,
             {reading(1), reading(2, "bad"), reading(1), "[1,", R"({"value":"3"})", R"([{"sensor":"7","extra":1}])"});
  put_object(store_, "here.note", 0, {R"({"id":"a","words":"x y"})", R"({"id":"b","words":"refused"})"}, 2);
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_THAT(report.plans, ElementsAre(1));
  EXPECT_EQ(counts(report, "readings", true),
            "readings raw=6 clean=3 duplicates=1 dead=2 0->3 bad_value=1 missing_fields=2 unknown_fields=1");
  EXPECT_EQ(counts(report, "notes"), "notes raw=2 clean=1 duplicates=0 dead=1 0->1");
  EXPECT_EQ(rows("SELECT * FROM readings ORDER BY sensor"),
            "1|1.5|2026-11-20 10:00:00\n2|NULL|2026-11-20 10:00:00\n7|NULL|NULL\n");
  EXPECT_EQ(rows("SELECT * FROM notes"), "a|[x, y]\n");
  EXPECT_EQ(
      rows("SELECT * FROM dead ORDER BY object, \"offset\""),
      "notes|refused words|here.note|2|topics/here.note/partition=2/here.note+2+0000000000.json|1|"
      "{\"id\":\"b\",\"words\":\"refused\"}|1\n"
      "readings|not a JSON "
      "object|here.reading|0|topics/here.reading/partition=0/here.reading+0+0000000010.json|13|[1,|1\n"
      "readings|no "
      "sensor|here.reading|0|topics/here.reading/partition=0/here.reading+0+0000000010.json|14|{\"value\":\"3\"}|1\n");
}

TEST_F(BatchTest, ASecondRunTakesOnlyWhatIsNew) {
  put_object(store_, "here.reading", 0, {reading(1), reading(2)});
  batch(pipeline_, store_);
  const BatchReport nothing = batch(pipeline_, store_);
  EXPECT_TRUE(nothing.plans.empty());
  EXPECT_EQ(counts(nothing, "readings"), "readings raw=0 clean=0 duplicates=0 dead=0 2->2");
  put_object(store_, "here.reading", 2, {reading(2), reading(3)});
  const BatchReport more = batch(pipeline_, store_);
  EXPECT_THAT(more.plans, ElementsAre(2));
  EXPECT_EQ(counts(more, "readings"), "readings raw=2 clean=1 duplicates=1 dead=0 2->3");
  EXPECT_EQ(rows("SELECT sensor FROM readings ORDER BY sensor"), "1\n2\n3\n");
}

TEST_F(BatchTest, RepeatsAreRowsEqualInAllColumnsNullsToo) {
  const std::string no_value = R"({"sensor":1,"taken":"2026-11-20 10:00:00"})";
  const std::string no_key = R"({"sensor":"x","value":"1"})";  // cleaned to a row without a key
  put_object(store_, "here.reading", 0, {no_value, no_value, no_key, no_key, reading(1), reading(2)});
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=6 clean=4 duplicates=2 dead=0 0->4");
  put_object(store_, "here.reading", 6,
             {no_value, no_key, reading(1, "1.50"), reading(1, "1.6"), reading(3), reading(3)});
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=6 clean=2 duplicates=4 dead=0 4->6");
  EXPECT_EQ(rows("SELECT sensor, value FROM readings ORDER BY sensor NULLS FIRST, value NULLS FIRST"),
            "NULL|1\n1|NULL\n1|1.5\n1|1.6\n2|1.5\n3|1.5\n");
}

TEST_F(BatchTest, RepeatsAreKeptWhereThePipelineSaysSo) {
  pipeline_.repeats.batch_drop = false;
  put_object(store_, "here.reading", 0, {reading(1), reading(1)});
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=2 clean=2 duplicates=0 dead=0 0->2");
  put_object(store_, "here.reading", 2, {reading(1)});
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=1 clean=1 duplicates=0 dead=0 2->3");
}

TEST_F(BatchTest, ABacklogIsDoneInSeveralPlansOfOneRun) {
  for (int i = 0; i < 6; ++i) put_object(store_, "here.reading", i * 2, {reading(i), reading(i % 3)});
  BatchOptions options;
  options.plan_bytes = 250;
  options.answers = false;
  const auto report = run_batch(pipeline_, store_, options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->plans, ElementsAre(1, 2, 3));
  EXPECT_EQ(counts(*report, "readings"), "readings raw=12 clean=6 duplicates=6 dead=0 0->6");
}

TEST_F(BatchTest, NothingToDoIsNoError) {
  const auto report = run_batch(pipeline_, store_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->plans.empty());
  ASSERT_EQ(report->answers.all.size(), 2u);
  EXPECT_EQ(as_json(report->answers.all[0].rows), R"([{"mean":null}])");
}

TEST_F(BatchTest, AnswersAreStoredWithTheVersionsTheyAreOf) {
  put_object(store_, "here.reading", 0, {reading(1, "1"), reading(2, "4")});
  BatchOptions options;
  options.date = "it's today";
  const auto report = run_batch(pipeline_, store_, options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(as_json(report->answers.all[1].rows), R"([{"label":"it's today","readings":2}])");
  EXPECT_EQ(store_.get("answers/batch-0000000001/mean.json").value(),
            R"({"query":"mean","title":"Mean value","date":"it's today","tables":{"dead":0,"dead_stream":-1,"notes":0,)"
            R"("notes_stream":-1,"readings":0,"readings_stream":-1},"rows":[{"mean":2.5}]})"
            "\n");
}

TEST_F(BatchTest, ObjectsThatAreGoneAreNamed) {
  put_object(store_, "here.reading", 0, {reading(1)});
  put_object(store_, "here.reading", 1, {reading(2)});
  const auto plan = next_plan(store_, pipeline_, {}, "");
  ASSERT_TRUE(put_plan(store_, plan->plan));
  ASSERT_TRUE(store_.remove("topics/here.reading/partition=0/here.reading+0+0000000000.json"));
  const Error gone = fault();
  EXPECT_EQ(gone.code, Code::corrupt);
  EXPECT_THAT(gone.message, HasSubstr("plan 1: 2 objects of here.reading, partition 0, offsets 0 to 1, were there"));
}

TEST_F(BatchTest, ALakeOfAnotherPipelineIsRefused) {
  put_object(store_, "here.reading", 0, {reading(1)});
  batch(pipeline_, store_);
  pipeline_.id = "other";
  EXPECT_EQ(fault().code, Code::conflict);
}

TEST_F(BatchTest, AMissingPlanIsCorrupt) {
  put_object(store_, "here.reading", 0, {reading(1)});
  batch(pipeline_, store_);
  put_object(store_, "here.reading", 1, {reading(2)});
  batch(pipeline_, store_);
  ASSERT_TRUE(store_.remove(plan_name(1)));
  EXPECT_EQ(fault().code, Code::corrupt);
}

TEST_F(BatchTest, AFailingCleaningCommitsNothingAndMendedItGoesOn) {
  put_object(store_, "here.reading", 0, {reading(1)});
  const std::string good = pipeline_.records[1].cleaning.text;
  pipeline_.records[1].cleaning.text = "SELECT id, nonsense FROM raw";
  EXPECT_THAT(fault().message, HasSubstr("clean/note.sql:1: "));
  EXPECT_TRUE(list_tables(store_)->empty());
  pipeline_.records[1].cleaning.text = good;
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_THAT(report.plans, ElementsAre(1));
  EXPECT_EQ(counts(report, "readings"), "readings raw=1 clean=1 duplicates=0 dead=0 0->1");
}

// The dead letters of plan 1 are committed, its rows are not; then the cleaning is changed.
TEST_F(BatchTest, APlanIsNotFinishedWithAnotherCleaning) {
  put_object(store_, "here.reading", 0, {reading(1), "nonsense"});
  store_.inject([this](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
    if (call.operation == "put_file_if_absent" && call.name.starts_with("tables/readings/")) {
      return object::MemoryStore::Fault{{Code::full, "the disk is full"}};
    }
    return std::nullopt;
  });
  EXPECT_EQ(fault().code, Code::full);
  store_.inject({});
  const std::string good = pipeline_.records[0].cleaning.text;
  pipeline_.records[0].cleaning.text += "\n";
  const Error changed = fault();
  EXPECT_EQ(changed.code, Code::conflict);
  EXPECT_THAT(changed.message, HasSubstr("plan 1 was begun with another cleaning of 'reading'"));
  pipeline_.records[0].cleaning.text = good;
  EXPECT_EQ(counts(batch(pipeline_, store_), "readings"), "readings raw=2 clean=1 duplicates=0 dead=1 0->1");
  EXPECT_EQ(rows("SELECT count(*) FROM dead"), "1\n");
}

TEST_F(BatchTest, ATableThatWasDeletedIsMadeAgainOfAllPlans) {
  put_object(store_, "here.reading", 0, {reading(1)});
  batch(pipeline_, store_);
  put_object(store_, "here.reading", 1, {reading(2)});
  batch(pipeline_, store_);
  const auto files = store_.list("tables/readings/");
  for (const auto& info : *files) ASSERT_TRUE(store_.remove(info.name));
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_THAT(report.plans, ElementsAre(1, 2));
  EXPECT_EQ(counts(report, "readings"), "readings raw=2 clean=2 duplicates=0 dead=0 0->2");
}

TEST_F(BatchTest, ARecordTypeThatIsNewIsReadFromItsStart) {
  const pipeline::RecordType note = pipeline_.records[1];
  pipeline_.records.pop_back();
  put_object(store_, "here.reading", 0, {reading(1)});
  put_object(store_, "here.note", 0, {R"({"id":"a"})"});
  batch(pipeline_, store_);
  pipeline_.records.push_back(note);
  const BatchReport report = batch(pipeline_, store_);
  EXPECT_THAT(report.plans, ElementsAre(2));
  EXPECT_EQ(counts(report, "notes"), "notes raw=1 clean=1 duplicates=0 dead=0 0->1");
}

TEST_F(BatchTest, TablesAreListedAndShown) {
  put_object(store_, "here.reading", 0, {reading(1), reading(2), reading(3), reading(4), reading(5), reading(6)});
  batch(pipeline_, store_);
  std::vector<std::string> names;
  const auto tables = list_tables(store_);
  for (const TableInfo& table : *tables) names.push_back(fmt::format("{}={}", table.name, table.records));
  EXPECT_THAT(names, ElementsAre("dead=0", "notes=0", "readings=6"));
  const auto shown = show_table(store_, "readings");
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->rows.rows.size(), 5u);
  EXPECT_EQ(shown->rows.columns[2].name, "taken");
  EXPECT_EQ(text_of(shown->rows.rows[0][2]), "2026-11-20 10:00:00");
  EXPECT_TRUE(show_table(store_, "notes")->rows.rows.empty());
  put_object(store_, "here.note", 0, {R"({"id":"a"})"});
  batch(pipeline_, store_);
  put_object(store_, "here.note", 1, {R"({"id":"b"})"});
  batch(pipeline_, store_);
  EXPECT_EQ(show_table(store_, "notes")->info.files, 2);
  EXPECT_EQ(show_table(store_, "notes")->rows.rows.size(), 2u);
  EXPECT_THAT(show_table(store_, "pin").error().message, HasSubstr("there are: dead, notes, readings"));
}

TEST_F(BatchTest, QueriesMaySayARecordTypesNameForItsTable) {
  put_object(store_, "here.reading", 0, {reading(1), reading(2)});
  put_object(store_, "here.note", 0, {R"({"id":"a"})"});
  batch(pipeline_, store_);
  EXPECT_EQ(rows("SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM readings)"), "2|2\n");
  pipeline_.records[0].name = "Notes";  // a table's own name wins
  EXPECT_EQ(rows("SELECT id FROM notes"), "a\n");
}

TEST_F(BatchTest, AnUnknownQueryNamesThoseThereAre) {
  const auto answers = run_queries(pipeline_, store_, {"median"});
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error().code, Code::not_found);
  EXPECT_THAT(answers.error().message, HasSubstr("there are: mean, labelled"));
  pipeline_.queries[0].sql.text = "SELECT\n  avg(valu) FROM readings";
  EXPECT_THAT(run_queries(pipeline_, store_, {"mean"}).error().message, HasSubstr("queries/mean.sql:2: "));
}

}  // namespace
}  // namespace pinflow::lake
