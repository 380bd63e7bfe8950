#include "base/base64url.h"

#include <gtest/gtest.h>

namespace pinflow {
namespace {

TEST(Base64Url, GoesBothWays) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff\xfe", "-__-"}, {"\xff", "_w"}};
  for (const auto& [plain, text] : cases) {
    EXPECT_EQ(base64url_encode(plain), text);
    std::string back;
    EXPECT_TRUE(base64url_decode(text, back));
    EXPECT_EQ(back, plain);
  }
  std::string bytes;
  EXPECT_TRUE(base64url_decode("Zg==", bytes));
  for (const char* wrong : {"+//+", "Z", "Z g", "Zg=x"}) EXPECT_FALSE(base64url_decode(wrong, bytes)) << wrong;
}

}  // namespace
}  // namespace pinflow
