// What a crash may leave in the files, made by hand: torn tails, holes, flipped bits, missing files.
#include <gmock/gmock.h>

#include <fstream>

#include "log/batch_reader.h"
#include "log/helpers_test.h"

namespace pinflow::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

// The files of a log that was killed: as on disk while it is open, without what closing adds.
class Killed {
 public:
  Killed() { log_ = open_with_topic(folder_, options_); }
  explicit Killed(LogOptions options) : options_(options) { log_ = open_with_topic(folder_, options_); }

  Log& log() { return *log_; }

  // A copy of the files in a folder of its own.
  std::unique_ptr<Folder> copy() const {
    auto to = std::make_unique<Folder>();
    fs::copy(folder_.path(), to->path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    return to;
  }
  void close() { log_.reset(); }

 private:
  LogOptions options_;
  Folder folder_;
  std::unique_ptr<Log> log_;
};

fs::path first_segment(const Folder& folder) { return folder.partition("t", 0) / "00000000000000000000.log"; }

std::string bytes_of(const fs::path& path) { return read_file(path).value(); }
void put(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  ASSERT_TRUE(file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush());
}

void expect_corrupt(const Folder& folder, const std::string& position) {
  const auto log = Log::open(folder.path(), {});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Code::corrupt) << log.error().message;
  EXPECT_THAT(log.error().message, HasSubstr(".log"));
  EXPECT_THAT(log.error().message, HasSubstr(position));
}

TEST(Recovery, KeepsWhatWasAcknowledged) {
  Killed killed;
  append_values(killed.log(), {"a", "b"});
  append_values(killed.log(), {"c"});
  const auto folder = killed.copy();
  auto log = open_with_topic(*folder);
  EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "a"}, Value{1, "b"}, Value{2, "c"}));
}

TEST(Recovery, CutsATornTailAtEveryByteOfTheLastBatch) {
  Killed killed;
  append_values(killed.log(), {"first"});
  append_values(killed.log(), {"last"});
  const auto folder = killed.copy();
  const auto whole = bytes_of(first_segment(*folder));
  const size_t first = batch_of({"first"}).size();
  ASSERT_EQ(whole.size(), first + batch_of({"last"}).size());
  for (size_t bytes = first; bytes < whole.size(); ++bytes) {
    // Cut, and with zeros for what never reached the disk.
    for (const bool zeros : {false, true}) {
      if (zeros && whole.find_first_not_of('\0', bytes) == std::string::npos) continue;  // nothing is lost then
      auto torn = whole.substr(0, bytes);
      if (zeros) torn.resize(whole.size() + 100);
      put(first_segment(*folder), torn);
      fs::remove(fs::path(first_segment(*folder)).replace_extension(".index"));
      auto log = open_with_topic(*folder);
      ASSERT_TRUE(log);
      EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "first"})) << bytes;
      EXPECT_EQ(fs::file_size(first_segment(*folder)), first);
      EXPECT_EQ(append_values(*log, {"next"}), 1);
      EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "first"}, Value{1, "next"}));
    }
  }
}

TEST(Recovery, CutsATornTailDownToNothing) {
  Killed killed;
  append_values(killed.log(), {"only"});
  const auto folder = killed.copy();
  put(first_segment(*folder), bytes_of(first_segment(*folder)).substr(0, 50));
  auto log = open_with_topic(*folder);
  EXPECT_EQ(log->offsets("t", 0)->end, 0);
  EXPECT_EQ(append_values(*log, {"again"}), 0);
}

TEST(Recovery, RefusesToCutDamageBeforeALaterFsync) {
  Killed killed;
  for (const char* value : {"one", "two", "three"}) append_values(killed.log(), {value});
  const auto folder = killed.copy();
  const auto whole = bytes_of(first_segment(*folder));
  const size_t second = batch_of({"one"}).size();
  const size_t third = second + batch_of({"two"}).size();
  for (size_t bit = second * 8; bit < third * 8; ++bit) {
    const size_t byte = bit / 8 - second;
    if (byte >= 12 && byte < 16) continue;  // the mark itself, which says nothing of what is behind it
    auto flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    put(first_segment(*folder), flipped);
    expect_corrupt(*folder, "position " + std::to_string(second));
    EXPECT_EQ(bytes_of(first_segment(*folder)), flipped);  // nothing was changed
  }
}

// A group of one write whose first pages never reached the disk, but the last did.
TEST(Recovery, CutsAHoleInTheLastWriteAlthoughWholeBatchesFollow) {
  Killed killed;
  append_values(killed.log(), {"acknowledged"});
  const auto folder = killed.copy();
  const auto path = first_segment(*folder);
  auto bytes = bytes_of(path);
  const size_t durable = bytes.size();
  for (int i = 1; i <= 3; ++i) {
    auto batch = batch_of({"lost"});
    set_base_offset(batch, i);
    store_big(batch.data() + 12, i == 1 ? kAfterSync : 0);
    bytes += batch;
  }
  const size_t lost = batch_of({"lost"}).size();
  for (const size_t hole : {durable, durable + lost}) {
    auto holed = bytes;
    std::fill_n(holed.begin() + static_cast<ptrdiff_t>(hole), lost, '\0');
    put(path, holed);
    fs::remove(fs::path(path).replace_extension(".index"));
    auto log = open_with_topic(*folder);
    ASSERT_TRUE(log);
    EXPECT_EQ(log->offsets("t", 0)->end, hole == durable ? 1 : 2);
    EXPECT_EQ(fs::file_size(path), hole);
  }
}

TEST(Recovery, OffsetsThatDoNotFollowAreCutOrCorrupt) {
  Killed killed;
  append_values(killed.log(), {"a"});
  const auto folder = killed.copy();
  const auto path = first_segment(*folder);
  const auto good = bytes_of(path);
  auto later = batch_of({"x"});
  set_base_offset(later, 5);
  put(path, good + later);
  {
    auto log = open_with_topic(*folder);
    EXPECT_EQ(log->offsets("t", 0)->end, 1);
  }
  auto behind = batch_of({"y"});
  set_base_offset(behind, 6);
  store_big(behind.data() + 12, kAfterSync);
  put(path, good + later + behind);
  expect_corrupt(*folder, "position " + std::to_string(good.size()));
}

TEST(Recovery, AfterACleanCloseAShorterFileIsCorrupt) {
  Killed killed;
  append_values(killed.log(), {"a"});
  append_values(killed.log(), {"b"});
  const auto open = killed.copy();
  { open_with_topic(*open); }  // closes it cleanly
  const auto path = first_segment(*open);
  put(path, bytes_of(path).substr(0, fs::file_size(path) - 1));
  expect_corrupt(*open, "was cut by somebody");
}

TEST(Recovery, ACleanCloseIsNotScannedAndDamageIsFoundByReading) {
  Folder folder;
  {
    auto log = open_with_topic(folder);
    append_values(*log, {"a"});
    append_values(*log, {"b"});
  }
  const auto path = first_segment(folder);
  auto bytes = bytes_of(path);
  bytes[bytes.size() - 2] ^= 1;
  put(path, bytes);
  auto log = open_with_topic(folder);
  ASSERT_TRUE(log);
  const auto read = log->read("t", 0, 1, 100);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::corrupt);
  EXPECT_THAT(read.error().message, HasSubstr(path.string()));
  EXPECT_TRUE(log->read("t", 0, 0, 1));
}

TEST(Recovery, ScansFromWhereTheLastCloseWas) {
  Folder folder;
  { append_values(*open_with_topic(folder), {"a"}); }
  Folder copy;
  {
    auto log = open_with_topic(folder);
    append_values(*log, {"b"});
    append_values(*log, {"c"});
    fs::copy(folder.path(), copy.path(), fs::copy_options::recursive);
  }
  auto log = open_with_topic(copy);
  EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "a"}, Value{1, "b"}, Value{2, "c"}));
}

class ManySegments : public testing::Test {
 protected:
  ManySegments() {
    auto log = open_with_topic(folder_, options_);
    for (int i = 0; i < 30; ++i) append_values(*log, {"value " + std::to_string(i)}, 1000 + i);
    for (const auto& entry : fs::directory_iterator(folder_.partition("t", 0))) {
      if (entry.path().extension() == ".log") segments_.push_back(entry.path());
    }
    std::ranges::sort(segments_);
  }

  static fs::path index_of(const fs::path& segment) { return fs::path(segment).replace_extension(".index"); }

  Folder folder_;
  const LogOptions options_{.segment_bytes = 500};
  std::vector<fs::path> segments_;
};

TEST_F(ManySegments, MissingAndBrokenIndexesAreMadeAgain) {
  ASSERT_GT(segments_.size(), 4u);
  fs::remove(index_of(segments_[0]));
  put(index_of(segments_[1]), "rubbish");
  auto bytes = bytes_of(index_of(segments_[2]));
  bytes[20] ^= 1;
  put(index_of(segments_[2]), bytes);
  put(index_of(segments_[3]), bytes_of(index_of(segments_[3])) + std::string(16, 'x'));
  put(index_of(segments_.back()), "rubbish");
  auto log = open_with_topic(folder_, options_);
  EXPECT_EQ(read_values(*log).size(), 30u);
  EXPECT_EQ(log->offset_for_time("t", 0, 1012)->offset, 12);
  EXPECT_TRUE(fs::exists(index_of(segments_[0])));
}

TEST_F(ManySegments, AMissingSegmentIsCorrupt) {
  for (const size_t missing : {size_t{0}, size_t{2}}) {
    const auto bytes = bytes_of(segments_[missing]);
    fs::remove(segments_[missing]);
    const auto log = Log::open(folder_.path(), options_);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, Code::corrupt);
    EXPECT_THAT(log.error().message, HasSubstr("missing"));
    put(segments_[missing], bytes);
  }
  EXPECT_TRUE(Log::open(folder_.path(), options_));
}

TEST_F(ManySegments, DamageInAClosedSegmentWithoutAnIndexIsCorrupt) {
  auto bytes = bytes_of(segments_[1]);
  bytes.back() ^= 1;
  put(segments_[1], bytes);
  fs::remove(index_of(segments_[1]));
  expect_corrupt(folder_, segments_[1].filename().string());
}

TEST_F(ManySegments, AMissingPartitionIsCorrupt) {
  fs::remove_all(folder_.partition("t", 0));
  const auto log = Log::open(folder_.path(), options_);
  ASSERT_FALSE(log);
}

TEST_F(ManySegments, AnEmptyNewSegmentIsFine) {
  put(folder_.partition("t", 0) / "00000000000000000030.log", "");
  auto log = open_with_topic(folder_, options_);
  EXPECT_EQ(read_values(*log).size(), 30u);
  EXPECT_EQ(append_values(*log, {"next"}), 30);
}

// Bytes that look like the headers of marked batches, but are not.
TEST(Recovery, HostileRecordsInATornTailDoNotPreventOpening) {
  Killed killed;
  append_values(killed.log(), {"a"});
  const auto folder = killed.copy();
  std::string fake(61, '\0');
  store_big<int64_t>(fake.data(), 100);
  store_big<int32_t>(fake.data() + 8, 100);
  store_big<int32_t>(fake.data() + 12, kAfterSync);
  fake[16] = 2;
  std::string value;
  for (int i = 0; i < 100; ++i) value += fake;
  auto batch = batch_of({value});
  set_base_offset(batch, 1);
  batch.back() ^= 1;
  put(first_segment(*folder), bytes_of(first_segment(*folder)) + batch);
  auto log = open_with_topic(*folder);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->offsets("t", 0)->end, 1);
}

}  // namespace
}  // namespace pinflow::log
