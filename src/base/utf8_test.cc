#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace pinflow {
namespace {

TEST(Utf8, TakesEveryLength) {
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("é"), 2u);
  EXPECT_EQ(utf8_length("€"), 3u);
  EXPECT_EQ(utf8_length("😀"), 4u);
  EXPECT_EQ(utf8_length("\xF4\x8F\xBF\xBF"), 4u);  // U+10FFFF
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const char* bytes : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xED\xBF\xBF",
                            "\xE2\x82", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(is_utf8(bytes)) << bytes;
    EXPECT_FALSE(is_utf8("12345678" + std::string(bytes))) << bytes;
    EXPECT_FALSE(is_utf8(std::string(bytes) + "12345678")) << bytes;
  }
}

TEST(Utf8, RepairsByteByByte) {
  EXPECT_EQ(repaired_utf8("aé€"), "aé€");
  EXPECT_EQ(repaired_utf8("a\xFFé\xE2\x82"), "a\uFFFDé\uFFFD\uFFFD");
}

TEST(Utf8, PrefixNeverCutsACharacter) {
  EXPECT_EQ(utf8_prefix("aé€", 6), "aé€");
  EXPECT_EQ(utf8_prefix("aé€", 5), "aé");
  EXPECT_EQ(utf8_prefix("aé€", 3), "aé");
  EXPECT_EQ(utf8_prefix("aé€", 2), "a");
  EXPECT_EQ(utf8_prefix("é", 1), "");
}

}  // namespace
}  // namespace pinflow
