#include "portable/pattern.h"

#include <gtest/gtest.h>

namespace pinflow::portable {
namespace {

TEST(Pattern, KnowsWhatAMatchMayHoldAndHowLongItIs) {
  const Pattern time = read_pattern("^[0-9]{4}[-:][0-9]{2}[-:][0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$");
  EXPECT_TRUE(time.only("0123456789-: T"));
  EXPECT_EQ(time.least, 19u);
  EXPECT_EQ(time.most, 19u);
  EXPECT_TRUE(time.from_begin && time.to_end);
  EXPECT_TRUE(time.faults.empty());
  const Pattern number = read_pattern("^-?[0-9]{1,18}([.][0-9]+)?$");
  EXPECT_TRUE(number.only("-0123456789."));
  EXPECT_EQ(number.least, 1u);
  EXPECT_EQ(number.most, kEndless);
}

TEST(Pattern, WhatIsNotNamedCanBeAnything) {
  EXPECT_TRUE(read_pattern("[^a]").any);
  EXPECT_TRUE(read_pattern("é").any);
  EXPECT_FALSE(read_pattern("[a-c]+").any);
}

TEST(Pattern, TheEndIsTheEndOnlyWhereItBindsAll) {
  EXPECT_TRUE(read_pattern("^a$").to_end);
  EXPECT_FALSE(read_pattern("^a|b$").to_end);
  EXPECT_FALSE(read_pattern("^[$]").has_end);
  EXPECT_TRUE(read_pattern("(a$)b").has_end);
}

TEST(Pattern, NamesWhatOnlyOneEngineReads) {
  for (const char* text : {"(?i)a", "a(?=b)", "(?<n>a)", "(?P<n>a)", "[[:alpha:]]", "[a&&b]", "[]a]", "a{,2}", "a++",
                           "a.b", "(a", "a)", "[a"})
    EXPECT_EQ(read_pattern(text).faults.size(), 1u) << text;
  for (const char* text : {"", "a{2,}?", "(?:a|b)+", "[a-]", "[.]", "a|", "()", "^$"})
    EXPECT_TRUE(read_pattern(text).faults.empty()) << text;
}

}  // namespace
}  // namespace pinflow::portable
