#include "object/numbered.h"

#include <gtest/gtest.h>

#include "object/memory_store.h"

namespace pinflow::object {
namespace {

TEST(Numbered, ListsNumbersInOrderAndRefusesOtherNames) {
  MemoryStore store;
  EXPECT_TRUE(list_numbers(store, "plans/", "a plan")->empty());
  for (const int64_t number : {int64_t{10000000000}, int64_t{7}, int64_t{12}})
    ASSERT_TRUE(store.put(numbered_name("plans/", number), "{}"));
  ASSERT_TRUE(store.put("plans2/other", "{}"));
  EXPECT_EQ(*list_numbers(store, "plans/", "a plan"), (std::vector<int64_t>{7, 12, 10000000000}));
  for (const char* name : {"plans/0000000007.jsn", "plans/x.json", "plans/7.json.tmp"}) {
    MemoryStore odd;
    ASSERT_TRUE(odd.put(name, "{}")) << name;
    const auto listed = list_numbers(odd, "plans/", "a plan");
    ASSERT_FALSE(listed) << name;
    EXPECT_EQ(listed.error().code, Code::corrupt);
    EXPECT_NE(listed.error().message.find("is not the name of a plan"), std::string::npos) << listed.error().message;
  }
}

}  // namespace
}  // namespace pinflow::object
