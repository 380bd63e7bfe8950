#include "sink/small_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::sink {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(SmallObjects, SaysWhatMakesThemSmallOnceAnHour) {
  SmallObjects small;
  for (int64_t i = 1; i < kObjectsToJudge; ++i)
    ASSERT_FALSE(small.note("t", i % 3 == 0 ? Cause::size : Cause::idle, 1, 1000, 0));
  const auto said = small.note("t", Cause::size, 1, 1000, 0);
  ASSERT_TRUE(said);
  EXPECT_THAT(*said, AllOf(HasSubstr("topic t: the last 2000 objects have 1000 bytes"), HasSubstr("flush.idle.ms")));
  EXPECT_FALSE(small.note("u", Cause::size, kObjectsToJudge, 1, 3'599'999));
  EXPECT_THAT(*small.note("u", Cause::folder_change, kObjectsToJudge, 1, 3'600'000),
              AllOf(HasSubstr("topic u"), HasSubstr("rotate.file.on.partition.change")));
}

TEST(SmallObjects, IsSilentAboutLargeOnes) {
  SmallObjects small;
  EXPECT_FALSE(small.note("t", Cause::size, kObjectsToJudge, kObjectsToJudge * kSmallObjectBytes, 0));
}

TEST(SmallObjects, HasARemedyForEachCause) {
  for (size_t cause = 0; cause < kCauses; ++cause) EXPECT_NE(remedy_of(static_cast<Cause>(cause)), "");
}

}  // namespace
}  // namespace pinflow::sink
