#include "base/bytes.h"

#include <gtest/gtest.h>

namespace pinflow {
namespace {

TEST(Bytes, BigEndian) {
  std::string bytes;
  append_big<int16_t>(bytes, 0x0102);
  append_big<int32_t>(bytes, -2);
  append_big<int64_t>(bytes, 0x0102030405060708);
  EXPECT_EQ(to_hex(bytes), "0102fffffffe0102030405060708");
  EXPECT_EQ(load_big<int16_t>(bytes.data()), 0x0102);
  EXPECT_EQ(load_big<int32_t>(bytes.data() + 2), -2);
  EXPECT_EQ(load_big<int64_t>(bytes.data() + 6), 0x0102030405060708);
  store_big<int32_t>(bytes.data() + 2, 7);
  EXPECT_EQ(load_big<int32_t>(bytes.data() + 2), 7);
}

// RFC 3720, B.4.
TEST(Bytes, Crc32cOfTheRfc) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c("56789", crc32c("1234")), 0xE3069283u);
}

// RFC 4648, 10.
TEST(Bytes, Base64OfTheRfc) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(base64_encode(plain), text);
    std::string back;
    ASSERT_TRUE(base64_decode(text, back)) << text;
    EXPECT_EQ(back, plain);
  }
}

TEST(Bytes, Base64OfEveryByteAtEveryLength) {
  std::string plain;
  for (int length = 0; length < 600; ++length) {
    std::string text = "before ", back;
    append_base64(text, plain);
    text.erase(0, 7);
    ASSERT_EQ(text.size(), (plain.size() + 2) / 3 * 4);
    ASSERT_EQ(base64_decoded_size(text), plain.size());
    ASSERT_TRUE(base64_decode(text, back));
    ASSERT_EQ(back, plain);
    plain.push_back(static_cast<char>(length * 7 + length / 256));
  }
}

TEST(Bytes, Base64RefusesWhatIsNone) {
  std::string bytes;
  for (const char* text : {"Zg=", "Zg", "Z===", "====", "Zm9v\n", "Zm-_", "Z=9v", " Zg=", "Zm9vZg==Zm9v"}) {
    EXPECT_FALSE(base64_decode(text, bytes)) << text;
  }
}

}  // namespace
}  // namespace pinflow
