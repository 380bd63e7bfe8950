#include "sink/lake_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "object/memory_store.h"
#include "sink/dead_letter.h"
#include "sink/lake_reader.h"

namespace pinflow::sink {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// Offsets [first, next), each with the line that its record has.
File data(int64_t first, int64_t next) {
  File file{.kind = Kind::data};
  for (int64_t offset = first; offset < next; ++offset) {
    file.bytes += fmt::format("{{\"n\":{}}}\n", offset);
    file.count(offset, {});
  }
  return file;
}

File dead(const std::vector<int64_t>& offsets) {
  File file{.kind = Kind::dead};
  for (const int64_t offset : offsets) {
    append_dead_letter(file.bytes, {.topic = "t", .offset = offset, .value = "x"}, "not JSON");
    file.count(offset, {});
  }
  return file;
}

class LakeWriterTest : public testing::Test {
 protected:
  Result<> write(std::deque<File> files) { return writer_.write(files, counts_); }

  // Name without its folders -> lines.
  std::map<std::string, int64_t> objects() {
    std::map<std::string, int64_t> found;
    const auto listed = store_.list("").value();
    for (const auto& info : listed)
      found[info.name.substr(info.name.rfind('/') + 1)] = count_lines(store_, info.name).value();
    return found;
  }

  object::MemoryStore store_;
  LakeWriter writer_{store_, {}, "t", 0};
  WriteCounts counts_;
};

TEST_F(LakeWriterTest, MakesAnObjectOfEachFile) {
  ASSERT_TRUE(write({data(0, 3), dead({3}), data(4, 6)}));
  EXPECT_EQ(store_.get("topics/t/partition=0/t+0+0000000004.json").value(), "{\"n\":4}\n{\"n\":5}\n");
  EXPECT_EQ(store_.get("dead/t/partition=0/t+0+0000000003.json").value(), dead({3}).bytes);
  EXPECT_EQ(counts_.in_objects, 5);
  EXPECT_EQ(counts_.objects, 2);
  EXPECT_EQ(counts_.dead, 1);
  EXPECT_EQ(counts_.dead_objects, 1);
  EXPECT_EQ(counts_.skipped, 0);
}

TEST_F(LakeWriterTest, GoesOnAfterAnObjectOfAnother) {
  std::deque<File> others{data(0, 4), dead({10, 12})};
  WriteCounts ignored;
  ASSERT_TRUE(LakeWriter(store_, {}, "t", 0).write(others, ignored));
  ASSERT_TRUE(write({data(0, 3), data(3, 7), dead({10}), dead({12, 14})}));
  EXPECT_THAT(objects(), ElementsAre(Pair("t+0+0000000000.json", 4), Pair("t+0+0000000004.json", 3),
                                     Pair("t+0+0000000010.json", 2), Pair("t+0+0000000014.json", 1)));
  EXPECT_EQ(counts_.skipped, 6);
  EXPECT_EQ(counts_.in_objects, 3);
  EXPECT_EQ(counts_.dead, 1);
}

TEST_F(LakeWriterTest, CountsItsOwnPutWhoseAnswerWasLost) {
  store_.fail_nth("put_if_absent", 2, {{Code::unavailable, "no answer"}, true});
  std::deque<File> files{data(0, 3), data(3, 5), data(5, 6)};
  EXPECT_EQ(writer_.write(files, counts_).error().code, Code::unavailable);
  EXPECT_EQ(files.size(), 2u);
  ASSERT_TRUE(writer_.write(files, counts_));
  EXPECT_EQ(counts_.in_objects, 6);
  EXPECT_EQ(counts_.objects, 3);
  EXPECT_EQ(counts_.skipped, 0);
  EXPECT_THAT(objects(), ElementsAre(Pair("t+0+0000000000.json", 3), Pair("t+0+0000000003.json", 2),
                                     Pair("t+0+0000000005.json", 1)));
}

TEST_F(LakeWriterTest, RefusesOtherRecordsUnderItsName) {
  ASSERT_TRUE(store_.put("topics/t/partition=0/t+0+0000000000.json", "{\"n\":7}\n"));
  auto written = write({data(0, 3)});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::conflict);
  EXPECT_THAT(written.error().message, HasSubstr("t+0+0000000000.json"));
  ASSERT_TRUE(store_.put("topics/t/partition=0/t+0+0000000000.json", "{\"n\":0}\n{\"n\""));
  EXPECT_EQ(write({data(0, 3)}).error().code, Code::corrupt);
}

// Several writers, each with the same records cut into other files, take turns and lose answers: the lake holds each
// record once, in objects of consecutive offsets.
TEST_F(LakeWriterTest, ManyWritersMakeOneChain) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto is_dead = [](int64_t offset) { return offset % 7 == 3; };
  for (int round = 0; round < 300; ++round) {
    object::MemoryStore store;
    store.inject([&random](const object::MemoryStore::Call&) -> std::optional<object::MemoryStore::Fault> {
      if (random() % 8 != 0) return std::nullopt;
      return object::MemoryStore::Fault{{Code::unavailable, "no answer"}, random() % 2 == 0};
    });
    const int64_t end = 40;
    struct Writer {
      std::unique_ptr<LakeWriter> writer;
      std::deque<File> files;
      WriteCounts counts;
    };
    std::vector<Writer> writers(3);
    for (Writer& one : writers) {
      one.writer = std::make_unique<LakeWriter>(store, Layout{}, "t", 0);
      std::vector<int64_t> letters;
      for (int64_t at = 0; at < end;) {
        if (is_dead(at)) {
          letters.push_back(at++);
          if (random() % 2) one.files.push_back(dead(std::exchange(letters, {})));
          continue;
        }
        int64_t next = at + 1;
        while (next < end && !is_dead(next) && random() % 3) ++next;
        one.files.push_back(data(at, next));
        at = next;
      }
      if (!letters.empty()) one.files.push_back(dead(letters));
    }
    int64_t turns = 0;
    while (std::ranges::any_of(writers, [](const Writer& one) { return !one.files.empty(); })) {
      Writer& one = writers[random() % writers.size()];
      // A turn of a few files, so that the writers' objects lie between each other's.
      std::deque<File> some;
      for (size_t n = random() % 3 + 1; n > 0 && !one.files.empty(); --n) {
        some.push_back(std::move(one.files.front()));
        one.files.pop_front();
      }
      auto written = one.writer->write(some, one.counts);
      ASSERT_TRUE(written || written.error().code == Code::unavailable) << written.error().message;
      while (!some.empty()) {
        one.files.push_front(std::move(some.back()));
        some.pop_back();
      }
      ASSERT_LT(++turns, 10'000);
    }
    store.inject(nullptr);
    LakeReader reader(store, {}, "t", 0);
    ASSERT_TRUE(reader.list());
    auto coverage = reader.coverage_from(0);
    ASSERT_TRUE(coverage) << coverage.error().message;
    ASSERT_THAT(coverage->ranges(), ElementsAre(Range{0, end}));
    for (const Writer& one : writers) ASSERT_EQ(one.counts.in_objects + one.counts.dead + one.counts.skipped, end);
    const auto listed = store.list("topics/").value();
    for (const auto& info : listed) {
      const std::string bytes = store.get(info.name).value();
      const int64_t first = Names({}, Kind::data, "t", 0).first_offset(info.name).value();
      ASSERT_EQ(bytes, data(first, first + std::count(bytes.begin(), bytes.end(), '\n')).bytes);
    }
  }
}

TEST_F(LakeWriterTest, ReaderFindsTheEnds) {
  ASSERT_TRUE(write({data(5, 8), dead({8, 11}), data(9, 11)}));
  LakeReader reader(store_, {}, "t", 0);
  ASSERT_TRUE(reader.list());
  EXPECT_EQ(reader.first(), 5);
  EXPECT_EQ(reader.end().value(), 12);
  EXPECT_THAT(reader.coverage_from(0)->ranges(), ElementsAre(Range{5, 12}));
  EXPECT_EQ(reader.coverage_from(7)->first_uncovered(7), 12);
  const auto last = reader.last_line().value();
  EXPECT_EQ(last->offset, 10);
  EXPECT_EQ(last->text, "{\"n\":10}");
  LakeReader empty(store_, {}, "t", 1);
  ASSERT_TRUE(empty.list());
  EXPECT_EQ(empty.first(), std::nullopt);
  EXPECT_EQ(empty.end().value(), std::nullopt);
  EXPECT_TRUE(empty.coverage_from(0)->empty());
  EXPECT_EQ(empty.last_line().value(), std::nullopt);
}

TEST_F(LakeWriterTest, ReaderRefusesTornObjects) {
  ASSERT_TRUE(store_.put("topics/t/partition=0/t+0+0000000000.json", "{}\n{"));
  LakeReader reader(store_, {}, "t", 0);
  ASSERT_TRUE(reader.list());
  EXPECT_EQ(reader.end().error().code, Code::corrupt);
  ASSERT_TRUE(store_.put("topics/t/partition=0/t+0+0000000000.json", ""));
  EXPECT_EQ(reader.coverage_from(0).error().code, Code::corrupt);
}

}  // namespace
}  // namespace pinflow::sink
