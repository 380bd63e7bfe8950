#include "sql/row_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "sql/duckdb.h"

namespace pinflow::sql {
namespace {

using ::testing::HasSubstr;

// Rows (n, a text of n: NULL for multiples of 7), handed out in pieces to whoever asks.
class Numbers : public RowSource {
 public:
  explicit Numbers(int64_t count, int64_t bad = -1) : count_(count), bad_(bad) {}

  const std::vector<SourceColumn>& columns() const override { return columns_; }
  int64_t about() const override { return count_; }
  size_t most_readers() const override { return 4; }
  Result<std::unique_ptr<RowScan>> scan(const std::vector<bool>& wants) override {
    wants_ = wants;
    return std::make_unique<Scan>(*this);
  }
  std::vector<bool> wants_;

 private:
  struct Scan : RowScan {
    explicit Scan(Numbers& all) : all(all) {}
    std::unique_ptr<RowReader> reader() override { return std::make_unique<Reader>(*this); }
    Numbers& all;
    std::atomic<int64_t> next{0};
  };
  struct Reader : RowReader {
    explicit Reader(Scan& scan) : scan(scan) {}
    Result<size_t> fill(RowChunk& chunk) override {
      const int64_t from = scan.next.fetch_add(1000);
      size_t row = 0;
      for (int64_t n = from; n < std::min(from + 1000, scan.all.count_); ++n, ++row) {
        if (n == scan.all.bad_) return invalid("number {} is bad", n);
        chunk.set_integer(0, row, n);
        if (n % 7 == 0) chunk.set_null(1, row);
        else chunk.set_text(1, row, n % 2 == 0 ? std::to_string(n) : "a longer text, number " + std::to_string(n));
      }
      return row;
    }
    Scan& scan;
  };

  std::vector<SourceColumn> columns_{{"n", SourceColumn::Kind::integer}, {"word", SourceColumn::Kind::text}};
  int64_t count_;
  int64_t bad_;
};

class RowSourceTest : public ::testing::Test {
 protected:
  RowSourceTest() : database_(Database::open({.threads = 4}).value()), sql_(database_->connect().value()) {}

  std::unique_ptr<Database> database_;
  Connection sql_;
};

TEST_F(RowSourceTest, EveryRowComesOnceWhateverTheThreads) {
  put_source(*database_, "numbers", std::make_shared<Numbers>(100'000));
  const auto sums = sql_.query(
      "SELECT count(*), sum(n), count(word), count(DISTINCT word), max(word), min(word) FROM pinflow_rows('numbers')");
  ASSERT_TRUE(sums) << sums.error().message;
  EXPECT_EQ(json_of(Value{sums->rows[0]}), R"([100000,4999950000,85714,85714,"a longer text, number 99999","10"])");
}

TEST_F(RowSourceTest, OnlyTheColumnsThatAreReadAreWanted) {
  auto numbers = std::make_shared<Numbers>(5000);
  put_source(*database_, "numbers", numbers);
  EXPECT_EQ(sql_.value("SELECT sum(n) FROM pinflow_rows('numbers')")->integer(), 12497500);
  EXPECT_EQ(numbers->wants_, (std::vector<bool>{true, false}));
  EXPECT_EQ(sql_.value("SELECT count(*) FROM pinflow_rows('numbers')")->integer(), 5000);
}

TEST_F(RowSourceTest, AReadersErrorEndsTheStatement) {
  put_source(*database_, "numbers", std::make_shared<Numbers>(5000, 4321));
  const auto failed = sql_.query("SELECT sum(n) FROM pinflow_rows('numbers')");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("number 4321 is bad"));
}

TEST_F(RowSourceTest, ADroppedSourceIsUnknown) {
  put_source(*database_, "numbers", std::make_shared<Numbers>(1));
  drop_source(*database_, "numbers");
  const auto failed = sql_.query("SELECT * FROM pinflow_rows('numbers')");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("there is no source 'numbers'"));
}

TEST_F(RowSourceTest, AnEmptySourceHasColumnsAndNoRows) {
  put_source(*database_, "none", std::make_shared<Numbers>(0));
  const auto none = sql_.query("SELECT * FROM pinflow_rows('none')");
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->columns.size(), 2u);
  EXPECT_TRUE(none->rows.empty());
}

}  // namespace
}  // namespace pinflow::sql
