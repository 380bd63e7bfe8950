#include "lake/line_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using namespace std::string_literals;

// The lines of a file with these bytes; one that is too long as its start and "…".
std::vector<std::string> lines(const std::string& bytes, size_t longest = 16) {
  object::MemoryStore store;
  EXPECT_TRUE(store.put("x", bytes));
  const auto local = store.fetch("x");
  auto reader = LineReader::open(local->path(), longest);
  EXPECT_TRUE(reader);
  std::vector<std::string> out;
  LineReader::Line line;
  while (reader->next(line).value()) out.push_back(std::string(line.text) + (line.too_long ? "…" : ""));
  EXPECT_FALSE(reader->next(line).value());
  return out;
}

using Lines = std::vector<std::string>;

TEST(LineReader, TheLastNewlineEndsTheLastLine) {
  EXPECT_EQ(lines(""), Lines{});
  EXPECT_EQ(lines("a"), Lines{"a"});
  EXPECT_EQ(lines("a\n"), Lines{"a"});
  EXPECT_EQ(lines("a\n\nb"), (Lines{"a", "", "b"}));
  EXPECT_EQ(lines("\n"), Lines{""});
  EXPECT_EQ(lines("a\0b\r\n\xff\n"s), (Lines{"a\0b\r"s, "\xff"}));
}

TEST(LineReader, ALineThatIsTooLongIsCutAndTheNextIsWhole) {
  EXPECT_EQ(lines(std::string(16, 'x') + "\nb"), (Lines{std::string(16, 'x'), "b"}));
  EXPECT_EQ(lines(std::string(17, 'x') + "\nb"), (Lines{std::string(16, 'x') + "…", "b"}));
  EXPECT_EQ(lines(std::string(17, 'x')), Lines{std::string(16, 'x') + "…"});
  EXPECT_EQ(lines("a\n" + std::string(5 << 20, 'x') + "\nb\n" + std::string(3 << 20, 'y') + "\n\nc"),
            (Lines{"a", std::string(16, 'x') + "…", "b", std::string(16, 'y') + "…", "", "c"}));
}

TEST(LineReader, LinesAcrossBlocksAreWhole) {
  std::string bytes;
  Lines expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back(std::string(static_cast<size_t>(i % 1777), static_cast<char>('a' + i % 26)));
    bytes += expected.back() + "\n";
  }
  EXPECT_EQ(lines(bytes, 4 << 20), expected);
  expected.push_back(std::string(3 << 20, 'z'));
  EXPECT_EQ(lines(bytes + expected.back(), 4 << 20), expected);
}

}  // namespace
}  // namespace pinflow::lake
