#include "kafka/client/scram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::kafka {
namespace {

// RFC 7677, section 3.
TEST(Scram, IsTheRfcsExample) {
  ScramClient client("SCRAM-SHA-256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(client.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  auto final = client.final("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  ASSERT_TRUE(final) << final.error().message;
  EXPECT_EQ(
      *final,
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_TRUE(client.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  auto wrong = client.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::denied);
  EXPECT_THAT(client.verify("e=invalid-proof").error().message, testing::HasSubstr("invalid-proof"));
}

TEST(Scram, RefusesWhatIsNoAnswer) {
  ScramClient client("SCRAM-SHA-512", "a=b,c", "p", "abc");
  EXPECT_EQ(client.first(), "n,,n=a=3Db=2Cc,r=abc");
  for (const char* wrong : {"", "r=abc,s=QQ==,i=1", "r=xyzabc,s=QQ==,i=1", "r=abcd,s=QQ==,i=0", "r=abcd,s=QQ==,i=x",
                            "r=abcd,s=?,i=4096", "r=abcd,i=99999999,s=QQ=="})
    EXPECT_FALSE(client.final(wrong)) << wrong;
  EXPECT_FALSE(client.verify(""));  // before anything was proved
}

}  // namespace
}  // namespace pinflow::kafka
